#include "net/protocol/base64.hpp"

#include <gtest/gtest.h>

namespace headway {
namespace {

TEST(base64, encodes_as_rfc_4648_does) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foo"), "Zm9v");
  EXPECT_EQ(base64_encode("\x01\x02\x03\x04"), "AQIDBA==");
  EXPECT_EQ(base64_encode("\xfb\xff"), "+/8=");
}

TEST(base64, decodes_what_it_encodes) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(base64_decode(base64_encode(bytes)).value(), bytes) << i;
    bytes += static_cast<char>(i);
  }
}

TEST(base64, refuses_what_is_not_strictly_base64) {
  for (auto* text : {"A", "AA", "AAA", "A===", "====", "=", "AA=A", "AAAA=", "AAAA====", " AAAA", "AAA ", "AAAA\n",
                     "AA\nA", "AQID*A==", "-_8=", "Zh==", "Zm9=", "AQ==AQ==", "AQIDBA"})
    EXPECT_FALSE(base64_decode(text)) << text;
  EXPECT_FALSE(base64_decode(std::string(4, '\0')));
}

TEST(base64url, has_its_own_alphabet_and_no_padding) {
  EXPECT_EQ(base64url_decode("-_8").value(), "\xfb\xff");
  EXPECT_EQ(base64url_decode("Zg").value(), "f");
  EXPECT_EQ(base64url_decode("").value(), "");
  for (auto* text : {"+/8", "Zg==", "Zm8=", "Z", "Zh", "Zg ", "Z g", "Zm9v\n"})
    EXPECT_FALSE(base64url_decode(text)) << text;
}

} // namespace
} // namespace headway
