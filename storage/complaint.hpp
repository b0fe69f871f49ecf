// An engine that is down would say so at every call: the log hears the first time, then once in a while.
#pragma once

#include "core/log.hpp"
#include "core/throttle.hpp"

#include <chrono>
#include <string_view>

namespace headway {

class complaint {
public:
  explicit complaint(std::string_view engine) : engine_{engine} {}

  /// Logs at warn. `what` is the engine's own words: for the log only, never for an answer.
  void say(std::string_view call, std::string_view what, steady_time now = std::chrono::steady_clock::now()) {
    ++unsaid_;
    if (now < quiet_until_)
      return;
    log::warn("store.failed", {{"engine", engine_}, {"call", call}, {"what", what}, {"times", unsaid_}});
    quiet_until_ = now + std::chrono::seconds{5};
    unsaid_ = 0;
  }

private:
  std::string_view engine_;
  steady_time quiet_until_{};
  std::uint64_t unsaid_ = 0;
};

} // namespace headway
