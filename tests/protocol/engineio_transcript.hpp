// An Engine.IO session in transcripts. "|" stands for 0x1E, "OPEN" for its open packet.
//
//   > poll | abort | post-head | post BODY | octets BODY | too-big BYTES | broken | probe | probe-frame TEXT |
//   probe-binary TEXT | probe-closed > frame TEXT | binary BYTES | gone | send TEXT TEXT ... | send-binary BYTES |
//   close REASON > wait MS     time passes, the timers fire when they ought to > late MS     time passes, no timer
//   fires > tick        a timer fires, whether it ought to or not < received TEXT | poll STATUS BODY | second poll
//   STATUS BODY | read on (a POST) | post STATUS BODY | cut post < ws TEXT | promote | probe TEXT | close probe |
//   refused (the probe) | fault NAME [BYTES] | closed REASON
#pragma once

#include "net/protocol/engineio_session.hpp"
#include "tests/protocol/transcript.hpp"

#include <algorithm>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace headway::engineio {

/// "fault bad packet 3"; without the size where there is none.
inline std::string fault_line(std::string_view name, std::size_t bytes) {
  return "fault " + std::string{name} + (bytes > 0 ? ' ' + std::to_string(bytes) : std::string{});
}

class transcript {
public:
  explicit transcript(transport first = transport::polling, session_options options = quick())
    : session_{options, "SID", first, now_} {}

  /// The timing of the official suite.
  static session_options quick() {
    session_options options;
    options.ping_interval = std::chrono::milliseconds{300};
    options.ping_timeout = std::chrono::milliseconds{200};
    options.upgrade_timeout = std::chrono::milliseconds{1000};
    return options;
  }

  std::string operator()(std::string_view script) {
    return replay(script, [this](auto& verb, auto& argument) { return act(verb, argument); });
  }

  session& subject() { return session_; }
  steady_time now() const { return now_; }

private:
  std::vector<std::string> act(const std::string& verb, const std::string& argument) {
    std::vector<std::string> out;
    if (verb == "poll")
      session_.on_poll(now_);
    else if (verb == "abort")
      session_.on_poll_aborted(now_);
    else if (verb == "post" || verb == "octets")
      session_.on_post(bytes(argument), verb == "octets", now_);
    else if (verb == "post-head" && session_.on_post_begin(now_))
      out.push_back("read on");
    else if (verb == "too-big")
      session_.on_post_too_big(std::stoul(argument), now_);
    else if (verb == "broken")
      session_.on_post_broken(now_);
    else if (verb == "probe" && !session_.on_probe_open(now_))
      out.push_back("refused");
    else if (verb == "probe-frame" || verb == "probe-binary")
      session_.on_probe_frame(argument, verb == "probe-binary", now_);
    else if (verb == "probe-closed")
      session_.on_probe_closed(now_);
    else if (verb == "frame" || verb == "binary")
      session_.on_websocket_frame(argument, verb == "binary", now_);
    else if (verb == "gone")
      session_.on_websocket_closed(close_reason::transport_close, now_);
    else if (verb == "send")
      for (std::istringstream words{argument}; words >> argument_;)
        session_.send(text_frame(argument_));
    else if (verb == "send-binary")
      session_.send(binary_frame(argument));
    else if (verb == "close")
      session_.close(reason(argument), now_);
    else if (verb == "wait")
      wait(std::chrono::milliseconds{std::stoi(argument)}, out);
    else if (verb == "late")
      now_ += std::chrono::milliseconds{std::stoi(argument)};
    else if (verb == "tick")
      session_.on_time(now_);
    else if (verb != "probe" && verb != "post-head" && verb != "take")
      out.push_back("unknown: " + verb);
    take(out);
    return out;
  }

  void wait(std::chrono::milliseconds time, std::vector<std::string>& out) {
    auto end = now_ + time;
    while (session_.wake_up() <= end) {
      now_ = std::max(now_, session_.wake_up());
      session_.on_time(now_);
      take(out);
    }
    now_ = end;
  }

  void take(std::vector<std::string>& out) {
    auto todo = session_.take_actions();
    for (auto& msg : todo.received)
      out.push_back((msg.is_binary ? "received binary " : "received ") + msg.data);
    for (auto& packet : todo.to_probe)
      out.push_back("probe " + std::string{packet->payload()});
    if (todo.promote_probe)
      out.push_back("promote");
    for (auto& packet : todo.to_websocket)
      out.push_back((packet->is_binary() ? "ws binary " : "ws ") + short_form(packet->payload()));
    answer("poll", todo.poll_answer, out);
    answer("second poll", todo.second_poll_answer, out);
    answer("post", todo.post_answer, out);
    if (todo.cut_post)
      out.push_back("cut post");
    if (todo.close_probe)
      out.push_back("close probe");
    if (todo.fault != peer_fault::none)
      out.push_back(fault_line(to_string(todo.fault), todo.fault_bytes));
    if (todo.closed != close_reason::none)
      out.push_back("closed " + std::string{to_string(todo.closed)});
  }

  static void answer(const std::string& what, const std::optional<http_answer>& answer, std::vector<std::string>& out) {
    if (!answer)
      return;
    auto line = what + ' ' + std::to_string(answer->status);
    if (!answer->body.empty())
      line += ' ' + short_form(answer->body);
    std::ranges::replace(line, '\x1e', '|');
    out.push_back(line);
  }

  static std::string short_form(std::string_view text) {
    constexpr std::string_view start = R"(0{"sid":"SID")";
    if (!text.starts_with(start))
      return std::string{text};
    return "OPEN" + std::string{text.substr(text.find('}') + 1)};
  }

  static std::string bytes(std::string text) {
    std::ranges::replace(text, '|', '\x1e');
    return text;
  }

  static close_reason reason(const std::string& text) {
    for (int i = 0; i <= static_cast<int>(close_reason::slow_consumer); ++i)
      if (to_string(static_cast<close_reason>(i)) == text)
        return static_cast<close_reason>(i);
    return close_reason::forced_close;
  }

  steady_time now_ = steady_time{} + std::chrono::hours{1};
  session session_;
  std::string argument_;
};

/// An answer that must be there.
inline const http_answer& given(const std::optional<http_answer>& answer) {
  if (!answer)
    throw std::logic_error{"no answer"};
  return *answer;
}

} // namespace headway::engineio
