#include "core/log.hpp"

#include "core/json.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

namespace headway {

namespace {

/// What `write` puts on standard error.
template <class Write>
std::string logged(Write write) {
  testing::internal::CaptureStderr();
  write();
  return testing::internal::GetCapturedStderr();
}

class log_line : public testing::Test {
protected:
  void SetUp() override { ASSERT_TRUE(log::set_level("info")); }
  void TearDown() override { log::set_level("info"); }
};

} // namespace

TEST_F(log_line, is_one_json_object_with_the_fields_in_order) {
  auto text = logged([] {
    log::warn("connection.slow",
              {{"sid", "abc"}, {"queued_bytes", 12U}, {"delta", -1}, {"ratio", 0.5}, {"ended", true}});
  });
  ASSERT_EQ(std::ranges::count(text, '\n'), 1);
  auto line = parse_json(text);
  ASSERT_TRUE(line) << text;
  EXPECT_EQ((*line)["event"], "connection.slow");
  EXPECT_EQ((*line)["sid"], "abc");
  EXPECT_EQ((*line)["queued_bytes"], 12);
  EXPECT_EQ((*line)["delta"], -1);
  EXPECT_EQ((*line)["ratio"], 0.5);
  EXPECT_EQ((*line)["ended"], true);
  EXPECT_TRUE(text.starts_with("{\"time\":\"2")) << text;
  EXPECT_LT(text.find("\"level\""), text.find("\"event\""));
  EXPECT_LT(text.find("\"event\""), text.find("\"sid\""));
}

TEST_F(log_line, repeated_complaints_are_counted) {
  auto text = logged([] {
    for (int i = 0; i < 100; ++i)
      log::warn("test.repeated");
  });
  auto lines = std::ranges::count(text, '\n');
  EXPECT_GE(lines, 10);
  EXPECT_LE(lines, 20); // the second may end in between
}

TEST_F(log_line, cannot_be_forged_nor_move_a_terminals_cursor) {
  std::string hostile = "a\nb\r\x1b[31mred\x7f\x9b\u2028\u202e";
  auto text = logged([&] { log::info("test", {{"value", hostile}}); });
  ASSERT_EQ(std::ranges::count(text, '\n'), 1);
  for (unsigned char c : text.substr(0, text.size() - 1))
    ASSERT_TRUE(c >= 0x20 && c < 0x7F) << static_cast<int>(c) << " in " << text;
}

TEST_F(log_line, is_no_format_string) {
  auto text = logged([] { log::info("test", {{"value", "{} {0} {:x} %s"}}); });
  EXPECT_NE(text.find("{} {0} {:x} %s"), std::string::npos) << text;
}

TEST_F(log_line, replaces_invalid_utf8_and_what_json_has_no_word_for) {
  auto text = logged([] {
    log::info("test", {{"value", std::string_view{"\xFF\xFE"}}, {"nan", std::numeric_limits<double>::quiet_NaN()}});
  });
  ASSERT_TRUE(parse_json(text)) << text;
}

TEST_F(log_line, cuts_long_values) {
  auto text = logged([] { log::info("test", {{"value", std::string(100'000, 'x')}}); });
  EXPECT_LT(text.size(), 1000U);
  ASSERT_TRUE(parse_json(text));
}

TEST_F(log_line, is_written_from_its_level_on) {
  ASSERT_TRUE(log::set_level("warn"));
  EXPECT_EQ(logged([] { log::info("quiet"); }), "");
  EXPECT_NE(logged([] { log::warn("loud"); }), "");
  EXPECT_NE(logged([] { log::error("loud"); }), "");
  ASSERT_TRUE(log::set_level("debug"));
  EXPECT_NE(logged([] { log::debug("loud"); }), "");
  ASSERT_TRUE(log::set_level("off"));
  EXPECT_EQ(logged([] { log::error("quiet"); }), "");
}

TEST_F(log_line, keeps_its_level_when_asked_for_an_unknown_one) {
  EXPECT_FALSE(log::set_level("chatty"));
  EXPECT_FALSE(log::set_level(""));
  EXPECT_NE(logged([] { log::info("loud"); }), "");
}

} // namespace headway
