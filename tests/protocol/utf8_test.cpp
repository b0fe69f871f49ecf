#include "net/protocol/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace headway {
namespace {

using namespace std::string_literals;

TEST(utf8, takes_every_length_and_its_bounds) {
  for (auto& text : {""s, "a"s, "\0"s, "\x7f"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
                     "\xee\x80\x80"s, "\xef\xbf\xbf"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s, "aä€😀"s})
    EXPECT_TRUE(is_utf8(text)) << text;
}

TEST(utf8, refuses_what_rfc_3629_does_not_know) {
  for (auto& text :
       {"\x80"s, "\xbf"s, "a\x80"s, "\xc2"s, "\xc2z"s, "\xe2\x82"s, "\xf0\x9f\x98"s, "\xe2z\x82"s, // cut or stray
        "\xc0\x80"s, "\xc1\xbf"s, "\xe0\x9f\xbf"s, "\xf0\x8f\xbf\xbf"s,                            // overlong
        "\xed\xa0\x80"s, "\xed\xbf\xbf"s,                                                          // surrogates
        "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s, "\xff"s, "\xfe"s})                               // too large
    EXPECT_FALSE(is_utf8(text)) << text;
}

TEST(utf8, is_cut_between_characters) {
  EXPECT_EQ(utf8_start("abc", 3), "abc");
  EXPECT_EQ(utf8_start("abc", 2), "ab");
  EXPECT_EQ(utf8_start("a€b", 4), "a€");
  EXPECT_EQ(utf8_start("a€b", 3), "a");
  EXPECT_EQ(utf8_start("a€b", 2), "a");
  EXPECT_EQ(utf8_start("€", 2), "");
  EXPECT_EQ(utf8_start("\x80\x80\x80", 2), "");
}

} // namespace
} // namespace headway
