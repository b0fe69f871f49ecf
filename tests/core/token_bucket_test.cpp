#include "core/token_bucket.hpp"

#include <gtest/gtest.h>

namespace headway {

namespace {

using namespace std::chrono_literals;

constexpr steady_time start{1h};

int taken(token_bucket& bucket, steady_time now, int tries) {
  int n = 0;
  for (int i = 0; i < tries; ++i)
    n += bucket.take(now) ? 1 : 0;
  return n;
}

} // namespace

TEST(token_bucket, gives_the_burst_at_once_and_then_nothing) {
  token_bucket bucket{100, 200};
  EXPECT_EQ(taken(bucket, start, 1000), 200);
}

TEST(token_bucket, refills_at_its_rate) {
  token_bucket bucket{100, 200};
  taken(bucket, start, 200);
  EXPECT_EQ(taken(bucket, start + 500ms, 1000), 50);
  EXPECT_EQ(taken(bucket, start + 510ms, 1000), 1);
  EXPECT_EQ(taken(bucket, start + 515ms, 1000), 0); // half a token is none
}

TEST(token_bucket, saves_no_more_than_the_burst) {
  token_bucket bucket{100, 200};
  taken(bucket, start, 200);
  EXPECT_EQ(taken(bucket, start + 24h, 1000), 200);
}

TEST(token_bucket, over_time_gives_rate_times_time_plus_burst) {
  token_bucket bucket{100, 200};
  int n = 0;
  for (auto now = start; now <= start + 10s; now += 1ms)
    n += taken(bucket, now, 3);
  EXPECT_NEAR(n, 200 + 10 * 100, 1);
}

TEST(token_bucket, a_clock_that_steps_back_gives_nothing) {
  token_bucket bucket{100, 1};
  EXPECT_TRUE(bucket.take(start));
  EXPECT_FALSE(bucket.take(start - 1h));
  EXPECT_FALSE(bucket.take(start));
  EXPECT_TRUE(bucket.take(start + 10ms));
}

TEST(token_bucket, a_rate_of_zero_limits_nothing) {
  token_bucket bucket{0, 0};
  EXPECT_EQ(taken(bucket, start, 10'000), 10'000);
}

} // namespace headway
