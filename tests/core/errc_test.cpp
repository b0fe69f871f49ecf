#include "core/errc.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace headway {

namespace {

/// A new enumerator that is missing here does not compile (-Wswitch), so nobody forgets its row.
bool is_enumerator(errc code) {
  switch (code) {
    case errc::bad_request:
    case errc::bad_json:
    case errc::json_limit:
    case errc::invalid_field:
    case errc::invalid_job_id:
    case errc::auth_missing:
    case errc::auth_invalid:
    case errc::auth_expired:
    case errc::forbidden:
    case errc::not_found:
    case errc::method_not_allowed:
    case errc::request_timeout:
    case errc::job_exists:
    case errc::job_ended:
    case errc::illegal_transition:
    case errc::payload_too_large:
    case errc::uri_too_long:
    case errc::unsupported_media_type:
    case errc::out_of_range:
    case errc::rate_limited:
    case errc::header_too_large:
    case errc::internal:
    case errc::store_unavailable:
    case errc::overloaded:
    case errc::shutting_down:
    case errc::too_many_fragments:
    case errc::too_many_subscriptions:
    case errc::upgrade_required:
    case errc::stale_seq: return true;
  }
  return false;
}

std::vector<errc> all_codes() {
  std::vector<errc> codes;
  for (int n = 0; n < 256; ++n)
    if (is_enumerator(static_cast<errc>(n)))
      codes.push_back(static_cast<errc>(n));
  return codes;
}

} // namespace

TEST(errc_table, every_error_has_its_own_row) {
  for (auto code : all_codes())
    EXPECT_EQ(info(code).code, code) << "errc " << static_cast<int>(code) << " got the row of " << name(code);
}

TEST(errc_table, names_are_unique_and_snake_case) {
  std::set<std::string_view> seen;
  for (auto code : all_codes()) {
    EXPECT_TRUE(seen.insert(name(code)).second) << name(code);
    EXPECT_EQ(name(code).find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << name(code);
  }
}

TEST(errc_table, statuses_are_http_errors_and_close_codes_may_be_sent) {
  for (auto code : all_codes()) {
    EXPECT_GE(http_status(code), 400) << name(code);
    EXPECT_LT(http_status(code), 600) << name(code);
    auto close = info(code).close_code;
    EXPECT_GE(close, 1001) << name(code);
    EXPECT_LE(close, 4999) << name(code);
    EXPECT_NE(close, 1005) << "reserved: must never be sent";
    EXPECT_NE(close, 1006) << "reserved: must never be sent";
  }
}

TEST(errc_table, texts_are_sentences) {
  for (auto code : all_codes()) {
    ASSERT_FALSE(text(code).empty()) << name(code);
    EXPECT_EQ(text(code).back(), '.') << text(code);
  }
}

TEST(errc_table, what_may_not_be_seen_looks_like_what_is_not_there) {
  EXPECT_EQ(http_status(errc::not_found), 404);
  EXPECT_EQ(text(errc::not_found), "Not found, or not yours.");
}

TEST(errc_table, an_unknown_value_is_an_internal_error) {
  EXPECT_EQ(info(static_cast<errc>(0)).code, errc::internal);
  EXPECT_EQ(info(static_cast<errc>(255)).code, errc::internal);
}

TEST(result, asking_an_error_for_its_value_throws_and_says_which) {
  result<int> wrong = errc::not_found;
  try {
    (void)wrong.value();
    FAIL() << "must throw";
  } catch (const std::logic_error& e) {
    EXPECT_NE(std::string{e.what()}.find("not_found"), std::string::npos) << e.what();
  }
}

} // namespace headway
