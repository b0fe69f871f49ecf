// Joining and leaving namespaces, and the time there is for it.
#include "tests/protocol/socketio_transcript.hpp"

#include <gtest/gtest.h>

namespace headway::socketio {
namespace {

using socketio_connect = socketio_test;
using socketio_leave = socketio_test;
using socketio_time = socketio_test;

TEST_F(socketio_connect, nothing_is_joined_by_itself) {
  EXPECT_FALSE(t.subject().is_connected("/"));
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < connect / {}
    > accept / S
    < send 40{"sid":"S"}
  )");
  EXPECT_TRUE(t.subject().is_connected("/"));
}

TEST_F(socketio_connect, absent_and_empty_auth_are_the_same) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 0{}
    < connect / {}
    > accept / S
    < send 40{"sid":"S"}
    > text 0/custom,{"token":"t"}
    < connect /custom {"token":"t"}
    > accept /custom S2
    < send 40/custom,{"sid":"S2"}
  )");
}

TEST_F(socketio_connect, a_pid_comes_after_the_sid) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < connect / {}
    > accept / S P
    < send 40{"sid":"S","pid":"P"}
  )");
}

TEST_F(socketio_connect, a_refused_connect_may_be_tried_again) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < connect / {}
    > refuse / no
    < send 44{"message":"no"}
    > text 0{"token":"t"}
    < connect / {"token":"t"}
    > accept / S
    < send 40{"sid":"S"}
  )");
}

TEST_F(socketio_connect, a_refusal_carries_a_code) {
  EXPECT_EQ(t.subject().refuse("/custom", "no", json{{"code", "auth_missing"}}).data,
            R"(44/custom,{"message":"no","data":{"code":"auth_missing"}})");
}

TEST_F(socketio_connect, an_unknown_namespace_is_answered_at_once) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 0/random
    < send 44/random,{"message":"Invalid namespace"}
    > text 0/custom?x=1,{}
    < send 44/custom?x=1,{"message":"Invalid namespace"}
    > text 0/äöü
    < send 44/äöü,{"message":"Invalid namespace"}
    > text 0/custom/deeper,
    < send 44/custom/deeper,{"message":"Invalid namespace"}
    > text 0
    < connect / {}
  )");
}

TEST(socketio_namespace, is_echoed_to_64_bytes_at_most) {
  session_options options;
  options.limits.namespace_bytes = 1000;
  session s{options, steady_time{}};
  std::vector<outgoing> replies;
  EXPECT_TRUE(s.on_message({false, "0/" + std::string(500, 'x')}, replies, steady_time{}));
  EXPECT_TRUE(s.on_message({false, "0/€" + std::string(59, 'x') + "€"}, replies, steady_time{}));
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_EQ(replies[0].data, "44/" + std::string(63, 'x') + R"(,{"message":"Invalid namespace"})");
  EXPECT_EQ(replies[1].data, "44/€" + std::string(59, 'x') + R"(,{"message":"Invalid namespace"})");
}

TEST_F(socketio_connect, connecting_twice_is_an_error) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < connect / {}
    > text 0
    < error bad_request, namespace joined already
  )");
}

TEST_F(socketio_connect, connecting_again_while_joined_is_an_error) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < error bad_request, namespace joined already
  )");
}

TEST_F(socketio_connect, nothing_but_connect_comes_before_connect) {
  for (std::string text : {R"(2["ev"])", "30[]", "1", R"(51-["ev"])", R"(2/custom,["ev"])"}) {
    transcript fresh;
    EXPECT_TRANSCRIPT(fresh, "> text " + text + "\n< error bad_request, namespace not joined\n");
  }
  EXPECT_TRANSCRIPT(t, R"(
    > binary xyz
    < error bad_request, binary nobody announced
  )");
}

TEST_F(socketio_connect, nothing_comes_between_connect_and_its_answer) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < connect / {}
    > text 2["ev"]
    < error bad_request, namespace not joined
  )");
}

TEST_F(socketio_connect, its_answer_is_not_hurried_by_a_goodbye) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < connect / {}
    > text 1
    < error bad_request, namespace not joined
  )");
}

TEST_F(socketio_connect, two_namespaces_may_be_decided_on_at_once) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 0/custom
    < connect /custom {}
    > text 0
    < connect / {}
    > accept / S
    < send 40{"sid":"S"}
    > text 2["ev"]
    < event / ev []
    > refuse /custom no
    < send 44/custom,{"message":"no"}
    > text 2/custom,["ev"]
    < error bad_request, namespace not joined
  )");
}

TEST_F(socketio_connect, an_error_of_it_from_a_client_is_an_error) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 4{"message":"x"}
    < error bad_request, CONNECT_ERROR from client
  )");
  transcript fresh;
  fresh("> text 0\n> accept / S");
  EXPECT_TRANSCRIPT(fresh, R"(
    > text 4"x"
    < error bad_request, CONNECT_ERROR from client
  )");
}

