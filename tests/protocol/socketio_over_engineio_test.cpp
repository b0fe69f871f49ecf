// Both sessions as a server joins them, over polling and WebSocket: "message" comes back as "message-back", an event
// that asks for it is acknowledged with its arguments.
#include "net/protocol/socketio_session.hpp"
#include "tests/protocol/engineio_transcript.hpp"

#include <gtest/gtest.h>

namespace headway {
namespace {

using socketio::outgoing;

/// Engine.IO's verbs; what is received is answered before the next line.
class echo_server {
public:
  explicit echo_server(engineio::transport first) : engine_{first}, socket_{{}, engine_.now()} {}

  std::string operator()(std::string_view script) {
    return replay(script, [this](auto& verb, auto& argument) {
      std::vector<std::string> out;
      std::istringstream lines{engine_("> " + verb + ' ' + argument)};
      for (std::string line; std::getline(lines, line);)
        answer(line, out);
      std::istringstream rest{engine_("> take")};
      for (std::string line; std::getline(rest, line);)
        answer(line, out);
      return out;
    });
  }

private:
  void answer(const std::string& line, std::vector<std::string>& out) {
    constexpr std::string_view binary = "< received binary ", text = "< received ";
    if (line.starts_with(binary))
      on_message({true, line.substr(binary.size())});
    else if (line.starts_with(text))
      on_message({false, line.substr(text.size())});
    else if (line.starts_with("< "))
      out.push_back(line.substr(2));
  }

  void on_message(const engineio::message& msg) {
    std::vector<outgoing> replies;
    auto commands = socket_.on_message(msg, replies, engine_.now());
    send(replies);
    if (!commands) {
      engine_.subject().close(engineio::close_reason::parse_error, engine_.now());
      return;
    }
    for (auto& command : *commands)
      std::visit([this](auto& c) { carry_out(c); }, command);
  }

  void carry_out(const socketio::connect_command& c) { send({socket_.accept(c.nsp, "S")}); }
  void carry_out(const socketio::event_command& c) {
    if (c.ack_id)
      send(socketio::ack_packets(c.nsp, *c.ack_id, c.args, c.attachments));
    else
      send(socketio::event_packets(c.nsp, c.name + "-back", c.args, c.attachments));
  }
  void carry_out(const socketio::ack_command&) {}
  void carry_out(const socketio::disconnect_command&) {}

  void send(const std::vector<outgoing>& packets) {
    for (auto& one : packets)
      engine_.subject().send(one.is_binary ? binary_frame(one.data) : text_frame(one.data));
  }

  engineio::transcript engine_;
  socketio::session socket_;
};

TEST(socketio_over_polling, echoes_of_one_post_are_in_one_answer) {
  echo_server t{engineio::transport::polling};
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > post 40
    < post 200 ok
    > poll
    < poll 200 40{"sid":"S"}
    > post 42["message",1,"2",{"3":[true]}]|4212["message-with-ack","\u001e"]
    < post 200 ok
    > poll
    < poll 200 42["message-back",1,"2",{"3":[true]}]|4312["\u001e"]
  )");
}

TEST(socketio_over_polling, attachments_may_come_in_posts_of_their_own_and_pongs_between) {
  echo_server t{engineio::transport::polling};
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > post 40
    < post 200 ok
    > post 452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]
    < post 200 ok
    > post beHl6|3
    < post 200 ok
    > post bYWJj
    < post 200 ok
    > poll
    < poll 200 40{"sid":"S"}|452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]|beHl6|bYWJj
  )");
}

TEST(socketio_over_polling, an_error_closes_the_connection_of_a_waiting_poll) {
  echo_server t{engineio::transport::polling};
  EXPECT_TRANSCRIPT(t, R"(
    > poll
    < poll 200 OPEN
    > poll
    > post 42["too early"]
    < post 200 ok
    < poll 200 1
    < closed parse error
  )");
}

TEST(socketio_over_websocket, attachments_follow_their_text) {
  echo_server t{engineio::transport::websocket};
  EXPECT_TRANSCRIPT(t, R"(
    > take
    < ws OPEN
    > frame 40{}
    < ws 40{"sid":"S"}
    > frame 461-7[{"_placeholder":true,"num":0}]
    > binary abc
    > frame 451-5["message",{"_placeholder":true,"num":0}]
    > frame 3
    > binary abc
    < ws 461-5[{"_placeholder":true,"num":0}]
    < ws binary abc
  )");
}

TEST(socketio_over_websocket, leaving_keeps_the_connection_and_its_heartbeat) {
  echo_server t{engineio::transport::websocket};
  EXPECT_TRANSCRIPT(t, R"(
    > take
    < ws OPEN
    > frame 40
    < ws 40{"sid":"S"}
    > frame 41
    > wait 300
    < ws 2
    > frame 3
    > frame 40
    < ws 40{"sid":"S"}
    > wait 300
    < ws 2
  )");
}

TEST(socketio_over_websocket, an_error_closes_without_another_packet) {
  for (std::string frame : {"4", "4abc", "42{}", "42abc[\"ev\"]", "49", "42[\"connect\"]"}) {
    echo_server t{engineio::transport::websocket};
    t("> take\n> frame 40");
    EXPECT_TRANSCRIPT(t, "> frame " + frame + "\n< closed parse error") << frame;
  }
}

} // namespace
} // namespace headway
