// ENGINE.IO SESSION  one peer's state: polling or WebSocket, the upgrade between them, heartbeat, closing.
//
//   polls, posts, frames, time --> session --> actions: frames to write, polls to answer, messages received, close
//
// Pure: no sockets, no clock. Whoever owns it feeds it what happens and carries out `take_actions()` after each call.
// Everything that concerns one session happens on one thread, in order of arrival.
#pragma once

#include "core/throttle.hpp"
#include "net/protocol/engineio.hpp"
#include "net/protocol/frame.hpp"
#include "net/protocol/http.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headway::engineio {

struct session_options {
  std::chrono::milliseconds ping_interval{25'000};
  std::chrono::milliseconds ping_timeout{20'000};
  std::chrono::milliseconds upgrade_timeout{10'000};
  std::size_t max_payload_bytes = 1'000'000;
  std::size_t max_packets_in = 256; ///< of one POST
  std::size_t max_packets_out = 16; ///< of one poll's answer: python-engineio takes no more
  bool upgrades = true;             ///< polling sessions may become WebSocket ones
  bool b64 = false;                 ///< of this peer (query b64=1): binary goes as "b<base64>" over WebSocket, too
};

enum class transport : bool { polling, websocket };

enum class close_reason {
  none,
  transport_close,
  transport_error,
  ping_timeout,
  parse_error,
  forced_close,
  server_shutdown,
  slow_consumer,
  rate_limited,
  token_expired,
  internal_error
};

/// As clients and logs name it: "ping timeout".
std::string_view to_string(close_reason reason) noexcept;

/// What a peer did wrong: for one log line, and fit for a metric's label. Not all of these end the session.
enum class peer_fault : std::uint8_t {
  none,
  bad_packet,
  too_many_packets, ///< in one POST
  binary_post,      ///< application/octet-stream
  message_too_big,
  ping_from_client,
  second_poll,
  second_post,
  poll_aborted,
  post_broken,
  second_websocket,
  no_upgrade, ///< a probing WebSocket that sent something else
  late_upgrade
};

/// "ping from client"
std::string_view to_string(peer_fault fault) noexcept;

/// A message for the layer above.
struct message {
  bool is_binary = false;
  std::string data;
};

/// What is to be done now, in this order.
struct actions {
  std::vector<message> received;
  std::vector<frame_ptr> to_websocket;           ///< to the live WebSocket
  std::vector<frame_ptr> to_probe;               ///< to the WebSocket that is upgrading, before it is live
  std::optional<http_answer> poll_answer;        ///< ends the poll that waits
  std::optional<http_answer> second_poll_answer; ///< ends the poll that came while one was held
  std::optional<http_answer> post_answer;        ///< ends the POST just fed in
  bool cut_post = false;                         ///< cut the connection of the POST that is being read: another came
  bool promote_probe = false;               ///< the upgrading WebSocket is the live one before to_websocket is written
  bool close_probe = false;                 ///< the upgrading WebSocket is to be closed; the session goes on
  close_reason closed = close_reason::none; ///< the session has ended: close the live WebSocket after what is written
  peer_fault fault = peer_fault::none;      ///< the latest; the session goes on unless `closed`
  std::size_t fault_bytes = 0;              ///< the size of the POST or message that was at fault

  bool empty() const;
};

class session {
public:
  /// A session that starts with a poll (feed that to `on_poll` next) or on a WebSocket.
  /// The open packet is its first packet.
  session(session_options options, std::string sid, transport first, steady_time now);

  const std::string& sid() const { return sid_; }
  transport live_transport() const { return transport_; }
  bool is_closed() const { return closed_ != close_reason::none; }
  /// Why it ended; none while it lives.
  close_reason why_closed() const { return closed_; }
  /// Bytes that wait for a poll.
  std::size_t queued_bytes() const { return queued_bytes_; }

  /// A GET. It is answered at once or held; a second one while one is held ends the session.
  void on_poll(steady_time now);
  /// The held GET's connection went away.
  void on_poll_aborted(steady_time now);

  // A POST takes time to be read, and there may be one at a time. So announce it when its head has come, and say how it
  // ended: by on_post, on_post_too_big or on_post_broken. Where none is announced, on_post alone does.

  /// False: its body is not to be read, `post_answer` is for it. A second one while one is being read ends the session
  /// (`cut_post` is about the first).
  bool on_post_begin(steady_time now);
  /// A whole POST. `is_octet_stream`: its content type was application/octet-stream.
  void on_post(std::string_view body, bool is_octet_stream, steady_time now);
  /// Its body is, or says it is, larger than `max_payload_bytes`, and is not read on: 413, and the session goes on.
  void on_post_too_big(std::size_t bytes, steady_time now);
  /// Its connection went away before its body was complete; `post_answer` is for whoever can still read it.
  void on_post_broken(steady_time now);

  /// A WebSocket asks to take this session over. False: there is one already; close the new one, nothing else changes.
  bool on_probe_open(steady_time now);
  void on_probe_frame(std::string_view data, bool is_binary, steady_time now);
  void on_probe_closed(steady_time now);

  void on_websocket_frame(std::string_view data, bool is_binary, steady_time now);
  /// `reason`: transport_close for an orderly end, transport_error otherwise.
  void on_websocket_closed(close_reason reason, steady_time now);

  /// Time has come to `wake_up()`.
  void on_time(steady_time now);
  /// When `on_time` wants to be called next; after the end: when `lingers` becomes false.
  steady_time wake_up() const;

  /// Sends a whole Engine.IO packet ("42[...]", or a binary message). On a closed session: dropped.
  /// A held poll is ended by `take_actions`, so that packets sent together leave together.
  void send(const frame_ptr& packet);

  /// Ends the session from our side, after what is queued. With `server_shutdown` pollers are not told
  /// (python-engineio never reconnects after a close packet): their poll is answered 503.
  void close(close_reason reason, steady_time now);

  /// After the end: whether a late poll still has an answer waiting.
  /// Keep the session, and feed `on_poll`, while it has.
  bool lingers(steady_time now) const;

  actions take_actions();

private:
  enum class probe : std::uint8_t { none, open, answered };

  /// False: `post_answer` says why not.
  bool takes_posts(steady_time now);
  void on_packet(packet&& p, steady_time now);
  void on_close_packet(steady_time now);

  void await_ping(steady_time now);
  void queue_ping(steady_time now);
  /// Ends the session where its time is over, timer or no timer. True: it has ended.
  bool is_over(steady_time now);

  void write(const frame_ptr& packet);
  void enqueue(const frame_ptr& packet);
  std::string next_payload();
  void drop_queue();
  void answer_poll(std::string body);
  void drop_probe();
  void promote(steady_time now);
  bool may_be_early(steady_time now) const;

  void blame(peer_fault fault, std::size_t bytes = 0);
  /// The session ends by a peer's fault or silence: what waits is dropped, a held poll hears of it.
  void fail(close_reason reason);
  void end(close_reason reason);
  http_answer gone() const;

  session_options options_;
  std::string sid_;
  transport transport_;
  close_reason closed_ = close_reason::none;

  std::deque<frame_ptr> queue_; ///< what waits for a poll; after the end: what the lingering close still tells
  std::size_t queued_bytes_ = 0;
  bool poll_held_ = false;
  bool post_open_ = false; ///< announced, and being read
  steady_time poll_since_{};
  bool poll_beside_probe_ = false; ///< it came while a WebSocket was upgrading

  bool awaits_pong_ = false;
  bool pong_extended_ = false;
  steady_time heartbeat_due_{}; ///< of the next ping; of the pong while one is awaited

  probe probe_ = probe::none;
  steady_time probe_due_{};

  steady_time lingers_until_{};
  actions actions_;
};

} // namespace headway::engineio
