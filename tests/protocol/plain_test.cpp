#include "net/protocol/plain.hpp"

#include <gtest/gtest.h>

#include <string>

namespace headway::plain {
namespace {

constexpr epoch_ms some_time = 1'795'230'720'123; // 2026-11-21T03:12:00.123Z

const room_name job_42{room_kind::job, "42"};

/// The request, which must be a `Kind`.
template <class Kind>
Kind decoded(std::string_view text) {
  auto got = decode(text).value();
  EXPECT_TRUE(std::holds_alternative<Kind>(got)) << text;
  return std::get<Kind>(got);
}

errc error_of(std::string_view text, const json_limits& limits = {}) {
  auto got = decode(text, limits);
  return got ? errc{} : got.error();
}

TEST(plain_decode, auth_has_a_token) {
  EXPECT_EQ(decoded<auth>(R"({"type":"auth","token":"a.b.c"})").token, "a.b.c");
  EXPECT_EQ(decoded<auth>(R"({"token":"","type":"auth"})").token, "") << "who checks tokens says what is missing";
}

TEST(plain_decode, join_has_a_room_and_perhaps_a_position) {
  auto first = decoded<join>(R"({"type":"join","room":"job:42"})");
  EXPECT_EQ(first.room, job_42);
  EXPECT_EQ(first.after, std::nullopt);
  EXPECT_FALSE(first.id_is_number);
  EXPECT_EQ(decoded<join>(R"({"type":"join","room":"job:42","after":1234})").after, 1234U);
  EXPECT_EQ(decoded<join>(R"({"type":"join","room":"job:42","after":0})").after, 0U);
  EXPECT_EQ(decoded<join>(R"({"type":"join","room":"job:42","after":7.0})").after, 7U);
  EXPECT_EQ(decoded<join>(R"({"type":"join","room":"job:42","after":9007199254740992})").after, 9007199254740992U);
  EXPECT_EQ(decoded<join>(R"({"type":"join","room":"job:42","after":null})").after, std::nullopt);
  EXPECT_EQ(decoded<join>(R"({"type":"join","room":"global"})").room, room_name{});
  EXPECT_EQ(decoded<join>(R"({"type":"join","room":"project:p:1"})").room, (room_name{room_kind::project, "p:1"}));
}

TEST(plain_decode, leave_has_a_room) { EXPECT_EQ(decoded<leave>(R"({"type":"leave","room":"job:42"})").room, job_42); }

TEST(plain_decode, a_job_may_be_named_by_its_id) {
  auto text = decoded<join>(R"({"type":"join","job_id":"42","after":3})");
  EXPECT_EQ(text.room, job_42);
  EXPECT_EQ(text.after, 3U);
  EXPECT_FALSE(text.id_is_number);
  auto number = decoded<join>(R"({"type":"join","job_id":42})");
  EXPECT_EQ(number.room, job_42);
  EXPECT_TRUE(number.id_is_number);
  EXPECT_EQ(decoded<join>(R"({"type":"join","job_id":42.0})").room, job_42);
  EXPECT_EQ(decoded<leave>(R"({"type":"leave","job_id":"etl:1"})").room, (room_name{room_kind::job, "etl:1"}));
  EXPECT_TRUE(decoded<leave>(R"({"type":"leave","job_id":42})").id_is_number);
}

TEST(plain_decode, ping_has_nothing) { decoded<ping>(R"({"type":"ping"})"); }

TEST(plain_decode, other_members_are_ignored) {
  decoded<ping>(R"({"id":7,"type":"ping","room":[]})");
  EXPECT_EQ(decoded<join>(R"({"type":"join","room":"job:42","x":{"y":[1,2]}})").room, job_42);
}

TEST(plain_decode, wrong_shapes_are_invalid_fields) {
  for (auto* text : {"null",
                     "1",
                     "[]",
                     "{}",
                     R"("ping")",
                     R"(["ping"])",
                     R"({"Type":"ping"})",
                     R"({"type":null})",
                     R"({"type":1})",
                     R"({"type":["ping"]})",
                     R"({"type":""})",
                     R"({"type":"Ping"})",
                     R"({"type":"ping "})",
                     R"({"type":"event"})",
                     R"({"type":"authenticated"})",
                     R"({"type":"auth"})",
                     R"({"type":"auth","token":null})",
                     R"({"type":"auth","token":1})",
                     R"({"type":"auth","token":["a"]})",
                     R"({"type":"auth","Token":"a"})"})
    EXPECT_EQ(error_of(text), errc::invalid_field) << text;
  for (std::string type : {"join", "leave"})
    for (auto* rest : {"",
                       R"(,"room":null)",
                       R"(,"room":42)",
                       R"(,"room":["job:42"])",
                       R"(,"room":{"job":"42"})",
                       R"(,"room":"")",
                       R"(,"room":"42")",
                       R"(,"room":"job:")",
                       R"(,"room":"jobs:42")",
                       R"(,"room":"job:4 2")",
                       R"(,"room":"global:")",
                       R"(,"job_id":null)",
                       R"(,"job_id":true)",
                       R"(,"job_id":"")",
                       R"(,"job_id":"a b")",
                       R"(,"job_id":"../x")",
                       R"(,"job_id":-1)",
                       R"(,"job_id":1.5)",
                       R"(,"job_id":1e300)",
                       R"(,"job_id":["42"])",
                       R"(,"job_id":{})",
                       R"(,"job_id":"42","room":"job:42")",
                       R"(,"job_id":"42","room":null)"}) {
      auto text = R"({"type":")" + type + '"' + rest + '}';
      EXPECT_EQ(error_of(text), errc::invalid_field) << text;
    }
  for (auto* after : {"-1", "1.5", R"("7")", "true", "[]", "{}", "1e300", "9007199254740993", "18446744073709551615"})
    EXPECT_EQ(error_of(R"({"type":"join","room":"job:42","after":)" + std::string{after} + '}'), errc::invalid_field)
      << after;
}

