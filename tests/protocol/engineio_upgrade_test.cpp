#include "tests/protocol/engineio_transcript.hpp"

#include <gtest/gtest.h>

namespace headway::engineio {
namespace {

/// No ping comes in between.
session_options patient() {
  auto options = transcript::quick();
  options.ping_interval = std::chrono::seconds{25};
  return options;
}

class engineio_upgrade : public testing::Test {
protected:
  engineio_upgrade() { t("> poll"); }

  transcript t{transport::polling, patient()};
};

TEST_F(engineio_upgrade, goes_by_probe_and_upgrade_packet) {
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    > probe
    > probe-frame 2probe
    < probe 3probe
    < poll 200 6
    > probe-frame 5
    < promote
    > send 4a
    < ws 4a
    > frame 4b
    < received b
  )");
  EXPECT_EQ(t.subject().live_transport(), transport::websocket);
}

TEST_F(engineio_upgrade, polling_is_live_until_the_upgrade_packet) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > poll
    > send 4a
    < poll 200 4a
    > post 4b
    < received b
    < post 200 ok
    > probe-frame 2probe
    < probe 3probe
    > send 4c
    > poll
    < poll 200 4c
    > post 4d
    < received d
    < post 200 ok
    > probe-frame 5
    < promote
  )");
}

TEST_F(engineio_upgrade, what_is_queued_goes_to_the_websocket_in_order) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > probe-frame 2probe
    < probe 3probe
    > send 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f 4g 4h
    > send-binary xyz
    > probe-frame 5
    < promote
    < ws 41
    < ws 42
    < ws 43
    < ws 44
    < ws 45
    < ws 46
    < ws 47
    < ws 48
    < ws 49
    < ws 4a
    < ws 4b
    < ws 4c
    < ws 4d
    < ws 4e
    < ws 4f
    < ws 4g
    < ws 4h
    < ws binary xyz
  )");
  EXPECT_EQ(t.subject().queued_bytes(), 0U);
}

TEST_F(engineio_upgrade, a_poll_after_the_probe_is_ended_by_a_noop_when_it_stays_empty) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > probe-frame 2probe
    < probe 3probe
    > poll
    > wait 49
    > wait 1
    < poll 200 6
    > poll
    > wait 20
    > send 4a
    < poll 200 4a
    > poll
    > wait 50
    < poll 200 6
  )");
}

TEST_F(engineio_upgrade, a_poll_before_the_probe_is_held) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > poll
    > wait 500
  )");
}

TEST_F(engineio_upgrade, a_timer_that_fires_early_changes_nothing) {
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    > late 500
    > tick
    > probe
    > late 500
    > tick
    > probe-frame 2probe
    < probe 3probe
    < poll 200 6
    > poll
    > late 20
    > tick
    > tick
    > probe-frame 5
    < promote
    < poll 400 {"code":3,"message":"Bad request"}
    > tick
  )");
}

TEST_F(engineio_upgrade, a_poll_that_is_held_at_the_end_gets_a_noop) {
  for (std::string before : {"> poll\n> probe", "> probe\n> poll\n> late 50"}) {
    transcript held{transport::polling, patient()};
    held("> poll\n" + before);
    EXPECT_TRANSCRIPT(held, R"(
      > probe-frame 5
      < promote
      < poll 200 6
    )")
      << before;
  }
}

TEST_F(engineio_upgrade, a_poll_that_overtook_the_upgrade_packet_is_a_bad_request) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > probe-frame 2probe
    < probe 3probe
    > poll
    > late 49
    > probe-frame 5
    < promote
    < poll 400 {"code":3,"message":"Bad request"}
  )");
}

TEST_F(engineio_upgrade, a_poll_that_overtook_probe_and_upgrade_packet_is_a_bad_request) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > poll
    > probe-frame 2probe
    < probe 3probe
    > probe-frame 5
    < promote
    < poll 400 {"code":3,"message":"Bad request"}
  )");
}

TEST_F(engineio_upgrade, a_poll_just_before_the_probe_gets_its_noop_a_little_later) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > poll
    > wait 20
    > probe-frame 2probe
    < probe 3probe
    > wait 29
    > wait 1
    < poll 200 6
  )");
}

TEST_F(engineio_upgrade, the_upgrade_packet_is_taken_without_a_probe) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > probe-frame 5
    < promote
    > send 4a
    < ws 4a
  )");
}

TEST_F(engineio_upgrade, another_first_frame_closes_the_websocket_and_not_the_session) {
  for (std::string frame : {"4x", "2foo", "2", "", "xyz", "3probe", "5x"}) {
    auto fault = fault_line("no upgrade packet", frame.size());
    EXPECT_TRANSCRIPT(t, "> probe\n> probe-frame " + frame + "\n< close probe\n< " + fault + R"(
      > send 4a
      > poll
      < poll 200 4a
    )")
      << frame;
  }
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > probe-binary 5
    < close probe
    < fault no upgrade packet 1
    # what was under way on the closed one changes nothing
    > probe-frame 2probe
    > probe-frame 5
    > probe
    > probe-binary 2probe
    < close probe
    < fault no upgrade packet 6
    > probe
    > probe-frame 2probe
    < probe 3probe
  )");
}

