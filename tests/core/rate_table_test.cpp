#include "core/rate_table.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace headway {

namespace {

using namespace std::chrono_literals;

constexpr steady_time start{1h};
constexpr token_rate unlimited{};

int taken(rate_table& table, std::string_view key, steady_time now, int tries) {
  int n = 0;
  for (int i = 0; i < tries; ++i)
    n += table.take(key, now) ? 1 : 0;
  return n;
}

} // namespace

TEST(rate_table, gives_a_key_its_burst_and_then_its_rate) {
  rate_table table{unlimited, {10, 20}};
  EXPECT_EQ(taken(table, "a", start, 100), 20);
  EXPECT_EQ(table.take("a", start).error(), errc::rate_limited);
  EXPECT_EQ(taken(table, "a", start + 500ms, 100), 5);
  EXPECT_EQ(taken(table, "a", start + 599ms, 100), 0);
  EXPECT_EQ(taken(table, "a", start + 600ms, 100), 1);
  EXPECT_EQ(taken(table, "a", start + 1h, 100), 20);
}

TEST(rate_table, keys_do_not_share_a_bucket) {
  rate_table table{unlimited, {1, 1}};
  EXPECT_TRUE(table.take("a", start));
  EXPECT_FALSE(table.take("a", start));
  EXPECT_TRUE(table.take("b", start));
}

TEST(rate_table, all_keys_share_the_bucket_of_all) {
  rate_table table{{10, 10}, {10, 6}};
  EXPECT_EQ(taken(table, "a", start, 100), 6);
  EXPECT_EQ(taken(table, "b", start, 100), 4);
  EXPECT_EQ(table.take("c", start).error(), errc::overloaded);
  EXPECT_TRUE(table.take("c", start + 100ms));
}

TEST(rate_table, a_key_that_is_refused_takes_nothing_from_the_others) {
  rate_table table{{10, 10}, {1, 1}};
  EXPECT_EQ(taken(table, "greedy", start, 1000), 1);
  int others = 0;
  for (char c = 'a'; c <= 'z'; ++c)
    others += taken(table, std::string(1, c), start, 1);
  EXPECT_EQ(others, 9);
}

TEST(rate_table, where_all_is_taken_a_key_keeps_its_token) {
  rate_table table{{1, 1}, {0.001, 1}};
  EXPECT_TRUE(table.take("a", start));
  EXPECT_EQ(table.take("b", start).error(), errc::overloaded);
  EXPECT_TRUE(table.take("b", start + 1s));
}

TEST(rate_table, zero_is_no_limit) {
  rate_table table{unlimited, unlimited};
  EXPECT_EQ(taken(table, "a", start, 10'000), 10'000);
  EXPECT_TRUE(table.has("a", start));
  EXPECT_EQ(table.keys(), 0U);
}

TEST(rate_table, an_empty_key_takes_of_all_only) {
  rate_table table{{5, 5}, {1, 1}};
  EXPECT_EQ(taken(table, "", start, 10), 5);
  EXPECT_EQ(table.take("", start).error(), errc::overloaded);
  EXPECT_EQ(table.keys(), 0U);
}

TEST(rate_table, to_ask_takes_nothing) {
  rate_table table{unlimited, {1, 1}};
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(table.has("a", start));
  EXPECT_TRUE(table.take("a", start));
  EXPECT_FALSE(table.has("a", start));
  EXPECT_TRUE(table.has("a", start + 1s));
}

TEST(rate_table, a_rate_that_is_no_whole_number_of_nanoseconds_gives_its_burst) {
  for (double per_second : {3.0, 7.0, 10.0 / 60, 1.0 / 3, 999.0}) {
    rate_table table{unlimited, {per_second, 10}};
    EXPECT_EQ(taken(table, "a", start, 100), 10) << per_second;
  }
}

TEST(rate_table, over_time_gives_rate_times_time_plus_burst) {
  rate_table table{{100, 200}, unlimited};
  int n = 0;
  for (auto now = start; now <= start + 10s; now += 1ms)
    n += taken(table, "a", now, 3);
  EXPECT_NEAR(n, 200 + 10 * 100, 1);
}

TEST(rate_table, a_clock_that_steps_back_gives_nothing) {
  rate_table table{unlimited, {100, 1}};
  EXPECT_TRUE(table.take("a", start));
  EXPECT_FALSE(table.take("a", start - 1h));
  EXPECT_FALSE(table.take("a", start));
  EXPECT_TRUE(table.take("a", start + 10ms));
}

TEST(rate_table, forgets_keys_whose_buckets_are_full_again) {
  rate_table table{unlimited, {10, 10}};
  for (int i = 0; i < 1000; ++i)
    (void)table.take(std::to_string(i), start);
  EXPECT_EQ(table.keys(), 1000U);
  (void)table.take("x", start + 1100ms);
  (void)table.take("x", start + 2200ms);
  EXPECT_EQ(table.keys(), 1U);
}

TEST(rate_table, forgets_no_key_whose_bucket_is_not_full) {
  rate_table table{unlimited, {1, 10}};
  for (auto now = start; now < start + 60s; now += 100ms) {
    (void)table.take("busy", now);
    (void)table.take("other", now);
  }
  EXPECT_EQ(taken(table, "busy", start + 60s, 100), 1);
  EXPECT_EQ(taken(table, "other", start + 65s, 100), 6);
}

TEST(rate_table, remembers_no_more_keys_than_it_may) {
  rate_table table{unlimited, {1, 1}, 100};
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(table.take(std::to_string(i), start));
    ASSERT_LE(table.keys(), 100U);
  }
  EXPECT_FALSE(table.take("9999", start)) << "the newest are remembered";
  EXPECT_TRUE(table.take("0", start)) << "the oldest are forgiven";
}

TEST(rate_table, a_flood_of_keys_frees_none_that_is_still_used) {
  rate_table table{unlimited, {100, 100}, 100};
  int n = 0;
  for (int i = 0; i < 10'000; ++i) {
    (void)table.take("stranger " + std::to_string(i), start);
    n += taken(table, "busy", start, 1);
  }
  EXPECT_EQ(n, 100);
}

TEST(rate_table, gives_no_more_under_many_threads) {
  rate_table table{{1, 500}, {1, 300}};
  std::atomic<int> n{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, key = std::to_string(i % 2)] { n += taken(table, key, start, 1000); });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(n, 500);
}

} // namespace headway