TEST(plain_decode, what_is_no_json_is_bad_json) {
  for (auto* text : {"", " ", "ping", R"({"type":"ping")", R"({"type":"ping"}{"type":"ping"})",
                     R"({"type":"ping","type":"auth"})", "{\"type\":\"\xff\"}", "42[\"join_job\",{\"job_id\":1}]"})
    EXPECT_EQ(error_of(text), errc::bad_json) << text;
}

TEST(plain_decode, json_keeps_to_the_limits) {
  EXPECT_EQ(error_of(R"({"type":"ping","x":)" + std::string(40, '[') + std::string(40, ']') + '}'), errc::json_limit);
  EXPECT_EQ(error_of(R"({"type":"ping","x":[1,2]})", {.elements = 1}), errc::json_limit);
}

TEST(plain_answer, authenticated_says_who_and_until_when) {
  principal who;
  who.user_id = "alice";
  EXPECT_EQ(authenticated_text(who), R"({"type":"authenticated","user_id":"alice","expires_at":null})");
  who.user_id = "42";
  EXPECT_EQ(authenticated_text(who), R"({"type":"authenticated","user_id":"42","expires_at":null})");
  who.user_id_is_number = true;
  who.expires_at = some_time;
  EXPECT_EQ(authenticated_text(who),
            R"({"type":"authenticated","user_id":42,"expires_at":"2026-11-21T03:12:00.123Z"})");
}

TEST(plain_answer, pong_says_the_time) {
  EXPECT_EQ(pong_text(some_time), R"({"type":"pong","time":"2026-11-21T03:12:00.123Z"})");
}

TEST(plain_answer, an_error_says_what_and_about_which_room) {
  EXPECT_EQ(error_text(errc::not_found, job_42),
            R"({"type":"error","code":"not_found","message":"Not found, or not yours.","room":"job:42"})");
  EXPECT_EQ(error_text(errc::bad_json),
            R"({"type":"error","code":"bad_json","message":"The body is not valid JSON."})");
}

TEST(plain_answer, an_event_is_its_name_and_the_members_of_its_payload) {
  auto payload = parse_json(R"({"job_id":42,"progress":12.5,"a":{"type":"x"},"b":[1]})").value();
  EXPECT_EQ(event_text("job_update", payload),
            R"({"type":"job_update","job_id":42,"progress":12.5,"a":{"type":"x"},"b":[1]})");
  EXPECT_EQ(event_text("left", json::object()), R"({"type":"left"})");
  EXPECT_EQ(event_text("left", json{}), R"({"type":"left"})");
}

TEST(plain_answer, a_payload_cannot_rename_its_event) {
  EXPECT_EQ(event_text("job_output", json{{"type", "stderr"}, {"chunk", "x"}}), R"({"type":"job_output","chunk":"x"})");
}

TEST(plain_answer, is_json_whatever_it_is_made_of) {
  EXPECT_TRUE(parse_json(event_text("a\"b\xff", json{{"k\"\xff", "v\xff\n"}})));
}

} // namespace
} // namespace headway::plain
