#include "core/time.hpp"

#include <gtest/gtest.h>

namespace headway {

TEST(iso8601, is_utc_with_milliseconds) {
  EXPECT_EQ(iso8601(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso8601(1'795'230'720'007), "2026-11-21T03:12:00.007Z");
}

TEST(iso8601, knows_leap_days_and_the_turn_of_a_year) {
  EXPECT_EQ(iso8601(1'709'164'800'000), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(iso8601(1'704'067'199'999), "2023-12-31T23:59:59.999Z");
  EXPECT_EQ(iso8601(1'704'067'200'000), "2024-01-01T00:00:00.000Z");
}

TEST(iso8601, goes_back_before_1970) { EXPECT_EQ(iso8601(-1), "1969-12-31T23:59:59.999Z"); }

TEST(wall_clock, counts_milliseconds_since_1970) {
  constexpr epoch_ms start_of_2025 = 1'735'689'600'000;
  constexpr epoch_ms start_of_2200 = 7'258'118'400'000;
  EXPECT_GT(wall_clock_ms(), start_of_2025);
  EXPECT_LT(wall_clock_ms(), start_of_2200);
}

} // namespace headway
