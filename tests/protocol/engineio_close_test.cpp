// Closing, from either side; what a session says of why.
#include "tests/protocol/engineio_transcript.hpp"

#include <gtest/gtest.h>

namespace headway::engineio {
namespace {

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
    < poll 200 4h
    > poll
    < poll 200 1
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
  )");
}

TEST(engineio_close, comes_by_a_poll_of_its_own_behind_messages) {
  // In one payload with it, socket.io-client and python-socketio's asyncio client miss what the messages say.
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > send 42["error"] 41
    > close forced close
    < closed forced close
    > poll
    < poll 200 42["error"]|41
    > poll
    < poll 200 1
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
  EXPECT_EQ(given(todo.poll_answer).status, 503);
  EXPECT_EQ(todo.closed, close_reason::server_shutdown);
  EXPECT_FALSE(t.subject().lingers(t.now()));
  t.subject().on_poll(t.now());
  EXPECT_EQ(given(t.subject().take_actions().poll_answer).status, 503);
}

TEST(engineio_close, tells_a_held_poll_what_the_peer_did) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > poll
    > post abc
    < poll 200 1
    < post 400
    < fault bad packet 3
    < closed parse error
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
  )");
}

TEST(engineio_close, hands_on_nothing_of_a_bad_post) {
  transcript t;
  t("> poll");
  EXPECT_TRANSCRIPT(t, R"(
    > post 4a|7
    < post 400
    < fault bad packet 4
    < closed parse error
  )");
}

TEST(engineio_close, takes_no_post_while_it_waits_for_a_poll) {
  transcript t;
  t("> poll");
  EXPECT_TRANSCRIPT(t, R"(
    > close forced close
    < closed forced close
    > post 4a
    < post 400 {"code":1,"message":"Session ID unknown"}
    > poll
    < poll 200 6|1
  )");
}

TEST(engineio_close, at_shutdown_flushes_a_held_poll_and_refuses_what_follows) {
  transcript t;
  t("> poll\n> poll");
  t.subject().send(text_frame("4last"));
  EXPECT_TRANSCRIPT(t, R"(
    > close server shutting down
    < poll 200 4last
    < closed server shutting down
  )");
  EXPECT_EQ(t.subject().queued_bytes(), 0U);
  for (auto* request : {"> poll", "> post 4a", "> post-head"})
    EXPECT_NE(t(request).find("503"), std::string::npos) << request;
}

TEST(engineio_close, at_shutdown_tells_a_websocket_nothing_but_what_is_queued) {
  transcript t{transport::websocket};
  t("> take");
  t.subject().send(text_frame("4last"));
  EXPECT_TRANSCRIPT(t, R"(
    > close server shutting down
    < ws 4last
    < closed server shutting down
  )");
}

TEST(engineio_close, frees_what_nobody_will_poll_for) {
  for (auto* end : {"> close server shutting down", "> post 2"}) {
    transcript t;
    t("> poll\n> send 4a 4b");
    EXPECT_GT(t.subject().queued_bytes(), 0U);
    t(end);
    EXPECT_TRUE(t.subject().is_closed());
    EXPECT_EQ(t.subject().queued_bytes(), 0U) << end;
    EXPECT_EQ(t.subject().wake_up(), steady_time::max()) << end;
  }
}

TEST(engineio_close, is_final) {
  transcript t;
  t("> poll\n> post 1");
  EXPECT_TRANSCRIPT(t, R"(
    > send 4a
    > close server shutting down
    > wait 100000
    > tick
  )");
  EXPECT_EQ(t.subject().why_closed(), close_reason::transport_close);
}

TEST(engineio_close, is_remembered_with_its_reason) {
  transcript t;
  t("> poll");
  EXPECT_EQ(t.subject().why_closed(), close_reason::none);
  t("> post 2");
  EXPECT_EQ(t.subject().why_closed(), close_reason::transport_error);
  t("> close forced close");
  EXPECT_EQ(t.subject().why_closed(), close_reason::transport_error);
}

TEST(engineio_fault, is_told_once) {
  transcript t;
  t("> poll\n> poll");
  t.subject().on_poll(t.now());       // ends the session,
  t.subject().on_probe_open(t.now()); // and nobody cares about what follows
  EXPECT_TRANSCRIPT(t, R"(
    > octets 4a
    < poll 200 1
    < second poll 400
    < post 400 {"code":1,"message":"Session ID unknown"}
    < fault second poll
    < closed transport error
    > take
  )");
}

TEST(engineio_fault, that_ended_the_session_is_the_one_that_is_told) {
  transcript t;
  t("> poll\n> probe");
  t.subject().on_probe_open(t.now());
  EXPECT_TRANSCRIPT(t, R"(
    > post 2
    < post 400
    < close probe
    < fault ping from client
    < closed transport error
  )");
}

TEST(engineio_fault, alone_is_something_to_do) {
  transcript t{transport::websocket};
  t("> take");
  EXPECT_TRUE(t.subject().take_actions().empty());
  t.subject().on_probe_open(t.now());
  EXPECT_FALSE(t.subject().take_actions().empty());
}

} // namespace
} // namespace headway::engineio
