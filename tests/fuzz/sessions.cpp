// A peer's whole life as a script of bytes: an Engine.IO session with a Socket.IO session on top.
//
//   polls, POSTs, frames, time --> engineio::session -- messages --> socketio::session -- commands --> accept, refuse
//
// Every poll and POST is answered once, what is closed stays closed, nothing happens after the end, and no timer that
// has fired wants to fire again at once.
#include "net/protocol/socketio_session.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace headway;
using engineio::close_reason;
using engineio::transport;

// Small, so that short scripts come to the limits.
engineio::session_options engineio_options() {
  engineio::session_options options;
  options.max_payload_bytes = 200;
  options.max_packets_in = 6;
  options.max_packets_out = 4;
  return options;
}
socketio::session_options socketio_options() {
  socketio::session_options options;
  options.namespaces = {"/", "/a"};
  options.attachment_bytes_max = 32;
  return options;
}

constexpr std::string_view our_text = "4payload";

class peer {
public:
  explicit peer(fuzz::input in)
    : in_{in},
      first_{in_.byte() % 2 == 0 ? transport::polling : transport::websocket},
      engineio_{engineio_options(), "S", first_, now_},
      socketio_{socketio_options(), now_} {}

  void run() {
    carry_out();
    while (!in_.empty()) {
      was_closed_ = engineio_.is_closed();
      step();
      carry_out();
    }
  }

private:
  void step() {
    switch (in_.byte() % 16) {
      case 0:
      case 1: poll(); break;
      case 2: post(in_.text(), false); break;
      case 3: post(in_.text(), in_.byte() % 8 == 0); break;
      case 4: abort_poll(); break;
      case 5: open_probe(); break;
      case 6:
        if (probe_open_)
          engineio_.on_probe_frame(in_.text(), in_.byte() % 8 == 0, now_);
        break;
      case 7:
        if (probe_open_)
          engineio_.on_probe_frame(in_.byte() % 2 == 0 ? "2probe" : "5", false, now_);
        break;
      case 8: websocket_frame(); break;
      case 9: close_websocket(); break;
      case 10: engineio_.close(static_cast<close_reason>(3 + in_.below(5)), now_); break;
      case 11:
        if (probe_open_)
          engineio_.on_probe_closed(now_);
        probe_open_ = false;
        break;
      case 12: pass_time(std::chrono::milliseconds{in_.below(30'000)}); break;
      case 13: send_ours(); break;
      case 14: answer_namespaces(); break;
      case 15:
        ++posts_open_;
        engineio_.on_post_broken(now_);
        break;
    }
  }

  void poll() {
    ++polls_open_;
    engineio_.on_poll(now_);
  }
  void post(std::string_view body, bool is_octet_stream) {
    ++posts_open_;
    engineio_.on_post(body, is_octet_stream, now_);
  }
  void abort_poll() {
    if (polls_open_ == 0)
      return;
    polls_open_ = 0;
    engineio_.on_poll_aborted(now_);
  }
  void open_probe() {
    if (!engineio_.on_probe_open(now_))
      return;
    PROMISE(!probe_open_ && !was_closed_);
    probe_open_ = true;
  }
  void websocket_frame() {
    if (engineio_.live_transport() == transport::websocket)
      engineio_.on_websocket_frame(in_.text(), in_.byte() % 4 == 0, now_);
  }
  void close_websocket() {
    if (engineio_.live_transport() == transport::websocket)
      engineio_.on_websocket_closed(close_reason::transport_close, now_);
  }
  void send_ours() {
    if (!engineio_.is_closed())
      ++sent_;
    engineio_.send(text_frame(our_text));
  }

  void pass_time(std::chrono::milliseconds time) {
    now_ += time;
    if (engineio_.wake_up() <= now_) {
      engineio_.on_time(now_);
      carry_out();
      PROMISE(engineio_.wake_up() > now_);
    }
    if (socketio_.wake_up() <= now_ && !socketio_.on_time(now_))
      engineio_.close(close_reason::forced_close, now_);
  }

  void answer_namespaces() {
    for (auto& nsp : std::exchange(asked_, {})) {
      PROMISE(!socketio_.is_connected(nsp));
      auto grant = in_.byte() % 4 != 0;
      send(grant ? socketio_.accept(nsp, "S") : socketio_.refuse(nsp, "no"));
      PROMISE(socketio_.is_connected(nsp) == grant);
    }
  }

  void send(const socketio::outgoing& out) {
    engineio_.send(out.is_binary ? binary_frame(out.data) : text_frame(out.data));
  }

  // -- what comes of it

  void carry_out() {
    for (;;) {
      auto todo = engineio_.take_actions();
      if (todo.empty())
        break;
      check_answers(todo);
      check_end(todo);
      count_ours(todo);
      for (auto& msg : todo.received)
        on_message(msg);
      was_closed_ = engineio_.is_closed();
    }
    PROMISE(posts_open_ == 0 && polls_open_ <= 1 && delivered_ <= sent_);
    if (engineio_.is_closed())
      PROMISE(polls_open_ == 0 && !probe_open_);
    else if (engineio_.live_transport() == transport::websocket || engineio_.queued_bytes() == 0)
      PROMISE(delivered_ == sent_);
  }

  void check_answers(const engineio::actions& todo) {
    auto answers = std::size_t{todo.poll_answer.has_value()} + std::size_t{todo.second_poll_answer.has_value()};
    PROMISE(answers <= polls_open_);
    polls_open_ -= answers;
    PROMISE(std::size_t{todo.post_answer.has_value()} <= posts_open_);
    posts_open_ -= std::size_t{todo.post_answer.has_value()};
  }

  void check_end(const engineio::actions& todo) {
    if (todo.promote_probe || todo.close_probe) {
      PROMISE(probe_open_ && !(todo.promote_probe && todo.close_probe));
      probe_open_ = false;
    }
    PROMISE(todo.to_websocket.empty() || engineio_.live_transport() == transport::websocket);
    if (was_closed_)
      PROMISE(todo.received.empty() && todo.to_websocket.empty() && todo.to_probe.empty() && !todo.promote_probe);
    if (todo.closed != close_reason::none) {
      PROMISE(!ended_);
      ended_ = true;
    }
    PROMISE(ended_ == engineio_.is_closed());
  }

  void count_ours(const engineio::actions& todo) {
    for (auto& frame : todo.to_websocket)
      delivered_ += frame->payload() == our_text;
    if (!todo.poll_answer || todo.poll_answer->status != 200)
      return;
    auto packets = engineio::decode_payload(todo.poll_answer->body, engineio_options().max_packets_out);
    PROMISE(packets);
    delivered_ += static_cast<std::size_t>(std::ranges::count(*packets, our_text.substr(1), &engineio::packet::data));
  }

  void on_message(const engineio::message& msg) {
    if (refused_)
      return; // its owner has closed
    std::vector<socketio::outgoing> replies;
    auto commands = socketio_.on_message(msg, replies, now_);
    if (!commands) {
      refused_ = true;
      engineio_.close(close_reason::forced_close, now_);
      return;
    }
    for (auto& one : *commands)
      std::visit([this](auto& command) { check(command); }, one);
    for (auto& reply : replies)
      send(reply);
  }

  void check(const socketio::connect_command& command) {
    PROMISE(!socketio_.is_connected(command.nsp) && socketio_options().namespaces.contains(command.nsp));
    PROMISE(command.auth.is_object() && std::ranges::count(asked_, command.nsp) == 0);
    asked_.push_back(command.nsp);
  }
  void check(const socketio::event_command& command) {
    PROMISE(socketio_.is_connected(command.nsp) && command.args.is_array() && command.args.size() <= 4);
    PROMISE(!socketio::is_reserved_event(command.name));
    check_attachments(command.attachments);
    if (command.ack_id)
      send(socketio_.acknowledge(command.nsp, *command.ack_id, command.args));
  }
  void check(const socketio::ack_command& command) {
    PROMISE(socketio_.is_connected(command.nsp) && command.args.is_array());
    check_attachments(command.attachments);
  }
  void check(const socketio::disconnect_command& command) { PROMISE(!socketio_.is_connected(command.nsp)); }

  void check_attachments(const std::vector<std::string>& attachments) {
    std::size_t bytes = 0;
    for (auto& one : attachments)
      bytes += one.size();
    PROMISE(attachments.size() <= 4 && bytes <= socketio_options().attachment_bytes_max);
  }

  fuzz::input in_;
  steady_time now_ = steady_time{} + std::chrono::hours{1};
  transport first_;
  engineio::session engineio_;
  socketio::session socketio_;

  std::size_t polls_open_ = 0, posts_open_ = 0, sent_ = 0, delivered_ = 0;
  bool probe_open_ = false, was_closed_ = false, ended_ = false;
  bool refused_ = false;           ///< Socket.IO has refused a message
  std::vector<std::string> asked_; ///< namespaces that wait for an answer
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  peer{fuzz::input{data, size}}.run();
  return 0;
}
