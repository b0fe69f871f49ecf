// When to try again what failed: at once, then after 50 ms, doubling to 2 s. Pure: the clock is an argument.
#pragma once

#include "core/throttle.hpp"

#include <algorithm>
#include <chrono>

namespace headway {

class backoff {
public:
  bool ready(steady_time now) const { return now >= next_; }

  void failed(steady_time now) {
    next_ = now + wait_;
    wait_ = std::min(wait_ * 2, longest);
  }

  void worked() { *this = {}; }

private:
  static constexpr std::chrono::milliseconds shortest{50};
  static constexpr std::chrono::milliseconds longest{2000};

  steady_time next_{};
  std::chrono::milliseconds wait_ = shortest;
};

} // namespace headway
