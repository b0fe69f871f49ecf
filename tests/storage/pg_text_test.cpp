#include "storage/pg_text.hpp"

#include <gtest/gtest.h>

namespace headway::test {

namespace {

using namespace std::string_literals;

std::string literal(std::initializer_list<std::string_view> texts) {
  pg_array out;
  for (auto text : texts)
    out.add(text);
  return out.literal();
}

TEST(pg_array, quotes_every_text) {
  EXPECT_EQ(literal({}), "{}");
  EXPECT_EQ(literal({""}), R"({""})");
  EXPECT_EQ(literal({"", ""}), R"({"",""})");
  EXPECT_EQ(literal({"NULL", "{}", "a,b", " "}), R"({"NULL","{}","a,b"," "})");
  EXPECT_EQ(literal({R"(a"b\c)"}), R"({"a\"b\\c"})");
  EXPECT_EQ(literal({"\n\xE6\xBC\xA2'"}), "{\"\n\xE6\xBC\xA2'\"}");
}

TEST(pg_array, writes_numbers_that_read_back_the_same) {
  pg_array out;
  out.add(std::int64_t{-1});
  out.add(std::uint64_t{UINT64_MAX});
  EXPECT_EQ(out.literal(), "{-1,9223372036854775807}");
  pg_array real;
  real.add(12.5);
  real.add(0.1);
  real.add(100.0);
  real.add(33.333333333333336);
  EXPECT_EQ(real.literal(), "{12.5,0.1,100,33.333333333333336}");
}

TEST(pg_array, goes_on_after_it_was_read) {
  pg_array out;
  out.add(std::int64_t{1});
  EXPECT_EQ(out.literal(), "{1}");
  EXPECT_EQ(out.literal(), "{1}");
  out.add(std::int64_t{2});
  EXPECT_EQ(out.literal(), "{1,2}");
}

TEST(pg_text, keeps_all_of_utf8) {
  for (auto text : {"", "plain", "\x01\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                    "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_EQ(pg_text(text), text);
}

TEST(pg_text, replaces_what_postgres_refuses) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(pg_text("a\0b"s), "a" + bad + "b");
  EXPECT_EQ(pg_text("\xff"), bad);
  EXPECT_EQ(pg_text("\x80x"), bad + "x");
  EXPECT_EQ(pg_text("\xC1\x81"), bad + bad);                     // overlong
  EXPECT_EQ(pg_text("\xE0\x80\x80"), bad + bad + bad);           // overlong
  EXPECT_EQ(pg_text("\xED\xA0\x80"), bad + bad + bad);           // a surrogate
  EXPECT_EQ(pg_text("\xF4\x90\x80\x80"), bad + bad + bad + bad); // beyond U+10FFFF
  EXPECT_EQ(pg_text("\xE6\xBC"), bad + bad);                     // cut off
  EXPECT_EQ(pg_text("\xE6\""), bad + "\"");
}

} // namespace

} // namespace headway::test