TEST_F(engineio_upgrade, a_lost_websocket_leaves_the_session) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > probe-frame 2probe
    < probe 3probe
    > probe-closed
    > poll
    > wait 100
    > send 4a
    < poll 200 4a
    > probe
    > probe-frame 5
    < promote
  )");
}

TEST_F(engineio_upgrade, one_that_takes_too_long_is_given_up) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > probe-frame 2probe
    < probe 3probe
    > wait 999
    > wait 1
    < close probe
    < fault upgrade too late
    > poll
    > wait 100
    > send 4a
    < poll 200 4a
  )");
}

TEST_F(engineio_upgrade, a_second_websocket_is_refused_and_changes_nothing) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > probe
    < refused
    < fault second WebSocket
    > probe-frame 2probe
    < probe 3probe
    > probe
    < refused
    < fault second WebSocket
    > probe-frame 5
    < promote
    > probe
    < refused
    < fault second WebSocket
    > frame 4a
    < received a
  )");
}

TEST_F(engineio_upgrade, polls_and_posts_afterwards_are_bad_requests) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > probe-frame 2probe
    < probe 3probe
    > probe-frame 5
    < promote
    > poll
    < poll 400 {"code":3,"message":"Bad request"}
    > post 4a
    < post 400 {"code":3,"message":"Bad request"}
    > broken
    < post 400
    > abort
    > frame 4a
    < received a
  )");
}

TEST_F(engineio_upgrade, a_repeated_probe_is_answered_again) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > probe-frame 2probe
    < probe 3probe
    > probe-frame 2probe
    < probe 3probe
    > probe-frame 5
    < promote
  )");
}

TEST_F(engineio_upgrade, a_poll_with_something_to_say_is_no_noop) {
  t("> poll\n> probe");
  t.subject().send(text_frame("4a"));
  EXPECT_TRANSCRIPT(t, R"(
    > probe-frame 2probe
    < probe 3probe
    < poll 200 4a
  )");
}

TEST_F(engineio_upgrade, a_poll_is_no_noop_when_it_got_something_to_say_just_now) {
  t("> probe\n> probe-frame 2probe\n> poll");
  t.subject().send(text_frame("4a"));
  EXPECT_TRANSCRIPT(t, R"(
    > late 50
    < poll 200 4a
    > late 50
    > tick
  )");
  t("> poll\n> late 50");
  t.subject().send(text_frame("4b"));
  EXPECT_TRANSCRIPT(t, R"(
    > tick
    < poll 200 4b
  )");
}

TEST_F(engineio_upgrade, packets_that_no_poll_took_yet_wait_for_the_websocket) {
  t("> probe\n> probe-frame 2probe\n> poll");
  t.subject().send(text_frame("4a"));
  EXPECT_TRANSCRIPT(t, R"(
    > probe-frame 5
    < promote
    < ws 4a
    < poll 400 {"code":3,"message":"Bad request"}
  )");
}

TEST_F(engineio_upgrade, ends_when_its_client_closes_by_post) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > probe-frame 2probe
    < probe 3probe
    > post 1
    < post 200 ok
    < close probe
    < closed transport close
    > probe-frame 5
    > poll
    < poll 200 6
  )");
}

TEST_F(engineio_upgrade, ends_with_its_session) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > close forced close
    < close probe
    < closed forced close
    > probe-frame 5
  )");
}

TEST_F(engineio_upgrade, of_an_unknown_session_is_refused) {
  EXPECT_TRANSCRIPT(t, R"(
    > close forced close
    < closed forced close
    > probe
    < refused
  )");
}

TEST(engineio_upgrade_timing, the_heartbeat_goes_on_over_the_new_transport) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > probe
    > wait 300
    > probe-frame 2probe
    < probe 3probe
    > probe-frame 5
    < promote
    < ws 2
    > wait 100
    > frame 3
    > wait 300
    < ws 2
    > wait 200
    < closed ping timeout
  )");
}

TEST(engineio_upgrade_timing, nothing_but_the_probes_answer_goes_to_the_new_websocket_before_its_end) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > probe
    > probe-frame 2probe
    < probe 3probe
    > send 4a
    > wait 300
    > poll
    < poll 200 2|4a
    > post 3
    < post 200 ok
    > poll
    > wait 50
    < poll 200 6
    > wait 249
    > wait 1
    > probe-frame 5
    < promote
    < ws 2
  )");
}

TEST(engineio_upgrade_timing, a_session_that_times_out_takes_its_probe_along) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > wait 250
    > probe
    > wait 250
    < close probe
    < closed ping timeout
  )");
}

TEST(engineio_upgrade_timing, python_probes_before_its_first_poll) {
  transcript t{transport::polling, patient()};
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > probe
    > probe-frame 2probe
    < probe 3probe
    > probe-frame 5
    < promote
    > frame 40{}
    < received 0{}
  )");
}

} // namespace
} // namespace headway::engineio
