#include "net/protocol/http.hpp"

#include <gtest/gtest.h>

namespace headway {
namespace {

TEST(http, problem_is_rfc_9457) {
  auto answer = problem(errc::job_ended, "job 42 is completed");
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.content_type, "application/problem+json");
  EXPECT_EQ(answer.body, R"({"type":"about:blank","title":"Conflict","status":409,"code":"job_ended",)"
                         R"("detail":"job 42 is completed"})");
}

TEST(http, problem_without_detail_says_what_the_table_says) {
  auto body = parse_json(problem(errc::auth_missing).body).value();
  EXPECT_EQ(*find_text(body, "detail"), text(errc::auth_missing));
  EXPECT_EQ(*find_text(body, "title"), "Unauthorized");
}

TEST(http, every_error_has_a_title_of_its_own_status) {
  for (int i = 1; i <= static_cast<int>(errc::stale_seq); ++i) {
    auto code = static_cast<errc>(i);
    auto body = parse_json(problem(code).body).value();
    EXPECT_EQ(*find_text(body, "title") == "Internal Server Error", http_status(code) == 500) << name(code);
  }
}

TEST(http, detail_of_broken_utf8_does_not_throw) { EXPECT_TRUE(parse_json(problem(errc::not_found, "\xff\xfe").body)); }

TEST(http, json_answer_is_compact) {
  auto answer = json_answer(202, json{{"held", true}});
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(answer.body, R"({"held":true})");
}

TEST(percent_decode, decodes_and_keeps_plus) {
  EXPECT_EQ(percent_decode("a%20b+c%2F%e4").value(), "a b+c/\xe4");
  EXPECT_EQ(percent_decode("").value(), "");
}

TEST(percent_decode, refuses_broken_escapes) {
  for (auto* text : {"%", "%4", "a%", "%zz", "%4g", "%-1", "%+1", "% 1", "%0x"})
    EXPECT_FALSE(percent_decode(text)) << text;
}

TEST(query_params, decodes_names_and_values) {
  query_params params{"EIO=4&transport=polling&na%6De=a+b%26c&empty=&flag"};
  EXPECT_EQ(params.get("EIO"), "4");
  EXPECT_EQ(params.get("name"), "a b&c");
  EXPECT_EQ(params.get("empty"), "");
  EXPECT_TRUE(params.has("empty"));
  EXPECT_TRUE(params.has("flag"));
  EXPECT_FALSE(params.has("sid"));
  EXPECT_EQ(params.get("sid"), "");
}

TEST(query_params, last_of_duplicates_wins) { EXPECT_EQ(query_params{"EIO=3&EIO=4"}.get("EIO"), "4"); }

TEST(query_params, keeps_the_order_that_tells_client_families_apart) {
  query_params params{"transport=polling&EIO=4&&sid=x&"};
  ASSERT_EQ(params.all().size(), 3U);
  EXPECT_EQ(params.all()[0].first, "transport");
  EXPECT_EQ(params.all()[2].second, "x");
}

TEST(query_params, keeps_broken_escapes_and_values_with_equals) {
  query_params params{"a=%&b=%zz&c=1=2&=v&%"};
  EXPECT_EQ(params.get("a"), "%");
  EXPECT_EQ(params.get("b"), "%zz");
  EXPECT_EQ(params.get("c"), "1=2");
  EXPECT_EQ(params.get(""), "v");
  EXPECT_TRUE(params.has("%"));
}

} // namespace
} // namespace headway
