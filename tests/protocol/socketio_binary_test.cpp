// Attachments: collected, bounded, put back.
#include "tests/protocol/socketio_transcript.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace headway::socketio {
namespace {

using socketio_binary = socketio_test;

TEST_F(socketio_binary, collects_attachments_in_order) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 52-7["up",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]
    > binary abc
    > binary de
    < event / up [{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}] #7 +abc +de
    > text 61-3[{"_placeholder":true,"num":0}]
    > binary
    < ack / 3 [{"_placeholder":true,"num":0}] +
  )");
}

TEST_F(socketio_binary, a_text_between_attachments_is_an_error) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 51-["up"]
    > text 2["ev"]
    < error bad_request, text among attachments
  )");
}

TEST_F(socketio_binary, an_attachment_nobody_announced_is_an_error) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 51-["up"]
    > binary abc
    < event / up [] +abc
    > binary abc
    < error bad_request, binary nobody announced
  )");
}

TEST_F(socketio_binary, attachments_are_bounded_together) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 53-["up"]
    > binary 12345
    > binary 67890
    > binary x
    < error payload_too_large, attachments too big
  )");
}

TEST_F(socketio_binary, attachments_have_a_deadline) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 52-["up"]
    > wait 300
    > binary abc
    > wait 199
    > wait 1
    < timeout attachments too late
  )");
}

TEST_F(socketio_binary, a_late_timer_takes_no_late_attachment) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 51-["up"]
    > late 500
    > binary abc
    < error request_timeout, attachments too late
  )");
}

TEST_F(socketio_binary, for_a_namespace_that_is_not_joined_is_not_collected) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 51-/custom,["up",{"_placeholder":true,"num":0}]
    < error bad_request, namespace not joined
  )");
}

TEST_F(socketio_binary, bytes_for_a_namespace_that_was_left_are_bounded_as_well) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > disconnect /
    < send 41
    > text 52-["up"]
    > binary 1234567890
    > binary x
    < error payload_too_large, attachments too big
  )");
}

TEST_F(socketio_binary, a_placeholder_may_come_twice_and_attachments_may_be_unused) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 52-["up",{"_placeholder":true,"num":1},[{"_placeholder":true,"num":1}]]
    > binary abc
    > binary de
    < event / up [{"_placeholder":true,"num":1},[{"_placeholder":true,"num":1}]] +abc +de
  )");
}

TEST_F(socketio_binary, a_plain_event_may_hold_what_looks_like_a_placeholder) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 2["ev",{"_placeholder":true,"num":7}]
    < event / ev [{"_placeholder":true,"num":7}]
    > text 2["ev"]
    < event / ev []
  )");
}

TEST_F(socketio_binary, a_goodbye_among_attachments_is_an_error_even_of_another_namespace) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 51-["up"]
    > text 0/custom
    < error bad_request, text among attachments
  )");
}

TEST_F(socketio_binary, attachments_are_dropped_with_their_namespace) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 52-["up"]
    > binary abc
    > disconnect /
    < send 41
    > binary def
    > text 0
    < connect / {}
  )");
}

std::string lines(const std::vector<outgoing>& packets) {
  std::string out;
  for (auto& one : packets)
    out += (one.is_binary ? '+' + one.data : one.data) + '\n';
  return out;
}

json arguments(std::string_view text) { return parse_json(text).value(); }

TEST(socketio_packets, carry_arguments_of_any_kind) {
  EXPECT_EQ(lines(event_packets("/", "message-back", arguments(R"([1,"2",{"3":[true]}])"))),
            R"(42["message-back",1,"2",{"3":[true]}])"
            "\n");
  EXPECT_EQ(lines(event_packets("/custom", "ev", json::array())), "42/custom,[\"ev\"]\n");
  EXPECT_EQ(lines(ack_packets("/", 456, json::array())), "43456[]\n");
  EXPECT_EQ(lines(ack_packets("/custom", 0, arguments(R"(["\u00e4",null])"))), "43/custom,0[\"ä\",null]\n");
}

