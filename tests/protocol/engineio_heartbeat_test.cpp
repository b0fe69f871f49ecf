#include "tests/protocol/engineio_transcript.hpp"

#include <gtest/gtest.h>

namespace headway::engineio {
namespace {

TEST(engineio_heartbeat, pings_a_websocket_every_interval_and_round_trip) {
  transcript t{transport::websocket};
  EXPECT_TRANSCRIPT(t, R"(
    > take
    < ws OPEN
    > wait 299
    > wait 1
    < ws 2
    > wait 50
    > frame 3
    > wait 299
    > wait 1
    < ws 2
  )");
}

TEST(engineio_heartbeat, silence_is_a_ping_timeout) {
  transcript t{transport::websocket};
  EXPECT_TRANSCRIPT(t, R"(
    > take
    < ws OPEN
    > wait 300
    < ws 2
    > wait 199
    > wait 1
    < closed ping timeout
  )");
}

TEST(engineio_heartbeat, pings_end_a_held_poll) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > poll
    > wait 300
    < poll 200 2
    > post 3
    < post 200 ok
    > poll
    > wait 300
    < poll 200 2
    > poll
    > wait 200
    < poll 200 1
    < closed ping timeout
  )");
}

TEST(engineio_heartbeat, runs_whether_or_not_a_poll_carries_the_ping) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > wait 500
    < closed ping timeout
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
  )");
}

TEST(engineio_heartbeat, a_late_timer_revives_no_session) {
  for (auto* request : {"> poll\n< poll", "> post 3\n< post"}) {
    transcript t;
    t("> poll");
    EXPECT_TRANSCRIPT(t, "> late 500\n" + std::string{request} + R"( 400 {"code":1,"message":"Session ID unknown"}
      < closed ping timeout
    )");
  }
  transcript t;
  t("> poll");
  EXPECT_TRANSCRIPT(t, R"(
    > late 500
    > probe
    < refused
    < closed ping timeout
  )");
}

TEST(engineio_heartbeat, a_late_timer_leaves_both_polls_answered) {
  transcript t;
  t("> poll");
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    > late 500
    > poll
    < poll 200 1
    < second poll 400 {"code":1,"message":"Session ID unknown"}
    < closed ping timeout
  )");
}

TEST(engineio_heartbeat, a_late_timer_gives_no_time_to_a_client_that_does_not_poll) {
  transcript t;
  t("> poll");
  EXPECT_TRANSCRIPT(t, R"(
    > late 303
    > wait 0
    > wait 196
    > wait 1
    < closed ping timeout
  )");
}

TEST(engineio_heartbeat, a_late_timer_gives_a_client_its_whole_time) {
  transcript polling;
  polling("> poll\n> poll");
  EXPECT_TRANSCRIPT(polling, R"(
    > late 303
    > wait 0
    < poll 200 2
    > wait 199
    > post 3
    < post 200 ok
  )");
  transcript t{transport::websocket};
  t("> take");
  EXPECT_TRANSCRIPT(t, R"(
    > late 5000
    > wait 0
    < ws 2
    > wait 199
    > frame 3
    > wait 299
  )");
}

TEST(engineio_heartbeat, a_late_timer_revives_no_websocket) {
  transcript t{transport::websocket};
  t("> take\n> wait 300");
  EXPECT_TRANSCRIPT(t, R"(
    > late 200
    > frame 3
    < closed ping timeout
  )");
}

TEST(engineio_heartbeat, a_websocket_that_was_not_pinged_lives) {
  transcript t{transport::websocket};
  t("> take");
  EXPECT_TRANSCRIPT(t, R"(
    > late 5000
    > frame 4a
    < received a
    > tick
    < ws 2
    > wait 100
    > frame 3
    > wait 299
  )");
}

TEST(engineio_heartbeat, a_late_timer_hides_no_timeout_behind_what_comes_first) {
  for (std::string event : {"> abort", "> broken\n< poll 200 1\n< post 400"}) {
    transcript t;
    t("> poll\n> poll");
    EXPECT_TRANSCRIPT(t, "> late 500\n" + event + "\n< closed ping timeout\n") << event;
  }
}

TEST(engineio_heartbeat, the_ping_goes_before_what_is_queued) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > send 4a 4b
    > wait 300
    > poll
    < poll 200 2|4a|4b
    > post 3
    < post 200 ok
    > send-binary 0no-open-packet
    > wait 300
    > poll
    < poll 200 2|bMG5vLW9wZW4tcGFja2V0
  )");
}

TEST(engineio_heartbeat, but_never_before_the_open_packet) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > send 4a
    > wait 300
    > poll
    < poll 200 OPEN|2|4a
  )");
}

TEST(engineio_heartbeat, on_a_websocket_the_ping_goes_before_the_rest_of_its_batch) {
  transcript t{transport::websocket};
  t("> take");
  t.subject().send(text_frame("4a"));
  EXPECT_TRANSCRIPT(t, R"(
    > wait 300
    < ws 2
    < ws 4a
  )");
}

TEST(engineio_heartbeat, any_packet_extends_the_wait_once_a_ping) {
  transcript t{transport::websocket};
  EXPECT_TRANSCRIPT(t, R"(
    > take
    < ws OPEN
    > wait 300
    < ws 2
    > wait 150
    > frame 4a
    < received a
    > wait 150
    > frame 4b
    < received b
    > wait 49
    > wait 1
    < closed ping timeout
  )");
}

TEST(engineio_heartbeat, a_packet_that_means_nothing_extends_it_too) {
  transcript t{transport::websocket};
  t("> take\n> wait 300");
  EXPECT_TRANSCRIPT(t, R"(
    > wait 150
    > frame 6
    > wait 199
    > wait 1
    < closed ping timeout
  )");
}

TEST(engineio_heartbeat, polls_extend_nothing) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > wait 300
    > wait 150
    > poll
    < poll 200 2
    > poll
    > wait 50
    < poll 200 1
    < closed ping timeout
  )");
}

TEST(engineio_heartbeat, each_ping_has_an_extension_of_its_own) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > wait 300
    > wait 150
    > post 4a
    < received a
    < post 200 ok
    > wait 190
    > post 3
    < post 200 ok
    > wait 300
    > wait 190
    > post 4b
    < received b
    < post 200 ok
    > wait 199
    > wait 1
    < closed ping timeout
  )");
}

TEST(engineio_heartbeat, packets_before_the_ping_do_not_count) {
  transcript t{transport::websocket};
  EXPECT_TRANSCRIPT(t, R"(
    > take
    < ws OPEN
    > wait 299
    > frame 4a
    < received a
    > wait 1
    < ws 2
    > wait 200
    < closed ping timeout
  )");
}

TEST(engineio_heartbeat, an_unasked_pong_is_harmless) {
  transcript t{transport::websocket};
  EXPECT_TRANSCRIPT(t, R"(
    > take
    < ws OPEN
    > wait 200
    > frame 3
    > wait 100
    < ws 2
  )");
}

TEST(engineio_heartbeat, a_clients_ping_ends_the_session) {
  transcript websocket{transport::websocket};
  EXPECT_TRANSCRIPT(websocket, R"(
    > take
    < ws OPEN
    > frame 2
    < fault ping from client
    < closed transport error
  )");
  transcript polling;
  EXPECT_TRANSCRIPT(polling, R"(
    > poll
    < poll 200 OPEN
    > post 2probe
    < post 400
    < fault ping from client
    < closed transport error
  )");
}

} // namespace
} // namespace headway::engineio
