// ENGINE.IO PEER  a session joined with its transports: carries out what the session wants.
//
//   actor, lane -- frames --> session -- actions --> WebSocket, held poll
//   transport --- frames, polls, posts (by the actor) --> session -- messages --> actor
//
// Lives on one I/O worker; its actor and its lane use it, nobody else.
#pragma once

#include "actors/outbound.hpp"
#include "core/metrics.hpp"
#include "net/protocol/engineio_session.hpp"

#include <caf/actor_clock.hpp>

#include <functional>
#include <string_view>

namespace headway {

class engineio_peer : public outbound {
public:
  /// `queue_bytes_max`: what may wait for this peer before it is closed as too slow. `clock`: the actors'.
  /// `on_end` is called once.
  engineio_peer(engineio::session session, std::size_t queue_bytes_max, const caf::actor_clock& clock, metrics& m,
                std::function<void(engineio::close_reason)> on_end);
  ~engineio_peer() override;

  // -- from transports, by way of the actor; what was received is taken by `take_received` ---------------------
  void on_poll(http_port_ptr port, steady_time now);
  void on_poll_aborted(const http_port_ptr& port, steady_time now);
  /// `cut`: ends the connection on which it is being read.
  void on_post_begun(std::function<void()> cut, steady_time now);
  void on_post(http_port_ptr port, std::string_view body, bool is_octet_stream, steady_time now);
  void on_post_aborted(bool too_big, steady_time now);
  void on_websocket_open(websocket_port_ptr port);
  /// A WebSocket that wants to take over; closed here if it may not.
  void on_probe_open(websocket_port_ptr port, steady_time now);
  void on_frame(const websocket_port* from, std::string_view data, bool is_binary, steady_time now);
  void on_websocket_closed(const websocket_port* which, engineio::close_reason reason, steady_time now);
  void on_time(steady_time now);
  void close(engineio::close_reason reason, steady_time now);
  /// Its actor is gone: ends what is still open, tells nobody.
  void abandon();

  /// Messages for the layer above. Answer them by `send`, then `flush`.
  std::vector<engineio::message> take_received() { return std::exchange(received_, {}); }

  // -- outbound ------------------------------------------------------------------------------------------------
  void send(const frame_ptr& packet) override;
  void flush() override;

  const engineio::session& session() const { return session_; }

private:
  void carry_out(engineio::actions&& todo);
  void blame(engineio::peer_fault fault, std::size_t bytes);
  void count_transport();
  void end(engineio::close_reason reason);

  engineio::session session_;
  std::size_t queue_bytes_max_;
  const caf::actor_clock& clock_;
  metrics& counters_;
  std::function<void(engineio::close_reason)> on_end_;
  std::vector<engineio::message> received_;
  websocket_port_ptr live_;
  websocket_port_ptr probe_;
  http_port_ptr poll_;
  http_port_ptr second_poll_;
  http_port_ptr post_;
  std::function<void()> cut_post_; ///< of the one that is being read
  prometheus::Gauge* counted_as_ = nullptr;
};

} // namespace headway
