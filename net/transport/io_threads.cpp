#include "net/transport/io_threads.hpp"

#include "core/log.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace headway {

namespace {

constexpr std::uint32_t threads_max = 36;

/// The wall around Asio's handlers: an exception ends nothing but its own connection.
void run(boost::asio::io_context& context, metrics& counters) noexcept {
  for (;;) {
    try {
      context.run();
      return;
    } catch (const std::exception& e) {
      counters.handler_exceptions.Increment();
      log::error("io.exception", {{"what", e.what()}});
    } catch (...) {
      counters.handler_exceptions.Increment();
      log::error("io.exception", {{"what", "unknown"}});
    }
  }
}

} // namespace

io_threads::io_threads(caf::actor_system& system, std::uint32_t count, metrics& counters) {
  for (std::uint32_t i = 0; i < std::clamp(count, 1U, threads_max); ++i) {
    auto& made = *threads_.emplace_back(std::make_unique<one>());
    made.worker = std::make_unique<io_worker>(system, made.context, i);
    made.thread = std::thread{[&made, &counters] { run(made.context, counters); }};
  }
}

io_threads::~io_threads() { stop(); }

void io_threads::stop() {
  for (auto& thread : threads_) {
    if (!thread->thread.joinable())
      continue;
    // What is in front of this in the queue (answers, close frames) is still written.
    boost::asio::post(thread->context, [&context = thread->context] { context.stop(); });
    thread->thread.join();
  }
}

} // namespace headway
