// A Socket.IO session in transcripts, namespaces / and /custom.
//
//   > text TEXT | binary BYTES      an Engine.IO message
//   > accept NSP SID [PID] | refuse NSP TEXT | disconnect NSP | ack NSP ID
//   > wait MS                       the timer fires; `late MS`: it does not
//   < connect NSP AUTH | event NSP NAME ARGS [#ACK] [+BYTES ...] | ack NSP ID ARGS [+BYTES ...] | disconnect NSP
//   < send TEXT (what the protocol answers) | error NAME, FAULT | timeout FAULT
#pragma once

#include "net/protocol/socketio_session.hpp"
#include "tests/protocol/transcript.hpp"

#include <gtest/gtest.h>

namespace headway::socketio {

class transcript {
public:
  explicit transcript(session_options options = quick()) : session_{std::move(options), now_} {}

  static session_options quick() {
    session_options o;
    o.namespaces = {"/", "/custom"};
    o.connect_timeout = std::chrono::milliseconds{1000};
    o.attachments_timeout = std::chrono::milliseconds{500};
    o.attachment_bytes_max = 10;
    return o;
  }

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
    if (verb != "wait" && verb != "late")
      return {"unknown: " + verb};
    now_ += std::chrono::milliseconds{std::stoi(argument)};
    if (verb == "late" || session_.on_time(now_))
      return {};
    EXPECT_LE(session_.wake_up(), now_) << "the timer would not have been set";
    return {"timeout " + fault()};
  }

  std::vector<std::string> message(const engineio::message& msg) {
    std::vector<outgoing> replies;
    auto commands = session_.on_message(msg, replies, now_);
    std::vector<std::string> out;
    for (auto& reply : replies)
      out.push_back("send " + reply.data);
    if (!commands)
      out.push_back("error " + std::string{name(commands.error())} + ", " + fault());
    else
      for (auto& one : *commands)
        out.push_back(std::visit([this](auto& c) { return line(c); }, one));
    return out;
  }

  std::string fault() const { return std::string{to_string(session_.fault())}; }

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

  steady_time now_ = steady_time{} + std::chrono::hours{1};
  session session_;
};

/// Most tests begin with "/" joined.
class socketio_test : public testing::Test {
protected:
  void join() { t("> text 0\n> accept / S"); }

  transcript t;
};

} // namespace headway::socketio
