// I/O THREADS  each with an Asio context, the actors pinned to it, and what transports need there.
#pragma once

#include "actors/io_worker.hpp"
#include "core/metrics.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <thread>
#include <vector>

namespace headway {

class io_threads {
public:
  /// At most 36: sids name their thread by one character.
  io_threads(caf::actor_system& system, std::uint32_t count, metrics& counters);
  ~io_threads();
  io_threads(const io_threads&) = delete;
  io_threads& operator=(const io_threads&) = delete;

  std::size_t size() const { return threads_.size(); }
  boost::asio::io_context& context(std::size_t i) { return threads_[i]->context; }
  io_worker& worker(std::size_t i) { return *threads_[i]->worker; }

  /// Returns when what was posted before has run. Connections that are still open go with this object.
  void stop();

private:
  struct one {
    boost::asio::io_context context{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep{context.get_executor()};
    std::unique_ptr<io_worker> worker;
    std::thread thread;
  };
  std::vector<std::unique_ptr<one>> threads_;
};

} // namespace headway
