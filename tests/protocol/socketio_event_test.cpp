// Events and acknowledgements, both ways.
#include "tests/protocol/socketio_transcript.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace headway::socketio {
namespace {

using socketio_event = socketio_test;

TEST_F(socketio_event, what_the_codec_refuses_is_an_error) {
  for (std::string text : {"", "2", "2{}", "2[]", R"(2abc["ev"])", "9", "abc", R"(2["disconnect"])", "0[]"}) {
    transcript fresh;
    fresh("> text 0\n> accept / S");
    EXPECT_NE(fresh("> text " + text).find("< error"), std::string::npos) << text;
  }
}

TEST_F(socketio_event, that_is_refused_says_why) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 2["disconnect"]
    < error bad_request, bad Socket.IO packet
    > text 2["ev",1e999]
    < error bad_json, bad Socket.IO packet
  )");
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(peer_fault::late_connect); ++i)
    EXPECT_TRUE(names.insert(to_string(static_cast<peer_fault>(i))).second) << i;
}

TEST_F(socketio_event, that_only_looks_special_is_handed_on) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 2["error",{"message":"x"}]
    < event / error [{"message":"x"}]
    > text 2["connection"]
    < event / connection []
    > text 20["nobody handles this"]
    < event / nobody handles this [] #0
  )");
}

TEST_F(socketio_event, acks_nobody_asked_for_are_handed_on_and_do_no_harm) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 3999999999999999[]
    < ack / 999999999999999 []
    > text 30[1,2,3,4]
    < ack / 0 [1,2,3,4]
    > text 30[1,2,3,4]
    < ack / 0 [1,2,3,4]
  )");
}

TEST(socketio_excerpt, shows_100_bytes_and_no_secrets) {
  auto of = [](std::string text) { return excerpt({false, std::move(text)}); };
  EXPECT_EQ(of(R"(2["disconnect",1])"), R"(2["disconnect",1])");
  EXPECT_EQ(of("abc" + std::string(200, 'x')), "abc" + std::string(97, 'x'));
  EXPECT_EQ(of(std::string(99, 'x') + "€"), std::string(99, 'x'));
  EXPECT_EQ(of(R"(0/admin,{"key":"secret"})"), "0/admin,");
  EXPECT_EQ(of(R"(0"secret")"), "0");
  EXPECT_EQ(of(R"(0["secret"])"), "0");
  EXPECT_EQ(of(R"(2["login",{"token":"secret"}]x)"), R"(2["login",{")");
  EXPECT_EQ(of(R"(2["login",{"accessToken":"secret"}]x)"), R"(2["login",{"access)");
  EXPECT_EQ(of(R"( 0{"token":"secret"})"), R"( 0{")");
  EXPECT_EQ(of(""), "");
  EXPECT_EQ(excerpt({true, "binary"}), "");
}

TEST_F(socketio_event, hands_on_events_and_acks) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 2["join_job",{"job_id":42}]
    < event / join_job [{"job_id":42}]
    > text 212["ping"]
    < event / ping [] #12
    > ack / 12
    < send 4312["done"]
    > text 2[7,1]
    < event / 7 [1]
    > text 35[true]
    < ack / 5 [true]
  )");
}

TEST(socketio_event_text, is_never_one_that_kills_a_client) {
  for (auto* name : {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}) {
    EXPECT_THROW(event_text("/", name, json::object()), std::invalid_argument) << name;
    EXPECT_THROW(event_packets("/", name, json::array()), std::invalid_argument) << name;
  }
  for (auto* name : {"error", "message", "ping", "pong", "connection", "connected", "reconnect", "auth"})
    EXPECT_NO_THROW(event_text("/", name, json::object())) << name;
}

TEST(socketio_event_text, is_made_once_for_all) {
  EXPECT_EQ(event_text("/", "job_update", json{{"job_id", 42}}), R"(42["job_update",{"job_id":42}])");
  EXPECT_EQ(event_text("/custom", "pong", json::object()), R"(42/custom,["pong",{}])");
  EXPECT_EQ(event_text("/", "ev", json::array({1, 2})), R"(42["ev",[1,2]])");
  EXPECT_EQ(event_text("/", "ev", "\xff"), "42[\"ev\",\"\xef\xbf\xbd\"]");
}

} // namespace
} // namespace headway::socketio
