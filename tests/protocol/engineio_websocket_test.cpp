// A session on WebSocket from the start.
#include "tests/protocol/engineio_transcript.hpp"

#include <gtest/gtest.h>

namespace headway::engineio {
namespace {

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
    < received binary )"
                       "\x01\x02\x03\x04"
                       R"(
    > send 4a 4b
    < ws 4a
    < ws 4b
    > send-binary abc
    < ws binary abc
  )");
  EXPECT_EQ(t.subject().queued_bytes(), 0U);
}

TEST(engineio_websocket, carries_binary_as_base64_to_a_client_that_takes_none) {
  auto options = transcript::quick();
  options.b64 = true;
  transcript t{transport::websocket, options};
  EXPECT_TRANSCRIPT(t, R"(
    > take
    < ws OPEN
    > send-binary xyz
    < ws beHl6
    > binary xyz
    < received binary xyz
  )");
  transcript upgraded{transport::polling, options};
  EXPECT_TRANSCRIPT(upgraded, R"(
    > poll
    < poll 200 OPEN
    > probe
    > send 4a
    > send-binary xyz
    > probe-frame 5
    < promote
    < ws 4a
    < ws beHl6
  )");
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
    EXPECT_TRANSCRIPT(t, "> frame " + frame + "\n< " + fault_line("bad packet", frame.size()) + R"(
      < closed parse error
      > frame 4a
      > send 4a
    )")
      << frame;
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

TEST(engineio_websocket, open_upgrade_and_noop_from_a_client_are_ignored) {
  transcript t{transport::websocket};
  EXPECT_TRANSCRIPT(t, R"(
    > take
    < ws OPEN
    > frame 0{}
    > frame 5
    > frame 6
    > frame 4a
    < received a
  )");
}

TEST(engineio_websocket, takes_exactly_max_payload_and_more_is_a_transport_error) {
  auto options = transcript::quick();
  options.max_payload_bytes = 4;
  transcript t{transport::websocket, options};
  t("> take");
  EXPECT_TRANSCRIPT(t, R"(
    > frame 4abc
    < received abc
    > binary abcd
    < received binary abcd
    > frame 4abcd
    < fault message too big 5
    < closed transport error
  )");
}

TEST(engineio_websocket, that_broke_is_a_transport_error) {
  transcript t{transport::websocket};
  t("> take");
  t.subject().on_websocket_closed(close_reason::transport_error, t.now());
  EXPECT_TRANSCRIPT(t, R"(
    > take
    < closed transport error
  )");
}

} // namespace
} // namespace headway::engineio
