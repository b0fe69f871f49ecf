#include "actors/io_worker.hpp"

#include <boost/asio/post.hpp>

namespace headway {

io_worker::io_worker(caf::actor_system& system, boost::asio::io_context& context, std::size_t index)
  : caf::execution_unit(&system), context_{context}, index_{index} {}

void io_worker::exec_later(caf::resumable* job) {
  if (job->subtype() != caf::resumable::io_actor) {
    system().scheduler().enqueue(job);
    return;
  }
  boost::asio::post(context_, [this, job] { run(job); });
}

void io_worker::run(caf::resumable* job) {
  constexpr std::size_t messages_at_a_time = 100; // then sockets get a turn
  switch (job->resume(this, messages_at_a_time)) {
    case caf::resumable::resume_later: exec_later(job); break;
    case caf::resumable::done:
    case caf::resumable::awaiting_message: caf::intrusive_ptr_release(job); break;
    case caf::resumable::shutdown_execution_unit: break;
  }
}

} // namespace headway
