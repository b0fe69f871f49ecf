// Handshake, polls, POSTs, plain WebSocket and closing.
#include "tests/protocol/engineio_transcript.hpp"

#include <gtest/gtest.h>

namespace headway::engineio {
namespace {

TEST(engineio_handshake, open_packet_has_exactly_the_five_keys) {
  session s{{}, "S1", transport::polling, steady_time{}};
  s.on_poll(steady_time{});
  auto answer = s.take_actions().poll_answer.value();
  EXPECT_EQ(answer.body, R"(0{"sid":"S1","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain; charset=UTF-8");
  EXPECT_EQ(answer.headers, (std::vector<std::pair<std::string, std::string>>{{"Cache-Control", "no-store"}}));
}

TEST(engineio_handshake, websocket_first_offers_no_upgrade) {
  session s{{}, "S1", transport::websocket, steady_time{}};
  auto frames = s.take_actions().to_websocket;
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0]->payload(), R"(0{"sid":"S1","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})");
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

TEST(engineio_poll, queued_bytes_counts_what_waits) {
  transcript t;
  t("> poll");
  auto packet = text_frame("4abc");
  t.subject().send(packet);
  t.subject().send(packet);
  EXPECT_EQ(t.subject().queued_bytes(), 2 * packet->size());
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

TEST(engineio_post, hands_packets_on_and_says_ok) {
  transcript t;
  t("> poll");
  t.subject().on_post("4a\x1e" "4b\x1e" "bAQID", false, t.now());
  auto todo = t.subject().take_actions();
  ASSERT_EQ(todo.received.size(), 3U);
  EXPECT_EQ(todo.received[1].data, "b");
  EXPECT_TRUE(todo.received[2].is_binary);
  EXPECT_EQ(todo.post_answer->status, 200);
  EXPECT_EQ(todo.post_answer->body, "ok");
  EXPECT_EQ(todo.post_answer->content_type, "text/html");
  EXPECT_EQ(todo.post_answer->headers.at(0).second, "no-store");
}

TEST(engineio_post, echoes_sent_before_its_answer_are_in_the_next_poll_together) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > post 4a|4b|4c
    < received a
    < received b
    < received c
    < post 200 ok
    > send 4a 4b 4c
    > poll
    < poll 200 4a|4b|4c
  )");
}

TEST(engineio_post, a_parse_error_ends_the_session) {
  for (std::string body : {"", "|", "4a|", "|4a", "4a||4b", "abc", "7", "b*"}) {
    transcript t;
    t("> poll");
    EXPECT_TRANSCRIPT(t, "> post " + body + R"(
      < post 400
      < closed parse error
      > poll
      < poll 400 {"code":1,"message":"Session ID unknown"}
    )") << body;
  }
}

TEST(engineio_post, more_packets_than_allowed_end_the_session) {
  auto options = transcript::quick();
  options.max_packets_in = 2;
  transcript t{transport::polling, options};
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > post 4a|4b
    < received a
    < received b
    < post 200 ok
    > post 4a|4b|4c
    < post 400
    < closed parse error
  )");
}

TEST(engineio_post, exactly_max_payload_is_allowed_and_more_is_413) {
  auto options = transcript::quick();
  options.max_payload_bytes = 5;
  transcript t{transport::polling, options};
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > post 4abcd
    < received abcd
    < post 200 ok
    > post 4abcde
    < post 413
    > post 4a
    < received a
    < post 200 ok
  )");
}

TEST(engineio_post, octet_stream_is_400_and_ends_the_session) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > poll
    > octets 4a
    < poll 200 1
    < post 400
    < closed transport error
  )");
}

TEST(engineio_post, a_broken_or_second_one_ends_the_session) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > poll
    > broken
    < poll 200 1
    < post 400
    < closed transport error
  )");
}

TEST(engineio_post, open_upgrade_and_noop_from_a_client_are_ignored) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > post 0|5|6|4a
    < received a
    < post 200 ok
  )");
}

TEST(engineio_close, by_a_post_ends_the_held_poll_with_a_noop) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > poll
    > post 4a|1|4b
    < received a
    < poll 200 6
    < post 200 ok
    < closed transport close
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
  )");
}

TEST(engineio_close, answers_a_poll_that_raced_it_once) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > send 4never-read
    > post 1
    < post 200 ok
    < closed transport close
    > late 20
    > poll
    < poll 200 6
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
  )");
}

TEST(engineio_close, forgets_the_race_after_a_while) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > post 1
    < post 200 ok
    < closed transport close
    > wait 2000
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
  )");
  EXPECT_FALSE(t.subject().lingers(t.now()));
  EXPECT_EQ(t.subject().queued_bytes(), 0U);
  EXPECT_EQ(t.subject().wake_up(), steady_time::max());
}

