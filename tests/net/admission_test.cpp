#include "net/transport/admission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace headway {

namespace {

using namespace std::chrono_literals;

constexpr steady_time start{1h};
constexpr auto alice = "192.0.2.1";
constexpr auto bob = "192.0.2.2";
constexpr auto proxy = "10.0.0.1";

/// Everything passes but what a test limits.
constexpr admission_limits no_limits{0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

class admission_test : public testing::Test {
protected:
  admission& with(const admission_limits& limits) {
    return door_.emplace(limits, trusted_proxies{{"10.0.0.0/8"}}, counters_);
  }

  int opened(const char* address, steady_time now, int tries) {
    int n = 0;
    for (int i = 0; i < tries; ++i) {
      if (auto taken = door_->open(address, now)) {
        held_.push_back(*taken);
        ++n;
      }
    }
    return n;
  }

  /// How many attempts are let through; each of them fails.
  int guessed(const char* address, steady_time now, int tries) {
    int n = 0;
    for (int i = 0; i < tries; ++i) {
      if (door_->may_log_in(address, now)) {
        door_->login_failed(address, now);
        ++n;
      }
    }
    return n;
  }

  double refused(const std::string& reason) { return counters_.refused(reason).Value(); }

  metrics counters_;
  std::vector<place> held_;

private:
  std::optional<admission> door_;
};

} // namespace

// -- sessions -----------------------------------------------------------------------------------------------------

TEST_F(admission_test, a_full_house_is_overloaded) {
  auto limits = no_limits;
  limits.connections = 2;
  auto& door = with(limits);
  EXPECT_EQ(opened(alice, start, 1), 1);
  EXPECT_EQ(opened(bob, start, 1), 1);
  EXPECT_EQ(door.open("192.0.2.3", start).error(), errc::overloaded);
  EXPECT_EQ(refused("connections"), 1);
}

TEST_F(admission_test, an_address_has_its_share_of_sessions) {
  auto limits = no_limits;
  limits.connections_per_address = 3;
  auto& door = with(limits);
  EXPECT_EQ(opened(alice, start, 10), 3);
  EXPECT_EQ(door.open(alice, start).error(), errc::rate_limited);
  EXPECT_EQ(opened(bob, start, 1), 1);
  EXPECT_EQ(refused("connections_per_address"), 8);
}

TEST_F(admission_test, who_leaves_makes_room) {
  auto limits = no_limits;
  limits.connections = 1;
  limits.connections_per_address = 1;
  with(limits);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(opened(alice, start, 1), 1);
    held_.clear();
  }
}

TEST_F(admission_test, addresses_of_one_v6_customer_count_as_one) {
  auto limits = no_limits;
  limits.connections_per_address = 2;
  with(limits);
  EXPECT_EQ(opened("2001:db8:1:2::1", start, 1), 1);
  EXPECT_EQ(opened("2001:db8:1:2::2", start, 1), 1);
  EXPECT_EQ(opened("2001:db8:1:2::3", start, 1), 0);
  EXPECT_EQ(opened("2001:db8:1:3::1", start, 1), 1);
}

TEST_F(admission_test, sessions_come_no_faster_than_they_may) {
  auto limits = no_limits;
  limits.connections_per_second = 10;
  auto& door = with(limits);
  EXPECT_EQ(opened(alice, start, 100), 10);
  EXPECT_EQ(door.open(bob, start).error(), errc::overloaded);
  EXPECT_EQ(opened(bob, start + 500ms, 100), 5);
  EXPECT_EQ(refused("connection_rate"), 90 + 1 + 95);
}

TEST_F(admission_test, an_address_that_comes_too_fast_does_not_slow_the_others) {
  auto limits = no_limits;
  limits.connections_per_second = 10;
  limits.connections_per_address_per_second = 4;
  auto& door = with(limits);
  EXPECT_EQ(opened(alice, start, 100), 4);
  EXPECT_EQ(door.open(alice, start).error(), errc::rate_limited);
  EXPECT_EQ(opened(bob, start, 100), 4);
  EXPECT_EQ(opened("192.0.2.3", start, 1), 1);
  EXPECT_EQ(refused("connection_rate_per_address"), 96 + 1 + 96);
}

TEST_F(admission_test, who_came_too_fast_holds_no_place) {
  auto limits = no_limits;
  limits.connections = 3;
  limits.connections_per_second = 2;
  auto& door = with(limits);
  EXPECT_EQ(opened(alice, start, 100), 2);
  EXPECT_TRUE(door.open(alice, start + 1s));
}

// -- TCP ----------------------------------------------------------------------------------------------------------

TEST_F(admission_test, tcp_connections_have_limits_of_their_own) {
  auto limits = no_limits;
  limits.tcp_connections = 3;
  limits.tcp_connections_per_address = 2;
  limits.connections = 1;
  auto& door = with(limits);
  auto a = door.accept(alice, start);
  auto b = door.accept(alice, start);
  EXPECT_TRUE(a && b);
  EXPECT_EQ(door.accept(alice, start).error(), errc::rate_limited);
  auto c = door.accept(bob, start);
  EXPECT_TRUE(c);
  EXPECT_EQ(door.accept(bob, start).error(), errc::overloaded);
  EXPECT_EQ(opened(alice, start, 2), 1);
  EXPECT_EQ(refused("tcp_connections"), 1);
  EXPECT_EQ(refused("tcp_connections_per_address"), 1);
}

