#include "net/protocol/socketio_session.hpp"

#include "tests/protocol/transcript.hpp"

#include <gtest/gtest.h>

namespace headway::socketio {
namespace {

/// A Socket.IO session in transcripts, namespaces / and /custom.
///
///   > text TEXT | binary BYTES      an Engine.IO message
///   > accept NSP SID [PID] | refuse NSP TEXT | disconnect NSP | ack NSP ID
///   > wait MS
///   < connect NSP AUTH | event NSP NAME ARGS [#ACK] [+BYTES ...] | ack NSP ID ARGS [+BYTES ...] | disconnect NSP
///   < send TEXT (what the protocol answers) | error NAME | timeout
class transcript {
public:
  std::string operator()(std::string_view script) {
    return replay(script, [this](auto& verb, auto& argument) { return act(verb, argument); });
  }

  session& subject() { return session_; }
  steady_time now() const { return now_; }

private:
  std::vector<std::string> act(const std::string& verb, const std::string& argument) {
    auto [nsp, rest] = first_word(argument);
    if (verb == "text" || verb == "binary")
      return message({verb == "binary", argument});
    if (verb == "refuse")
      return {"send " + session_.refuse(nsp, rest).data};
    if (verb == "disconnect")
      return {"send " + session_.disconnect(nsp, now_).data};
    if (verb == "ack")
      return {"send " + session_.acknowledge(nsp, std::stoull(rest), json::array({"done"})).data};
    if (verb == "accept") {
      auto [sid, pid] = first_word(rest);
      return {"send " + session_.accept(nsp, sid, pid).data};
    }
    if (verb != "wait")
      return {"unknown: " + verb};
    now_ += std::chrono::milliseconds{std::stoi(argument)};
    if (session_.on_time(now_))
      return {};
    EXPECT_LE(session_.wake_up(), now_) << "the timer would not have been set";
    return {"timeout"};
  }

  std::vector<std::string> message(const engineio::message& msg) {
    std::vector<outgoing> replies;
    auto commands = session_.on_message(msg, replies, now_);
    std::vector<std::string> out;
    for (auto& reply : replies)
      out.push_back("send " + reply.data);
    if (!commands)
      out.push_back("error " + std::string{name(commands.error())});
    else
      for (auto& one : *commands)
        out.push_back(std::visit([this](auto& c) { return line(c); }, one));
    return out;
  }

  static std::string line(const connect_command& c) { return "connect " + c.nsp + ' ' + dump_json(c.auth); }
  static std::string line(const disconnect_command& c) { return "disconnect " + c.nsp; }
  static std::string line(const event_command& c) {
    auto ack = c.ack_id ? " #" + std::to_string(*c.ack_id) : std::string{};
    return "event " + c.nsp + ' ' + c.name + ' ' + dump_json(c.args) + ack + list(c.attachments);
  }
  static std::string line(const ack_command& c) {
    return "ack " + c.nsp + ' ' + std::to_string(c.id) + ' ' + dump_json(c.args) + list(c.attachments);
  }
  static std::string list(const std::vector<std::string>& attachments) {
    std::string out;
    for (auto& bytes : attachments)
      out += " +" + bytes;
    return out;
  }

  static session_options options() {
    session_options o;
    o.namespaces = {"/", "/custom"};
    o.connect_timeout = std::chrono::milliseconds{1000};
    o.attachments_timeout = std::chrono::milliseconds{500};
    o.attachment_bytes_max = 10;
    return o;
  }

  steady_time now_ = steady_time{} + std::chrono::hours{1};
  session session_{options(), now_};
};

class socketio_session : public testing::Test {
protected:
  void join() { t("> text 0\n> accept / S"); }

  transcript t;
};

TEST_F(socketio_session, nothing_is_joined_by_itself) {
  EXPECT_FALSE(t.subject().is_connected("/"));
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < connect / {}
    > accept / S
    < send 40{"sid":"S"}
  )");
  EXPECT_TRUE(t.subject().is_connected("/"));
}

TEST_F(socketio_session, absent_and_empty_auth_are_the_same) {
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

TEST_F(socketio_session, a_pid_comes_after_the_sid) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < connect / {}
    > accept / S P
    < send 40{"sid":"S","pid":"P"}
  )");
}

TEST_F(socketio_session, a_refused_connect_may_be_tried_again) {
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

TEST_F(socketio_session, a_refusal_carries_a_code) {
  EXPECT_EQ(t.subject().refuse("/custom", "no", json{{"code", "auth_missing"}}).data,
            R"(44/custom,{"message":"no","data":{"code":"auth_missing"}})");
}

TEST_F(socketio_session, an_unknown_namespace_is_answered_at_once) {
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

TEST_F(socketio_session, connecting_twice_is_an_error) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < connect / {}
    > text 0
    < error bad_request
  )");
}

TEST_F(socketio_session, connecting_again_while_joined_is_an_error) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < error bad_request
  )");
}

