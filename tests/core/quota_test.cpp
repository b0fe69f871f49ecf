#include "core/quota.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace headway {

TEST(quota, gives_no_more_than_the_total) {
  quota q{2, 0};
  auto a = q.take("a");
  auto b = q.take("b");
  ASSERT_TRUE(a && b);
  EXPECT_EQ(q.take("c").error(), errc::overloaded);
  EXPECT_EQ(q.total(), 2U);
}

TEST(quota, gives_no_key_more_than_its_share) {
  quota q{0, 2};
  auto first = q.take("a");
  auto second = q.take("a");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(q.take("a").error(), errc::rate_limited);
  EXPECT_TRUE(q.take("b"));
}

TEST(quota, a_key_that_has_all_hears_of_its_own_limit_first) {
  quota q{1, 1};
  auto held = q.take("a");
  EXPECT_EQ(q.take("a").error(), errc::rate_limited);
  EXPECT_EQ(q.take("b").error(), errc::overloaded);
}

TEST(quota, a_place_is_free_when_its_last_copy_goes) {
  quota q{1, 0};
  place copy;
  {
    auto held = q.take("a");
    ASSERT_TRUE(held);
    copy = *held;
  }
  EXPECT_FALSE(q.take("a"));
  copy.reset();
  EXPECT_EQ(q.total(), 0U);
  EXPECT_TRUE(q.take("a"));
}

TEST(quota, a_refusal_takes_nothing) {
  quota q{2, 1};
  auto held = q.take("a");
  for (int i = 0; i < 10; ++i)
    EXPECT_FALSE(q.take("a"));
  EXPECT_EQ(q.total(), 1U);
  EXPECT_EQ(q.total("a"), 1U);
}

TEST(quota, zero_is_no_limit) {
  quota q{0, 0};
  std::vector<place> held;
  for (int i = 0; i < 10'000; ++i)
    held.push_back(*q.take("a"));
  EXPECT_EQ(q.total("a"), 10'000U);
}

TEST(quota, an_empty_key_counts_in_the_total_only) {
  quota q{3, 1};
  auto a = q.take("");
  auto b = q.take("");
  auto c = q.take("");
  EXPECT_TRUE(a && b && c);
  EXPECT_EQ(q.keys(), 0U);
  EXPECT_EQ(q.take("").error(), errc::overloaded);
}

TEST(quota, forgets_a_key_without_places) {
  quota q{0, 0};
  for (int i = 0; i < 1000; ++i)
    EXPECT_TRUE(q.take("key " + std::to_string(i)));
  EXPECT_EQ(q.keys(), 0U);
  EXPECT_EQ(q.total(), 0U);
}

TEST(quota, a_place_may_outlive_its_quota) {
  std::optional<quota> q{std::in_place, 1, 1};
  auto held = *q->take("a");
  q.reset();
  held.reset();
}

TEST(quota, holds_its_limits_and_its_count_under_many_threads) {
  constexpr std::size_t total_max = 20;
  constexpr std::size_t per_key_max = 6;
  quota q{total_max, per_key_max};
  std::atomic<bool> broken{false};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random{seed};
      std::vector<place> held;
      for (int i = 0; i < 5000; ++i) {
        auto key = std::to_string(random() % 5);
        if (auto taken = q.take(key); taken && random() % 2 == 0)
          held.push_back(*taken);
        if (q.total() > total_max || q.total(key) > per_key_max)
          broken = true;
        if (held.size() > 4)
          held.erase(held.begin());
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_FALSE(broken);
  EXPECT_EQ(q.total(), 0U);
  EXPECT_EQ(q.keys(), 0U);
}

} // namespace headway
