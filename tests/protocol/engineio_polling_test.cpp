// Handshake and polls.
#include "tests/protocol/engineio_transcript.hpp"

#include <gtest/gtest.h>

namespace headway::engineio {
namespace {

TEST(engineio_handshake, open_packet_has_exactly_the_five_keys) {
  session s{{}, "S1", transport::polling, steady_time{}};
  s.on_poll(steady_time{});
  auto answer = given(s.take_actions().poll_answer);
  EXPECT_EQ(answer.body,
            R"(0{"sid":"S1","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain; charset=UTF-8");
  EXPECT_EQ(answer.headers, (std::vector<std::pair<std::string, std::string>>{{"Cache-Control", "no-store"}}));
}

TEST(engineio_handshake, websocket_first_offers_no_upgrade) {
  session s{{}, "S1", transport::websocket, steady_time{}};
  auto frames = s.take_actions().to_websocket;
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0]->payload(),
            R"(0{"sid":"S1","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})");
}

TEST(engineio_handshake, offers_no_upgrade_where_there_is_none) {
  auto options = transcript::quick();
  options.upgrades = false;
  session s{options, "S1", transport::polling, steady_time{}};
  s.on_poll(steady_time{});
  EXPECT_TRUE(given(s.take_actions().poll_answer).body.starts_with(R"(0{"sid":"S1","upgrades":[],"pingInterval":)"));
  EXPECT_FALSE(s.on_probe_open(steady_time{}));
}

TEST(engineio_poll, waits_for_a_packet) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > poll
    > wait 100
    > send 4a
    < poll 200 4a
  )");
}

TEST(engineio_poll, packets_sent_together_leave_together) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > poll
    > send 4a 4b 4c
    < poll 200 4a|4b|4c
    > send 4d
    > send 4e
    > send-binary xyz
    > poll
    < poll 200 4d|4e|beHl6
  )");
  EXPECT_EQ(t.subject().queued_bytes(), 0U);
}

TEST(engineio_poll, never_answers_more_than_16_packets) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > send 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f 4g 4h 4i
    > poll
    < poll 200 41|42|43|44|45|46|47|48|49|4a|4b|4c|4d|4e|4f|4g
    > poll
    < poll 200 4h|4i
  )");
}

TEST(engineio_poll, is_bounded_by_bytes_but_keeps_packets_whole) {
  auto options = transcript::quick();
  options.max_payload_bytes = 10;
  transcript t{transport::polling, options};
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > send 4abc 4def 4ghi 4longer-than-ten 4j
    > poll
    < poll 200 4abc|4def
    > poll
    < poll 200 4ghi
    > poll
    < poll 200 4longer-than-ten
    > poll
    < poll 200 4j
  )");
}

TEST(engineio_poll, bound_counts_separators_and_base64_to_the_byte) {
  auto options = transcript::quick();
  options.max_payload_bytes = 10;
  transcript t{transport::polling, options};
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > send 4abc 4defg 4hij 4klmno
    > poll
    < poll 200 4abc|4defg
    > poll
    < poll 200 4hij
    > poll
    < poll 200 4klmno
    > send 4abc
    > send-binary xyz
    > poll
    < poll 200 4abc|beHl6
    > send 4abcd
    > send-binary xyz
    > poll
    < poll 200 4abcd
    > poll
    < poll 200 beHl6
  )");
}

TEST(engineio_poll, has_nothing_to_do_with_frames) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > frame 4a
    > probe-frame 5
    > gone
    > poll
    > send 4a
    < poll 200 4a
  )");
}

TEST(engineio_poll, queued_bytes_counts_what_waits) {
  transcript t;
  t("> poll");
  auto packet = text_frame("4abc");
  t.subject().send(packet);
  t.subject().send(packet);
  EXPECT_EQ(t.subject().queued_bytes(), 2 * packet->size());
  t("> wait 300"); // and a ping
  EXPECT_EQ(t.subject().queued_bytes(), 2 * packet->size() + text_frame("2")->size());
  t("> poll");
  EXPECT_EQ(t.subject().queued_bytes(), 0U);
}

TEST(engineio_poll, a_second_one_ends_the_session) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > poll
    > poll
    < poll 200 1
    < second poll 400
    < fault second poll
    < closed transport error
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
    > post 4a
    < post 400 {"code":1,"message":"Session ID unknown"}
  )");
}

TEST(engineio_poll, an_aborted_one_ends_the_session) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > poll
    > abort
    < fault poll aborted
    < closed transport error
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
  )");
}

TEST(engineio_poll, a_connection_lost_between_polls_is_no_abort) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > abort
    > poll
    > send 4a
    < poll 200 4a
  )");
}

} // namespace
} // namespace headway::engineio
