#include "net/transport/http_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headway {

namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const http_answer ok{200, "text/plain", "ok", {}};

} // namespace

TEST(http_text, has_a_status_line_the_length_and_the_body) {
  auto text = to_text(ok, "", true, false);
  EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n"));
  EXPECT_THAT(text, EndsWith("\r\n\r\nok"));
}

TEST(http_text, is_not_cached_unless_it_says_otherwise) {
  EXPECT_THAT(to_text(ok, "", true, false), HasSubstr("\r\nCache-Control: no-store\r\n"));
  auto kept = ok;
  kept.headers.emplace_back("Cache-Control", "max-age=60");
  EXPECT_THAT(to_text(kept, "", true, false), Not(HasSubstr("no-store")));
}

TEST(http_text, a_head_has_the_length_without_the_body) {
  EXPECT_THAT(to_text(ok, "", true, true), HasSubstr("Content-Length: 2\r\n"));
  EXPECT_THAT(to_text(ok, "", true, true), EndsWith("\r\n\r\n"));
}

TEST(http_text, the_last_answer_says_so) {
  EXPECT_THAT(to_text(ok, "", false, false), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(to_text(ok, "", true, false), Not(HasSubstr("Connection:")));
}

TEST(http_text, credentials_go_with_a_named_origin_never_with_a_star) {
  auto named = to_text(ok, "https://a.example", true, false);
  EXPECT_THAT(named, HasSubstr("Access-Control-Allow-Origin: https://a.example\r\n"));
  EXPECT_THAT(named, HasSubstr("Access-Control-Allow-Credentials: true\r\n"));
  EXPECT_THAT(named, HasSubstr("Vary: Origin\r\n"));
  auto star = to_text(ok, "*", true, false);
  EXPECT_THAT(star, HasSubstr("Access-Control-Allow-Origin: *\r\n"));
  EXPECT_THAT(star, Not(HasSubstr("Credentials")));
  EXPECT_THAT(to_text(ok, "", true, false), Not(HasSubstr("Access-Control")));
}

} // namespace headway
