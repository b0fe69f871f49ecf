#include "net/api/body.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace headway {

namespace {

using testing::HasSubstr;
using testing::Optional;

constexpr epoch_ms now = 1'790'000'000'000;

std::string text_of(std::size_t bytes) { return std::string(bytes, 'x'); }
template <class T>
T good(body_result<T> read) {
  if (!read)
    throw std::runtime_error{read.error().detail};
  return std::move(*read);
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

// -- ids ----------------------------------------------------------------------------------------------------------

TEST(read_id, takes_texts_and_whole_numbers) {
  EXPECT_THAT(read_id("a-1_B.c:d"), Optional(std::string{"a-1_B.c:d"}));
  EXPECT_THAT(read_id(json::parse("42")), Optional(std::string{"42"}));
  EXPECT_THAT(read_id(json::parse("0")), Optional(std::string{"0"}));
  EXPECT_THAT(read_id(json::parse("9007199254740991")), Optional(std::string{"9007199254740991"}));
  EXPECT_THAT(read_id(text_of(128)), Optional(text_of(128)));
}

TEST(read_id, refuses_everything_else) {
  for (const auto* bad : {"-1", "1.5", "1e3", "9007199254740992", "18446744073709551616", "null", "true", "[]", "{}",
                          "\"\"", "\"a b\"", "\"a/b\"", "\"a\\u0000\"", "\"ä\"", "\"a\\n\""})
    EXPECT_FALSE(read_id(json::parse(bad))) << bad;
  EXPECT_FALSE(read_id(text_of(129)));
}

// -- creation -----------------------------------------------------------------------------------------------------

TEST(read_job_info, reads_all_fields) {
  auto info = good(read_job_info(json::parse(R"({"id":42,"user_id":7,"project_id":"p","batch_id":"b","type":"render",
    "tags":["a","b"],"metadata":{"z":1,"a":2},"throttle":{"min_interval_ms":250,"min_delta":1.5},"unknown":true})"),
                                 now));
  EXPECT_EQ(info.id, "42");
  EXPECT_TRUE(info.id_is_number);
  EXPECT_EQ(info.user_id, "7");
  EXPECT_EQ(info.project_id, "p");
  EXPECT_EQ(info.batch_id, "b");
  EXPECT_EQ(info.type, "render");
  EXPECT_EQ(info.tags, R"(["a","b"])");
  EXPECT_EQ(info.metadata, R"({"z":1,"a":2})");
  EXPECT_EQ(info.throttle, (throttle_policy{250, 1.5}));
}

TEST(read_job_info, makes_an_id_where_there_is_none) {
  for (const auto* body : {R"({"user_id":"u"})", R"({"id":null,"user_id":"u"})"}) {
    auto first = good(read_job_info(json::parse(body), now));
    auto second = good(read_job_info(json::parse(body), now));
    EXPECT_EQ(first.id.size(), 36U);
    EXPECT_FALSE(first.id_is_number);
    EXPECT_NE(first.id, second.id);
  }
}

TEST(read_job_info, half_a_throttle_leaves_the_other_half_at_its_default) {
  auto info = good(read_job_info(json::parse(R"({"user_id":"u","throttle":{"min_interval_ms":0}})"), now));
  EXPECT_EQ(info.throttle, (throttle_policy{.min_interval_ms = 0, .min_delta = 0}));
}

struct bad_body {
  std::string body;
  errc code;
  std::string named; ///< in the sentence
};

TEST(read_job_info, says_what_is_wrong) {
  const std::vector<bad_body> table{
    {"[]", errc::invalid_field, "object"},
    {"null", errc::invalid_field, "object"},
    {"{}", errc::invalid_field, "user_id"},
    {R"({"user_id":null})", errc::invalid_field, "user_id"},
    {R"({"user_id":""})", errc::invalid_field, "user_id"},
    {R"({"user_id":"a b"})", errc::invalid_field, "user_id"},
    {R"({"user_id":["u"]})", errc::invalid_field, "user_id"},
    {R"({"id":"","user_id":"u"})", errc::invalid_job_id, "id"},
    {R"({"id":"a/b","user_id":"u"})", errc::invalid_job_id, "id"},
    {R"({"id":-1,"user_id":"u"})", errc::invalid_job_id, "id"},
    {R"({"id":1.5,"user_id":"u"})", errc::invalid_job_id, "id"},
    {R"({"id":true,"user_id":"u"})", errc::invalid_job_id, "id"},
    {R"({"user_id":"u","id":)" + quoted(text_of(200)) + "}", errc::invalid_job_id, "id"},
    {R"({"user_id":"u","project_id":{}})", errc::invalid_field, "project_id"},
    {R"({"user_id":"u","batch_id":"a b"})", errc::invalid_field, "batch_id"},
    {R"({"user_id":"u","type":1})", errc::invalid_field, "type"},
    {R"({"user_id":"u","type":)" + quoted(text_of(129)) + "}", errc::invalid_field, "type"},
    {R"({"user_id":"u","tags":"a"})", errc::invalid_field, "tags"},
    {R"({"user_id":"u","tags":[1]})", errc::invalid_field, "tags"},
    {R"({"user_id":"u","tags":[)" + quoted(text_of(129)) + "]}", errc::invalid_field, "tags"},
    {R"({"user_id":"u","metadata":[]})", errc::invalid_field, "metadata"},
    {R"({"user_id":"u","metadata":"m"})", errc::invalid_field, "metadata"},
    {R"({"user_id":"u","metadata":{"a":)" + quoted(text_of(16'384)) + "}}", errc::invalid_field, "metadata"},
    {R"({"user_id":"u","throttle":5})", errc::invalid_field, "throttle"},
    {R"({"user_id":"u","throttle":{"min_interval_ms":"5"}})", errc::invalid_field, "throttle"},
    {R"({"user_id":"u","throttle":{"min_interval_ms":-1}})", errc::out_of_range, "min_interval_ms"},
    {R"({"user_id":"u","throttle":{"min_interval_ms":3600001}})", errc::out_of_range, "min_interval_ms"},
    {R"({"user_id":"u","throttle":{"min_delta":100.5}})", errc::out_of_range, "min_delta"},
  };
  for (const auto& row : table) {
    auto info = read_job_info(json::parse(row.body), now);
    ASSERT_FALSE(info) << row.body.substr(0, 80);
    EXPECT_EQ(info.error().code, row.code) << row.body.substr(0, 80);
    EXPECT_THAT(info.error().detail, HasSubstr(row.named)) << row.body.substr(0, 80);
  }
}

TEST(read_job_info, at_most_32_tags) {
  json body{{"user_id", "u"}, {"tags", std::vector<std::string>(32, "t")}};
  EXPECT_TRUE(read_job_info(body, now));
  body["tags"].push_back("t");
  EXPECT_FALSE(read_job_info(body, now));
}

// -- updates ------------------------------------------------------------------------------------------------------

TEST(read_job_update, reads_the_fields_of_its_verb) {
  auto read = [](job_verb verb, const char* body) { return good(read_job_update(verb, json::parse(body))); };
  auto tick = read(job_verb::progress, R"({"progress":12.5,"message":"m","stage":"s"})");
  EXPECT_EQ(tick.verb, job_verb::progress);
  EXPECT_EQ(tick.progress, 12.5);
  EXPECT_EQ(tick.message, "m");
  EXPECT_EQ(tick.stage, "s");
  EXPECT_EQ(read(job_verb::increment, R"({"amount":3})").progress, 3);
  EXPECT_EQ(read(job_verb::stage, R"({"stage":"s"})").stage, "s");
  auto output = read(job_verb::output, R"({"chunk":"c","type":"stderr"})");
  EXPECT_EQ(output.chunk, "c");
  EXPECT_EQ(output.chunk_type, "stderr");
  EXPECT_EQ(read(job_verb::complete, R"({"result":{"b":1,"a":[2]}})").result, R"({"b":1,"a":[2]})");
  EXPECT_EQ(read(job_verb::complete, R"({"result":false})").result, "false");
  EXPECT_EQ(read(job_verb::fail, R"({"error":"text"})").error, (job_error{"text", "", {}}));
  EXPECT_EQ(read(job_verb::block, R"({"error":{"message":"m","code":"c","retryable":true}})").error,
            (job_error{"m", "c", true}));
  for (auto verb :
       {job_verb::start, job_verb::complete, job_verb::fail, job_verb::cancel, job_verb::block, job_verb::heartbeat})
    EXPECT_TRUE(read_job_update(verb, json::object())) << to_string(verb);
}

TEST(read_job_update, null_counts_as_absent) {
  auto update = good(read_job_update(job_verb::progress, json::parse(R"({"progress":5,"message":null,"stage":null})")));
  EXPECT_FALSE(update.message);
  EXPECT_FALSE(update.stage);
}

TEST(read_job_update, says_what_is_wrong) {
  struct row {
    job_verb verb;
    std::string body;
    errc code;
    std::string named;
  };
  using enum job_verb;
  const std::vector<row> table{
    {heartbeat, "[]", errc::invalid_field, "object"},
    {start, "\"x\"", errc::invalid_field, "object"},
    {progress, "{}", errc::invalid_field, "progress"},
    {progress, R"({"progress":null})", errc::invalid_field, "progress"},
    {progress, R"({"progress":"50"})", errc::invalid_field, "progress"},
    {progress, R"({"progress":true})", errc::invalid_field, "progress"},
    {progress, R"({"progress":-1})", errc::out_of_range, "progress"},
    {progress, R"({"progress":-0.001})", errc::out_of_range, "progress"},
    {progress, R"({"progress":101})", errc::out_of_range, "progress"},
    {progress, R"({"progress":1e300})", errc::out_of_range, "progress"},
    {progress, R"({"progress":5,"message":7})", errc::invalid_field, "message"},
    {progress, R"({"progress":5,"message":)" + quoted(text_of(4097)) + "}", errc::invalid_field, "message"},
    {progress, R"({"progress":5,"stage":)" + quoted(text_of(257)) + "}", errc::invalid_field, "stage"},
    {increment, R"({"progress":5})", errc::invalid_field, "amount"},
    {increment, R"({"amount":-5})", errc::out_of_range, "amount"},
    {increment, R"({"amount":[]})", errc::invalid_field, "amount"},
    {stage, "{}", errc::invalid_field, "stage"},
    {stage, R"({"stage":5})", errc::invalid_field, "stage"},
    {stage, R"({"stage":"s","progress":200})", errc::out_of_range, "progress"},
    {output, "{}", errc::invalid_field, "chunk"},
    {output, R"({"chunk":""})", errc::invalid_field, "chunk"},
    {output, R"({"chunk":5})", errc::invalid_field, "chunk"},
    {output, R"({"chunk":"c","type":{}})", errc::invalid_field, "type"},
    {output, R"({"chunk":)" + quoted(text_of(65'537)) + "}", errc::invalid_field, "chunk"},
    {complete, R"({"result":)" + quoted(text_of(65'536)) + "}", errc::invalid_field, "result"},
    {fail, R"({"error":5})", errc::invalid_field, "error"},
    {fail, R"({"error":{"message":5}})", errc::invalid_field, "message"},
    {fail, R"({"error":{"message":"m","retryable":1}})", errc::invalid_field, "retryable"},
    {block, R"({"error":{"code":)" + quoted(text_of(257)) + "}}", errc::invalid_field, "code"},
  };
  for (const auto& one : table) {
    auto update = read_job_update(one.verb, json::parse(one.body));
    ASSERT_FALSE(update) << to_string(one.verb) << ' ' << one.body.substr(0, 80);
    EXPECT_EQ(update.error().code, one.code) << one.body.substr(0, 80);
    EXPECT_THAT(update.error().detail, HasSubstr(one.named)) << one.body.substr(0, 80);
  }
}

} // namespace

} // namespace headway