TEST(engineio_close, by_the_server_ends_the_held_poll_with_a_close_packet) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > poll
    > close forced close
    < poll 200 1
    < closed forced close
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
    > send 4a
    > close forced close
  )");
}

TEST(engineio_close, by_the_server_waits_for_the_next_poll) {
  transcript t;
  t("> poll");
  EXPECT_TRANSCRIPT(t, R"(
    > close forced close
    < closed forced close
    > wait 29000
    > poll
    < poll 200 6|1
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
  )");
}

TEST(engineio_close, by_the_server_is_kept_for_30_seconds) {
  transcript t;
  t("> poll");
  t("> close forced close");
  EXPECT_TRUE(t.subject().lingers(t.now()));
  EXPECT_EQ(t.subject().wake_up(), t.now() + std::chrono::seconds{30});
  EXPECT_TRANSCRIPT(t, R"(
    > late 30000
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
  )");
}

TEST(engineio_close, flushes_what_is_queued_first) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > send 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f 4g 4h
    > close forced close
    < closed forced close
    > poll
    < poll 200 41|42|43|44|45|46|47|48|49|4a|4b|4c|4d|4e|4f|4g
    > poll
    < poll 200 4h|1
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
  )");
}

TEST(engineio_close, of_a_slow_consumer_frees_its_queue) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > send 4a 4b
    > close slow consumer
    < closed slow consumer
    > poll
    < poll 200 6|1
  )");
}

TEST(engineio_close, at_shutdown_tells_pollers_503_and_no_close_packet) {
  transcript t;
  t("> poll");
  t("> poll");
  t.subject().close(close_reason::server_shutdown, t.now());
  auto todo = t.subject().take_actions();
  EXPECT_EQ(todo.poll_answer->status, 503);
  EXPECT_EQ(todo.closed, close_reason::server_shutdown);
  EXPECT_FALSE(t.subject().lingers(t.now()));
  t.subject().on_poll(t.now());
  EXPECT_EQ(t.subject().take_actions().poll_answer->status, 503);
}

TEST(engineio_websocket, carries_packets_both_ways) {
  transcript t{transport::websocket};
  EXPECT_TRANSCRIPT(t, R"(
    > take
    < ws OPEN
    > frame 4hello
    < received hello
    > binary abc
    < received binary abc
    > binary
    < received binary 
    > frame bAQIDBA==
    < received binary )" "\x01\x02\x03\x04" R"(
    > send 4a 4b
    < ws 4a
    < ws 4b
    > send-binary abc
    < ws binary abc
  )");
  EXPECT_EQ(t.subject().queued_bytes(), 0U);
}

TEST(engineio_websocket, takes_frames_before_the_open_packet_is_written) {
  transcript t{transport::websocket};
  EXPECT_TRANSCRIPT(t, R"(
    > frame 40
    < received 0
    < ws OPEN
  )");
}

TEST(engineio_websocket, a_bad_frame_is_a_parse_error) {
  for (std::string frame : {"", "abc", "7", "b*"}) {
    transcript t{transport::websocket};
    t("> take");
    EXPECT_TRANSCRIPT(t, "> frame " + frame + R"(
      < closed parse error
      > frame 4a
      > send 4a
    )") << frame;
  }
}

TEST(engineio_websocket, a_close_packet_closes) {
  transcript t{transport::websocket};
  EXPECT_TRANSCRIPT(t, R"(
    > take
    < ws OPEN
    > send 4a
    < ws 4a
    > frame 1
    < closed transport close
    > gone
  )");
  EXPECT_FALSE(t.subject().lingers(t.now()));
}

TEST(engineio_websocket, closing_sends_no_close_packet) {
  transcript t{transport::websocket};
  t("> take");
  t.subject().send(text_frame("4last"));
  EXPECT_TRANSCRIPT(t, R"(
    > close forced close
    < ws 4last
    < closed forced close
  )");
}

TEST(engineio_websocket, a_lost_socket_ends_the_session_once) {
  transcript t{transport::websocket};
  t("> take");
  EXPECT_TRANSCRIPT(t, R"(
    > gone
    < closed transport close
    > gone
  )");
}

TEST(engineio_websocket, an_oversized_message_is_a_transport_error) {
  auto options = transcript::quick();
  options.max_payload_bytes = 4;
  transcript t{transport::websocket, options};
  t("> take");
  EXPECT_TRANSCRIPT(t, R"(
    > frame 4abc
    < received abc
    > binary abcde
    < closed transport error
  )");
}

} // namespace
} // namespace headway::engineio