TEST(socketio_namespaces, are_four_at_most) {
  auto options = transcript::quick();
  options.namespaces = {"/", "/a", "/b", "/c", "/d"};
  transcript t{options};
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < connect / {}
    > accept / S
    < send 40{"sid":"S"}
    > text 0/a
    < connect /a {}
    > text 0/b
    < connect /b {}
    > text 0/c
    < connect /c {}
    > text 0/d,{}
    < send 44/d,{"message":"Too many namespaces"}
    > text 0/random
    < send 44/random,{"message":"Invalid namespace"}
    > refuse /c no
    < send 44/c,{"message":"no"}
    > text 0/d
    < connect /d {}
    > text 0/c
    < send 44/c,{"message":"Too many namespaces"}
    > text 1
    < disconnect /
    > text 0/c
    < connect /c {}
  )");
}

TEST_F(socketio_connect, namespaces_do_not_mix) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 2/custom,["ev"]
    < error bad_request, namespace not joined
  )");
}

TEST_F(socketio_leave, a_namespace_may_be_joined_again) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 1
    < disconnect /
    > text 0
    < connect / {}
    > accept / S2
    < send 40{"sid":"S2"}
    > text 2["ev"]
    < event / ev []
  )");
}

TEST_F(socketio_leave, is_not_answered_and_leaves_the_others) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 0/custom
    < connect /custom {}
    > accept /custom S2
    < send 40/custom,{"sid":"S2"}
    > text 1
    < disconnect /
    > text 2/custom,["ev"]
    < event /custom ev []
  )");
  EXPECT_FALSE(t.subject().is_connected("/"));
  EXPECT_TRUE(t.subject().is_connected("/custom"));
}

TEST_F(socketio_leave, with_a_payload_is_an_error) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 1{"why":"bye"}
    < error bad_request, bad Socket.IO packet
  )");
}

TEST_F(socketio_leave, makes_the_clients_own_late_packets_harmless) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 1
    < disconnect /
    > text 2["late"]
    > text 21["late",{"ack":"wanted"}]
    > text 31[]
    > text 1
    > text 51-["late"]
    > binary 123456789
  )");
}

TEST_F(socketio_leave, keeps_late_packets_harmless_while_a_new_connect_is_decided_on) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > disconnect /
    < send 41
    > text 0
    < connect / {}
    > text 2["late"]
    > accept / S2
    < send 40{"sid":"S2"}
    > text 2["in time"]
    < event / in time []
  )");
}

TEST_F(socketio_leave, late_packets_for_a_namespace_that_was_left_are_dropped) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 0/custom
    < connect /custom {}
    > accept /custom S2
    < send 40/custom,{"sid":"S2"}
    > disconnect /custom
    < send 41/custom,
    > text 2/custom,["late"]
    > text 3/custom,1[]
    > text 52-/custom,["late",{"_placeholder":true,"num":0}]
    > binary abc
    > binary def
    > text 1/custom,
    > text 2["ev"]
    < event / ev []
  )");
}

TEST_F(socketio_time, a_namespace_must_be_joined_in_time) {
  EXPECT_EQ(t.subject().wake_up(), t.now() + std::chrono::milliseconds{1000});
  EXPECT_TRANSCRIPT(t, R"(
    > wait 999
    > wait 1
    < timeout no namespace joined in time
  )");
}

TEST_F(socketio_time, a_refused_connect_does_not_stop_the_clock) {
  EXPECT_TRANSCRIPT(t, R"(
    > wait 900
    > text 0
    < connect / {}
    > refuse / no
    < send 44{"message":"no"}
    > text 0/random
    < send 44/random,{"message":"Invalid namespace"}
    > wait 100
    < timeout no namespace joined in time
  )");
}

TEST_F(socketio_time, asking_does_not_stop_the_clock) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < connect / {}
    > wait 1000
    < timeout no namespace joined in time
  )");
}

TEST_F(socketio_time, a_late_timer_lets_nobody_in) {
  EXPECT_TRANSCRIPT(t, R"(
    > late 1000
    > text 0
    < error request_timeout, no namespace joined in time
  )");
}

TEST_F(socketio_time, an_answer_to_nobody_does_not_stop_the_clock) {
  (void)t.subject().accept("/", "S");
  EXPECT_FALSE(t.subject().is_connected("/"));
  EXPECT_TRANSCRIPT(t, R"(
    > wait 1000
    < timeout no namespace joined in time
  )");
}

TEST_F(socketio_time, joining_stops_the_clock) {
  join();
  EXPECT_EQ(t.subject().wake_up(), steady_time::max());
  EXPECT_TRANSCRIPT(t, R"(
    > wait 100000
  )");
}

TEST_F(socketio_time, leaving_the_last_namespace_starts_the_clock_anew) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 0/custom
    < connect /custom {}
    > accept /custom S2
    < send 40/custom,{"sid":"S2"}
    > text 1
    < disconnect /
    > wait 5000
    > text 1/custom,
    < disconnect /custom
    > wait 999
    > wait 1
    < timeout no namespace joined in time
  )");
}

TEST_F(socketio_time, a_server_disconnect_starts_the_clock_too) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > disconnect /
    < send 41
    > wait 999
    > wait 1
    < timeout no namespace joined in time
  )");
  EXPECT_FALSE(t.subject().is_connected("/"));
}

} // namespace
} // namespace headway::socketio
