#include "core/throttle.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace headway {

namespace {

using namespace std::chrono_literals;
using verdict = throttle::verdict;

constexpr steady_time start{1h};

struct sent {
  steady_time at;
  double progress;
};

/// What a job actor does with a throttle: keeps the latest held tick and sends it when it is due.
class job_like {
public:
  explicit job_like(throttle_policy policy) : throttle_{policy} {}

  void tick(steady_time now, double progress) {
    run_timers(now);
    if (throttle_.on_tick(now, progress) == verdict::hold) {
      pending_ = progress;
      return;
    }
    pending_.reset();
    out.push_back({now, progress});
  }

  /// A fact first commits the pending tick.
  void fact(steady_time now) {
    run_timers(now);
    if (pending_)
      flush(now);
  }

  void run_timers(steady_time now) {
    if (pending_ && throttle_.due() <= now)
      flush(throttle_.due());
  }

  std::vector<sent> out;

private:
  void flush(steady_time at) {
    out.push_back({at, *pending_});
    throttle_.on_flush(at, *pending_);
    pending_.reset();
  }

  throttle throttle_;
  std::optional<double> pending_;
};

} // namespace

TEST(throttle, the_first_tick_passes_at_once) {
  throttle t{{100, 0}};
  EXPECT_EQ(t.on_tick(start, 1), verdict::pass);
}

TEST(throttle, ticks_within_the_window_are_held_until_its_end) {
  throttle t{{100, 0}};
  (void)t.on_tick(start, 1);
  EXPECT_EQ(t.on_tick(start + 1ms, 2), verdict::hold);
  EXPECT_EQ(t.on_tick(start + 99ms, 3), verdict::hold);
  EXPECT_EQ(t.due(), start + 100ms);
}

TEST(throttle, the_latest_of_a_window_goes_out_at_its_trailing_edge) {
  job_like job{{100, 0}};
  job.tick(start, 1);
  job.tick(start + 10ms, 2);
  job.tick(start + 20ms, 3);
  job.run_timers(start + 99ms);
  ASSERT_EQ(job.out.size(), 1U);
  job.run_timers(start + 100ms);
  ASSERT_EQ(job.out.size(), 2U);
  EXPECT_EQ(job.out[1].progress, 3);
  EXPECT_EQ(job.out[1].at, start + 100ms);
}

TEST(throttle, a_trailing_edge_opens_the_next_window) {
  throttle t{{100, 0}};
  (void)t.on_tick(start, 1);
  (void)t.on_tick(start + 10ms, 2);
  t.on_flush(start + 100ms, 2);
  EXPECT_EQ(t.on_tick(start + 150ms, 3), verdict::hold);
  EXPECT_EQ(t.due(), start + 200ms);
}

TEST(throttle, after_a_quiet_window_the_next_tick_is_a_leading_edge) {
  throttle t{{100, 0}};
  (void)t.on_tick(start, 1);
  EXPECT_EQ(t.on_tick(start + 100ms, 2), verdict::pass);
}

TEST(throttle, an_interval_of_zero_passes_every_tick) {
  throttle t{{0, 50}};
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(t.on_tick(start, i * 0.001), verdict::pass);
}

TEST(throttle, min_delta_holds_a_small_leading_edge_but_it_still_goes_out) {
  job_like job{{100, 5}};
  job.tick(start, 10);
  job.tick(start + 1s, 12); // window long over, yet less than 5 percent
  EXPECT_EQ(job.out.size(), 1U);
  job.run_timers(start + 1100ms);
  ASSERT_EQ(job.out.size(), 2U);
  EXPECT_EQ(job.out[1].progress, 12);
}

TEST(throttle, min_delta_lets_a_large_leading_edge_pass) {
  throttle t{{100, 5}};
  (void)t.on_tick(start, 10);
  EXPECT_EQ(t.on_tick(start + 1s, 15), verdict::pass);
}

TEST(throttle, min_delta_never_holds_the_first_tick) {
  throttle t{{100, 50}};
  EXPECT_EQ(t.on_tick(start, 0), verdict::pass);
}

TEST(throttle, a_fact_carries_the_pending_tick_and_opens_a_window) {
  job_like job{{100, 0}};
  job.tick(start, 1);
  job.tick(start + 10ms, 2);
  job.fact(start + 20ms);
  ASSERT_EQ(job.out.size(), 2U);
  EXPECT_EQ(job.out[1].progress, 2);
  job.tick(start + 110ms, 3); // the window began anew with the fact
  EXPECT_EQ(job.out.size(), 2U);
  job.run_timers(start + 120ms);
  EXPECT_EQ(job.out.size(), 3U);
}

/// Random policies and random loads; what holds for all of them.
TEST(throttle_property, ticks_are_spaced_latest_wins_and_the_last_one_arrives) {
  for (std::uint32_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random{seed};
    auto pick = [&random](int low, int high) { return std::uniform_int_distribution<int>{low, high}(random); };
    throttle_policy policy{static_cast<std::uint32_t>(pick(1, 200)), pick(0, 2) == 0 ? pick(1, 20) * 1.0 : 0.0};
    std::chrono::milliseconds interval{policy.min_interval_ms};
    job_like job{policy};
    std::vector<sent> in;
    auto now = start;
    double progress = 0;
    for (int i = pick(1, 200); i > 0; --i) {
      now += std::chrono::milliseconds{pick(0, pick(0, 9) == 0 ? 500 : 20)};
      progress += pick(0, 100) * 0.01;
      in.push_back({now, progress});
      job.tick(now, progress);
    }
    job.run_timers(now + interval);

    ASSERT_FALSE(job.out.empty());
    EXPECT_EQ(job.out.front().at, in.front().at) << "leading edge";
    EXPECT_EQ(job.out.back().progress, in.back().progress) << "the last tick arrives";
    EXPECT_LE(job.out.back().at, in.back().at + interval) << "within one window";
    for (std::size_t i = 1; i < job.out.size(); ++i)
      ASSERT_GE(job.out[i].at - job.out[i - 1].at, interval) << "spaced";
    for (const auto& one : job.out) {
      double latest = -1; // of all that had come in by then; a tick at the very edge may be either side of it
      double before = -1;
      for (const auto& tick : in) {
        if (tick.at <= one.at)
          latest = tick.progress;
        if (tick.at < one.at)
          before = tick.progress;
      }
      ASSERT_TRUE(one.progress <= latest && one.progress >= before) << "latest wins";
    }
  }
}

} // namespace headway
