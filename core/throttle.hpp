// How often a job's ticks are committed. Pure: the clock is an argument.
#pragma once

#include <chrono>
#include <cstdint>

namespace headway {

using steady_time = std::chrono::steady_clock::time_point;

struct throttle_policy {
  std::uint32_t min_interval_ms = 100; ///< at most one tick in so many milliseconds; 0: every tick passes
  double min_delta = 0;                ///< a leading edge wants at least so many percent of change; 0: any

  bool operator==(const throttle_policy&) const = default;
};

/// Leading edge at once, then the latest in each window, the last one at its trailing edge.
///
/// ```
/// tick      a  b c     d             e
/// window    |--------|--------|      |--------|
/// passes    a        c        d      e
/// ```
class throttle {
public:
  enum class verdict { pass, hold };

  explicit throttle(throttle_policy policy) : policy_{policy} {}

  /// A tick that would move the bar to `progress`. On `hold` the caller keeps it (a later one replaces it) until
  /// `due()`.
  verdict on_tick(steady_time now, double progress);

  /// A tick was committed outside of `on_tick`: at its trailing edge, or carried by a fact.
  void on_flush(steady_time now, double progress);

  /// When a held tick must go out.
  steady_time due() const { return window_end_; }

private:
  throttle_policy policy_;
  steady_time window_end_{};
  double last_progress_ = 0;
  bool started_ = false; ///< the first tick of a job is always a leading edge
};

} // namespace headway
