// DEMO  with --dev: a worker in this process that reports one job after another, so that there is something to watch.
#pragma once

#include "actors/directory.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace headway {

inline constexpr std::string_view demo_user = "demo";

/// The id of the demo job that runs now. Safe from any thread.
class demo_job_id {
public:
  std::string get() const {
    std::lock_guard lock{mutex_};
    return id_;
  }
  void set(std::string id) {
    std::lock_guard lock{mutex_};
    id_ = std::move(id);
  }

private:
  mutable std::mutex mutex_;
  std::string id_;
};

/// Ends by an exit message.
caf::actor spawn_demo(caf::actor_system& system, directory_shards_ptr directory, std::shared_ptr<demo_job_id> current,
                      std::function<epoch_ms()> wall_clock);

} // namespace headway