TEST_F(admission_test, accepts_come_no_faster_than_they_may) {
  auto limits = no_limits;
  limits.accepts_per_second = 3;
  limits.accepts_per_address_per_second = 2;
  auto& door = with(limits);
  EXPECT_TRUE(door.accept(alice, start));
  EXPECT_TRUE(door.accept(alice, start));
  EXPECT_EQ(door.accept(alice, start).error(), errc::rate_limited);
  EXPECT_TRUE(door.accept(bob, start));
  EXPECT_EQ(door.accept(bob, start).error(), errc::overloaded);
  EXPECT_TRUE(door.accept(bob, start + 500ms));
  EXPECT_EQ(refused("accept_rate"), 1);
  EXPECT_EQ(refused("accept_rate_per_address"), 1);
}

TEST_F(admission_test, a_trusted_proxy_counts_in_the_totals_only) {
  auto limits = no_limits;
  limits.tcp_connections = 5;
  limits.tcp_connections_per_address = 1;
  limits.accepts_per_address_per_second = 1;
  auto& door = with(limits);
  for (int i = 0; i < 5; ++i)
    held_.push_back(door.accept(proxy, start).value());
  EXPECT_EQ(door.accept(proxy, start).error(), errc::overloaded);
}

// -- users --------------------------------------------------------------------------------------------------------

TEST_F(admission_test, a_user_has_its_share_wherever_it_comes_from) {
  auto limits = no_limits;
  limits.connections_per_user = 2;
  auto& door = with(limits);
  auto a = door.admit_user("u1");
  auto b = door.admit_user("u1");
  EXPECT_TRUE(a && b);
  EXPECT_EQ(door.admit_user("u1").error(), errc::rate_limited);
  EXPECT_TRUE(door.admit_user("u2"));
  EXPECT_EQ(refused("connections_per_user"), 1);
}

// -- logins -------------------------------------------------------------------------------------------------------

TEST_F(admission_test, after_ten_wrong_guesses_one_a_second_is_let_through) {
  auto limits = no_limits;
  limits.failed_logins_per_minute = 10;
  auto& door = with(limits);
  EXPECT_EQ(guessed(alice, start, 100), 10 + 1);
  EXPECT_EQ(door.may_log_in(alice, start).error(), errc::rate_limited);
  EXPECT_EQ(guessed(alice, start + 1s, 100), 1);
  EXPECT_EQ(guessed(alice, start + 2s, 100), 1);
  EXPECT_EQ(guessed(bob, start + 2s, 1), 1);
  EXPECT_GT(refused("logins"), 0);
}

TEST_F(admission_test, over_time_guesses_are_few) {
  auto limits = no_limits;
  limits.failed_logins_per_minute = 10;
  with(limits);
  int n = 0;
  for (auto now = start; now < start + 10min; now += 100ms)
    n += guessed(alice, now, 1);
  EXPECT_LE(n, 600 + 10 + 10 * 10);
}

TEST_F(admission_test, a_minute_without_failures_is_forgiving) {
  auto limits = no_limits;
  limits.failed_logins_per_minute = 10;
  with(limits);
  guessed(alice, start, 100);
  EXPECT_EQ(guessed(alice, start + 60s, 100), 10 + 1);
}

TEST_F(admission_test, logins_that_succeed_are_not_counted) {
  auto limits = no_limits;
  limits.failed_logins_per_minute = 10;
  auto& door = with(limits);
  for (int i = 0; i < 10'000; ++i)
    ASSERT_TRUE(door.may_log_in(alice, start));
}

// -- the rest -----------------------------------------------------------------------------------------------------

TEST_F(admission_test, zeros_limit_nothing) {
  auto& door = with(no_limits);
  EXPECT_EQ(opened(alice, start, 1000), 1000);
  EXPECT_EQ(guessed(alice, start, 1000), 1000);
  for (int i = 0; i < 1000; ++i) {
    held_.push_back(door.accept(alice, start).value());
    held_.push_back(door.admit_user("u1").value());
  }
}

TEST_F(admission_test, every_reason_is_counted_from_the_start) {
  with({});
  auto text = counters_.render();
  for (const auto* reason : {"connections", "connections_per_address", "connections_per_user", "connection_rate",
                             "connection_rate_per_address", "tcp_connections", "tcp_connections_per_address",
                             "accept_rate", "accept_rate_per_address", "logins"})
    EXPECT_THAT(text, testing::HasSubstr("headway_refused_total{reason=\"" + std::string{reason} + "\"} 0\n"));
}

TEST_F(admission_test, those_who_are_refused_come_back_at_different_times) {
  std::set<std::chrono::seconds> seen;
  for (int i = 0; i < 1000; ++i)
    seen.insert(admission::retry_after());
  EXPECT_THAT(seen, testing::ElementsAre(1s, 2s, 3s, 4s, 5s));
}

} // namespace headway
