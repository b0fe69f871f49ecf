// POSTs: whole ones, and such as take their time.
#include "tests/protocol/engineio_transcript.hpp"

#include <gtest/gtest.h>

namespace headway::engineio {
namespace {

TEST(engineio_post, hands_packets_on_and_says_ok) {
  transcript t;
  t("> poll");
  t.subject().on_post("4a\x1e"
                      "4b\x1e"
                      "bAQID",
                      false, t.now());
  auto todo = t.subject().take_actions();
  ASSERT_EQ(todo.received.size(), 3U);
  EXPECT_EQ(todo.received[1].data, "b");
  EXPECT_TRUE(todo.received[2].is_binary);
  EXPECT_EQ(given(todo.post_answer).status, 200);
  EXPECT_EQ(given(todo.post_answer).body, "ok");
  EXPECT_EQ(given(todo.post_answer).content_type, "text/html");
  EXPECT_EQ(given(todo.post_answer).headers.at(0).second, "no-store");
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
  for (std::string body : {"", "|", "4a|", "|4a", "4a||4b", "abc", "7", "b*", "4\xff", "4a|7"}) {
    transcript t;
    t("> poll");
    EXPECT_TRANSCRIPT(t, "> post " + body + "\n< post 400\n< " + fault_line("bad packet", body.size()) + R"(
      < closed parse error
      > poll
      < poll 400 {"code":1,"message":"Session ID unknown"}
    )")
      << body;
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
    < fault too many packets 8
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
    < fault message too big 6
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
    < fault binary POST 2
    < closed transport error
  )");
}

TEST(engineio_post, a_broken_one_ends_the_session) {
  transcript t;
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > poll
    > broken
    < poll 200 1
    < post 400
    < fault POST broken off
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

/// POSTs whose beginning is announced.
class engineio_post_begin : public testing::Test {
protected:
  engineio_post_begin() { t("> poll"); }

  transcript t;
};

TEST_F(engineio_post_begin, lets_one_after_the_other_be_read) {
  EXPECT_TRANSCRIPT(t, R"(
    > post-head
    < read on
    > post 4a
    < received a
    < post 200 ok
    > post-head
    < read on
    > post 4b
    < received b
    < post 200 ok
  )");
}

TEST_F(engineio_post_begin, of_a_second_one_ends_the_session_and_cuts_the_first) {
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    > post-head
    < read on
    > post-head
    < poll 200 1
    < post 400
    < cut post
    < fault second POST
    < closed transport error
    > post 4a
    < post 400 {"code":1,"message":"Session ID unknown"}
    > broken
    < post 400
    > poll
    < poll 400 {"code":1,"message":"Session ID unknown"}
  )");
}

TEST_F(engineio_post_begin, leaves_polls_their_turn) {
  EXPECT_TRANSCRIPT(t, R"(
    > post-head
    < read on
    > poll
    > send 4a
    < poll 200 4a
    > wait 300
    > poll
    < poll 200 2
  )");
}

TEST_F(engineio_post_begin, of_one_that_breaks_off_ends_the_session) {
  EXPECT_TRANSCRIPT(t, R"(
    > post-head
    < read on
    > broken
    < post 400
    < fault POST broken off
    < closed transport error
  )");
}

TEST_F(engineio_post_begin, of_one_that_is_too_big_leaves_the_session) {
  EXPECT_TRANSCRIPT(t, R"(
    > post-head
    < read on
    > too-big 2000000
    < post 413
    < fault message too big 2000000
    > post-head
    < read on
    > post 4a
    < received a
    < post 200 ok
    > too-big 1000001
    < post 413
    < fault message too big 1000001
  )");
}

TEST_F(engineio_post_begin, is_refused_when_the_session_has_ended) {
  EXPECT_TRANSCRIPT(t, R"(
    > post-head
    < read on
    > wait 500
    < closed ping timeout
    > post 4a
    < post 400 {"code":1,"message":"Session ID unknown"}
    > post-head
    < post 400 {"code":1,"message":"Session ID unknown"}
    > too-big 1000001
    < post 400 {"code":1,"message":"Session ID unknown"}
  )");
}

TEST_F(engineio_post_begin, is_a_bad_request_after_the_upgrade_and_no_fault) {
  EXPECT_TRANSCRIPT(t, R"(
    > probe
    > post-head
    < read on
    > probe-frame 5
    < promote
    > post-head
    < post 400 {"code":3,"message":"Bad request"}
    > post 4overtaken
    < post 400 {"code":3,"message":"Bad request"}
    > too-big 1000001
    < post 400 {"code":3,"message":"Bad request"}
    > broken
    < post 400
    > frame 4a
    < received a
  )");
}

} // namespace
} // namespace headway::engineio