TEST(socketio_packets, put_attachments_behind_their_text) {
  auto args = arguments(R"([{"_placeholder":true,"num":0},"two",{"deep":[{"_placeholder":true,"num":1}]}])");
  EXPECT_EQ(lines(event_packets("/", "up", args, {"abc", "de"})),
            R"(452-["up",{"_placeholder":true,"num":0},"two",{"deep":[{"_placeholder":true,"num":1}]}])"
            "\n+abc\n+de\n");
  EXPECT_EQ(lines(ack_packets("/custom", 7, arguments(R"([{"_placeholder":true,"num":0}])"), {""})),
            R"(461-/custom,7[{"_placeholder":true,"num":0}])"
            "\n+\n");
}

TEST(socketio_packets, number_placeholders_in_order_of_appearance) {
  auto args =
    arguments(R"([{"_placeholder":true,"num":2},{"_placeholder":true,"num":0},{"_placeholder":true,"num":2}])");
  EXPECT_EQ(lines(event_packets("/", "up", args, {"zero", "one", "two"})),
            R"(452-["up",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}])"
            "\n+two\n+zero\n");
}

TEST(socketio_packets, without_a_placeholder_are_plain) {
  EXPECT_EQ(lines(event_packets("/", "up", json::array({1}), {"unused"})), "42[\"up\",1]\n");
  EXPECT_EQ(lines(ack_packets("/", 1, json::array({1}), {"unused"})), "431[1]\n");
}

TEST(socketio_packets, leave_alone_what_only_looks_like_a_placeholder) {
  EXPECT_EQ(lines(event_packets("/", "ev", arguments(R"([{"_placeholder":true,"num":9}])"))),
            R"(42["ev",{"_placeholder":true,"num":9}])"
            "\n");
  EXPECT_EQ(
    lines(event_packets("/", "ev", arguments(R"([{"_placeholder":"yes"},{"_placeholder":true,"num":0}])"), {"a"})),
    R"(451-["ev",{"_placeholder":"yes"},{"_placeholder":true,"num":0}])"
    "\n+a\n");
}

TEST(socketio_packets, refuse_our_own_mistakes) {
  for (auto* args : {R"([{"_placeholder":true,"num":1}])", R"([{"_placeholder":true,"num":-1}])",
                     R"([{"_placeholder":true,"num":0.5}])", R"([{"_placeholder":true}])", R"({"no":"array"})"}) {
    EXPECT_THROW(event_packets("/", "up", arguments(args), {"a"}), std::invalid_argument) << args;
    EXPECT_THROW(ack_packets("/", 1, arguments(args), {"a"}), std::invalid_argument) << args;
  }
}

/// What an echo server does.
TEST_F(socketio_binary, comes_back_as_it_came) {
  join();
  struct row {
    std::string in, out;
  };
  for (auto& [in, out] :
       std::vector<row>{{R"(2["ev",1,"2",{"3":[true]}])", R"(42["ev",1,"2",{"3":[true]}])"},
                        {R"(51-["ev",{"_placeholder":true,"num":0}])", R"(451-["ev",{"_placeholder":true,"num":0}])"},
                        {R"(52-["ev",{"a":{"_placeholder":true,"num":0}},[{"_placeholder":true,"num":1}]])",
                         R"(452-["ev",{"a":{"_placeholder":true,"num":0}},[{"_placeholder":true,"num":1}]])"}}) {
    std::vector<outgoing> replies;
    auto commands = t.subject().on_message({false, in}, replies, t.now()).value();
    std::string sent;
    for (auto bytes = 'a'; commands.empty(); ++bytes) {
      sent += std::string{"+"} + bytes + '\n';
      commands = t.subject().on_message({true, {bytes}}, replies, t.now()).value();
    }
    auto& event = std::get<event_command>(commands.at(0));
    EXPECT_EQ(lines(event_packets(event.nsp, event.name, event.args, event.attachments)), out + '\n' + sent);
  }
}

TEST(socketio_acknowledge, names_its_attachments) {
  session s{{}, steady_time{}};
  auto args = json::array({json{{"_placeholder", true}, {"num", 0}}});
  EXPECT_EQ(s.acknowledge("/", 456, args, 1).data, R"(461-456[{"_placeholder":true,"num":0}])");
  EXPECT_EQ(s.acknowledge("/custom", 0, json::array()).data, "43/custom,0[]");
}

} // namespace
} // namespace headway::socketio
