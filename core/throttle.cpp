#include "core/throttle.hpp"

#include <cmath>

namespace headway {

throttle::verdict throttle::on_tick(steady_time now, double progress) {
  if (policy_.min_interval_ms == 0)
    return verdict::pass;
  if (started_ && now < window_end_)
    return verdict::hold;
  auto too_small = started_ && policy_.min_delta > 0 && std::abs(progress - last_progress_) < policy_.min_delta;
  if (too_small) { // it still goes out, at a trailing edge of its own
    window_end_ = now + std::chrono::milliseconds{policy_.min_interval_ms};
    return verdict::hold;
  }
  on_flush(now, progress);
  return verdict::pass;
}

void throttle::on_flush(steady_time now, double progress) {
  started_ = true;
  last_progress_ = progress;
  window_end_ = now + std::chrono::milliseconds{policy_.min_interval_ms};
}

} // namespace headway