TEST_F(socketio_session, nothing_but_connect_comes_before_connect) {
  for (std::string text : {R"(2["ev"])", "30[]", "1", R"(51-["ev"])", R"(2/custom,["ev"])", R"(4{"message":"x"})"}) {
    transcript fresh;
    EXPECT_TRANSCRIPT(fresh, "> text " + text + "\n< error bad_request\n");
  }
  EXPECT_TRANSCRIPT(t, R"(
    > binary xyz
    < error bad_request
  )");
}

TEST_F(socketio_session, nothing_comes_between_connect_and_its_answer) {
  EXPECT_TRANSCRIPT(t, R"(
    > text 0
    < connect / {}
    > text 2["ev"]
    < error bad_request
  )");
}

TEST_F(socketio_session, what_the_codec_refuses_is_an_error) {
  for (std::string text : {"", "2", "2{}", "2[]", R"(2abc["ev"])", "9", "abc", R"(2["disconnect"])", "0[]"}) {
    transcript fresh;
    fresh("> text 0\n> accept / S");
    EXPECT_NE(fresh("> text " + text).find("< error"), std::string::npos) << text;
  }
}

TEST_F(socketio_session, hands_on_events_and_acks) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 2["join_job",{"job_id":42}]
    < event / join_job [{"job_id":42}]
    > text 212["ping"]
    < event / ping [] #12
    > ack / 12
    < send 4312["done"]
    > text 2[7,1]
    < event / 7 [1]
    > text 35[true]
    < ack / 5 [true]
  )");
}

TEST_F(socketio_session, namespaces_do_not_mix) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 2/custom,["ev"]
    < error bad_request
  )");
}

TEST_F(socketio_session, collects_attachments_in_order) {
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

TEST_F(socketio_session, a_text_between_attachments_is_an_error) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 51-["up"]
    > text 2["ev"]
    < error bad_request
  )");
}

TEST_F(socketio_session, an_attachment_nobody_announced_is_an_error) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 51-["up"]
    > binary abc
    < event / up [] +abc
    > binary abc
    < error bad_request
  )");
}

TEST_F(socketio_session, attachments_are_bounded_together) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 53-["up"]
    > binary 12345
    > binary 67890
    > binary x
    < error payload_too_large
  )");
}

TEST_F(socketio_session, attachments_have_a_deadline) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > text 52-["up"]
    > wait 300
    > binary abc
    > wait 199
    > wait 1
    < timeout
  )");
}

TEST_F(socketio_session, a_namespace_must_be_joined_in_time) {
  EXPECT_EQ(t.subject().wake_up(), t.now() + std::chrono::milliseconds{1000});
  EXPECT_TRANSCRIPT(t, R"(
    > wait 999
    > wait 1
    < timeout
  )");
}

TEST_F(socketio_session, a_refused_connect_does_not_stop_the_clock) {
  EXPECT_TRANSCRIPT(t, R"(
    > wait 900
    > text 0
    < connect / {}
    > refuse / no
    < send 44{"message":"no"}
    > text 0/random
    < send 44/random,{"message":"Invalid namespace"}
    > wait 100
    < timeout
  )");
}

TEST_F(socketio_session, joining_stops_the_clock) {
  join();
  EXPECT_EQ(t.subject().wake_up(), steady_time::max());
  EXPECT_TRANSCRIPT(t, R"(
    > wait 100000
  )");
}

TEST_F(socketio_session, leaving_the_last_namespace_starts_the_clock_anew) {
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
    < timeout
  )");
}

TEST_F(socketio_session, a_server_disconnect_starts_the_clock_too) {
  join();
  EXPECT_TRANSCRIPT(t, R"(
    > disconnect /
    < send 41
    > wait 999
    > wait 1
    < timeout
  )");
  EXPECT_FALSE(t.subject().is_connected("/"));
}

TEST_F(socketio_session, a_namespace_may_be_joined_again) {
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

TEST_F(socketio_session, late_packets_for_a_namespace_that_was_left_are_dropped) {
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

TEST_F(socketio_session, attachments_are_dropped_with_their_namespace) {
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

TEST(socketio_event_text, is_made_once_for_all) {
  EXPECT_EQ(event_text("/", "job_update", json{{"job_id", 42}}), R"(42["job_update",{"job_id":42}])");
  EXPECT_EQ(event_text("/custom", "pong", json::object()), R"(42/custom,["pong",{}])");
  EXPECT_EQ(event_text("/", "ev", json::array({1, 2})), R"(42["ev",[1,2]])");
  EXPECT_EQ(event_text("/", "ev", "\xff"), "42[\"ev\",\"\xef\xbf\xbd\"]");
}

TEST(socketio_acknowledge, names_its_attachments) {
  session s{{}, steady_time{}};
  auto args = json::array({json{{"_placeholder", true}, {"num", 0}}});
  EXPECT_EQ(s.acknowledge("/", 456, args, 1).data, R"(461-456[{"_placeholder":true,"num":0}])");
  EXPECT_EQ(s.acknowledge("/custom", 0, json::array()).data, "43/custom,0[]");
}

} // namespace
} // namespace headway::socketio
