// Attachments: collected, bounded, put back.
#include "tests/protocol/socketio_transcript.hpp"

#include <gtest/gtest.h>

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

TEST(socketio_acknowledge, names_its_attachments) {
  session s{{}, steady_time{}};
  auto args = json::array({json{{"_placeholder", true}, {"num", 0}}});
  EXPECT_EQ(s.acknowledge("/", 456, args, 1).data, R"(461-456[{"_placeholder":true,"num":0}])");
  EXPECT_EQ(s.acknowledge("/custom", 0, json::array()).data, "43/custom,0[]");
}

} // namespace
} // namespace headway::socketio
