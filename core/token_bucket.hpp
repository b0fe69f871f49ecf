// A rate limit: `rate` tokens a second, `burst` of them saved up. Pure: the clock is an argument.
#pragma once

#include "core/throttle.hpp"

#include <algorithm>

namespace headway {

class token_bucket {
public:
  /// A rate of 0 limits nothing.
  token_bucket(double rate, double burst) : rate_{rate}, burst_{burst}, tokens_{burst} {}

  /// Takes one token; false where none is left.
  bool take(steady_time now) {
    if (rate_ <= 0)
      return true;
    refill(now);
    if (tokens_ < 1)
      return false;
    tokens_ -= 1;
    return true;
  }

private:
  void refill(steady_time now) {
    if (last_ != steady_time{} && now > last_)
      tokens_ = std::min(burst_, tokens_ + rate_ * std::chrono::duration<double>(now - last_).count());
    last_ = std::max(now, last_);
  }

  double rate_;
  double burst_;
  double tokens_;
  steady_time last_{};
};

} // namespace headway
