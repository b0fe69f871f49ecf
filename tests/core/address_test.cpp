#include "core/address.hpp"

#include <gtest/gtest.h>

namespace headway {

namespace {

std::string parsed(std::string_view text) {
  auto address = ip_address::parse(text);
  return address ? address->to_string() : "none";
}

bool is_in(std::string_view network, std::string_view address) {
  return trusted_proxies{{std::string{network}}}.contains(address);
}

/// What a server behind 10.0.0.0/8 and ::1 believes.
std::string client(std::string_view peer, std::string_view forwarded) {
  return trusted_proxies{{"10.0.0.0/8", "::1"}}.client_address(peer, forwarded);
}

} // namespace

TEST(ip_address, reads_both_families_and_writes_them_in_one_way) {
  EXPECT_EQ(parsed("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(parsed("2001:0DB8:0:0::1"), "2001:db8::1");
  EXPECT_EQ(parsed("::"), "::");
  EXPECT_EQ(parsed("fe80::1%eth0"), "fe80::1");
}

TEST(ip_address, v4_within_v6_is_v4) {
  EXPECT_EQ(parsed("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(parsed("::ffff:c000:201"), "192.0.2.1");
  EXPECT_EQ(*ip_address::parse("::ffff:192.0.2.1"), *ip_address::parse("192.0.2.1"));
  EXPECT_TRUE(ip_address::parse("::ffff:192.0.2.1")->is_v4());
  EXPECT_FALSE(ip_address::parse("::192.0.2.1")->is_v4());
}

TEST(ip_address, anything_else_is_none) {
  using namespace std::string_view_literals;
  for (auto text : {""sv, "localhost"sv, "192.0.2"sv, "192.0.2.256"sv, "192.0.2.01"sv, "0x7f.0.0.1"sv, "2130706433"sv,
                    "192.0.2.1%eth0"sv, "192.0.2.1:80"sv, "[::1]"sv, " ::1"sv, ":::1"sv, "1:2:3:4:5:6:7:8:9"sv,
                    "192.0.2.1\0"sv, "192.0.2.1\n"sv, "unknown"sv, "%"sv})
    EXPECT_EQ(parsed(text), "none") << text;
}

TEST(ip_network, contains_what_has_its_prefix) {
  EXPECT_TRUE(is_in("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(is_in("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(is_in("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(is_in("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(is_in("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(is_in("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(ip_network, a_bare_address_is_a_network_of_one) {
  EXPECT_TRUE(is_in("192.0.2.1", "192.0.2.1"));
  EXPECT_TRUE(is_in("192.0.2.1/32", "::ffff:192.0.2.1"));
  EXPECT_FALSE(is_in("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(is_in("::1", "::1"));
  EXPECT_FALSE(is_in("::1", "::2"));
}

TEST(ip_network, the_families_stay_apart) {
  EXPECT_FALSE(is_in("10.0.0.0/8", "a00::1"));
  EXPECT_FALSE(is_in("2000::/3", "32.0.0.1"));
  EXPECT_TRUE(is_in("::ffff:10.0.0.0/104", "10.1.2.3"));
}

TEST(ip_network, ignores_bits_behind_its_prefix) { EXPECT_TRUE(is_in("10.0.0.7/24", "10.0.0.200")); }

TEST(ip_network, refuses_what_is_none_or_anybody) {
  for (auto text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/ 8", "10.0.0/8",
                    "2001:db8::/129", "proxy.internal", "*", "0.0.0.0/0", "::/0"})
    EXPECT_FALSE(ip_network::parse(text)) << text;
}

TEST(limit_key, v4_counts_alone_v6_by_its_64) {
  EXPECT_EQ(limit_key("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(limit_key("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(limit_key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(limit_key("2001:db8:1:2:ffff::"), "2001:db8:1:2::/64");
  EXPECT_NE(limit_key("2001:db8:1:3::"), "2001:db8:1:2::/64");
  EXPECT_EQ(limit_key("a socket"), "a socket");
}

TEST(client_address, a_stranger_is_not_believed) {
  EXPECT_EQ(client("203.0.113.5", "198.51.100.9"), "203.0.113.5");
  EXPECT_EQ(client("203.0.113.5", "10.0.0.1"), "203.0.113.5");
  EXPECT_EQ(trusted_proxies{}.client_address("127.0.0.1", "198.51.100.9"), "127.0.0.1");
}

TEST(client_address, a_proxy_says_who_came) {
  EXPECT_EQ(client("10.0.0.1", "198.51.100.9"), "198.51.100.9");
  EXPECT_EQ(client("::1", "2001:db8::9"), "2001:db8::9");
  EXPECT_EQ(client("::ffff:10.0.0.1", "198.51.100.9"), "198.51.100.9");
}

TEST(client_address, only_the_last_that_no_proxy_is_counts) {
  EXPECT_EQ(client("10.0.0.1", "192.0.2.66, 198.51.100.9"), "198.51.100.9");
  EXPECT_EQ(client("10.0.0.1", "192.0.2.66,198.51.100.9 ,10.0.0.2,\t::1"), "198.51.100.9");
  EXPECT_EQ(client("10.0.0.1", "<script>, 198.51.100.9"), "198.51.100.9");
}

TEST(client_address, the_first_where_all_are_proxies) {
  EXPECT_EQ(client("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3");
  EXPECT_EQ(client("10.0.0.1", ""), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", " \t"), "10.0.0.1");
}

TEST(client_address, a_port_is_dropped) {
  EXPECT_EQ(client("10.0.0.1", "198.51.100.9:4711"), "198.51.100.9");
  EXPECT_EQ(client("10.0.0.1", "[2001:db8::9]:4711"), "2001:db8::9");
  EXPECT_EQ(client("10.0.0.1", "[2001:db8::9]"), "2001:db8::9");
}

TEST(client_address, garbage_leaves_the_peer) {
  for (auto text : {"unknown", "198.51.100.9, unknown", "198.51.100.9,", "_hidden, 10.0.0.2", "198.51.100.9 10.0.0.2",
                    "[::1", "for=198.51.100.9"})
    EXPECT_EQ(client("10.0.0.1", text), "10.0.0.1") << text;
  EXPECT_EQ(client("a socket", "198.51.100.9"), "a socket");
}

} // namespace headway
