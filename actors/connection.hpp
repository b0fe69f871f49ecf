// CONNECTION  one watcher as an actor, pinned to one I/O worker, whatever it speaks.
//
//   transport -- polls, posts, frames --> +------------+
//   clock ------ wake ------------------> | connection | --> directory, rooms, its lane
//   lane ------- frames --> outbound ---> +------------+
//
// The kinds: engineio_connection.hpp (with an application above it: socketio_watcher.hpp) and plain_watcher.hpp.
// Its lane writes events straight to the same outbound; so what a client gets is in one order.
#pragma once

#include "actors/io_worker.hpp"
#include "actors/message.hpp"
#include "actors/outbound.hpp"
#include "net/protocol/engineio_session.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace headway {

// -- transport -> connection --------------------------------------------------------------------------------------

struct poll_arrived {
  using message_tag = void;
  http_port_ptr port;
};
struct poll_aborted {
  using message_tag = void;
  http_port_ptr port;
};
struct post_arrived {
  using message_tag = void;
  http_port_ptr port;
  std::string body;
  bool is_octet_stream = false;
};
/// A POST's head has come, its body has not. `cut` ends its connection.
struct post_begun {
  using message_tag = void;
  std::function<void()> cut;
};
/// A POST's body will never be whole: its connection went away, or (`too_big`) it is larger than may be.
struct post_aborted {
  using message_tag = void;
  bool too_big = false;
};
/// The first transport of the session, or (`is_probe`) one that wants to take it over.
struct websocket_opened {
  using message_tag = void;
  websocket_port_ptr port;
  bool is_probe = false;
};
struct frame_arrived {
  using message_tag = void;
  websocket_port_ptr port;
  std::string data;
  bool is_binary = false;
  std::function<void()> taken; ///< reads the next frame: so a peer cannot fill our mailbox
};
/// The peer has answered a WebSocket ping.
struct pong_arrived {
  using message_tag = void;
  websocket_port_ptr port;
};
struct websocket_ended {
  using message_tag = void;
  websocket_port_ptr port;
  engineio::close_reason reason = engineio::close_reason::transport_close;
};

// -- to itself, and from the server -------------------------------------------------------------------------------

struct wake {
  using message_tag = void;
  std::uint64_t generation = 0;
};
/// Its outbound has news: it is closed, too much waits in it, its job has ended.
struct outbound_changed {
  using message_tag = void;
};
/// The server stops: let the peer go so that it comes back.
struct release {
  using message_tag = void;
};

using connection_actor =
  caf::typed_actor<caf::reacts_to<poll_arrived>, caf::reacts_to<poll_aborted>, caf::reacts_to<post_begun>,
                   caf::reacts_to<post_arrived>, caf::reacts_to<post_aborted>, caf::reacts_to<websocket_opened>,
                   caf::reacts_to<frame_arrived>, caf::reacts_to<pong_arrived>, caf::reacts_to<websocket_ended>,
                   caf::reacts_to<wake>, caf::reacts_to<outbound_changed>, caf::reacts_to<release>>;

/// What is known of a watcher before it says a word.
struct handshake {
  std::string address;         ///< whose limits it counts against
  std::string origin;          ///< of its first request; empty: none, or the server's own
  std::string credentials;     ///< a hash of what its first request brought; empty: nothing
  bool b64 = false;            ///< it takes no binary frames
  std::shared_ptr<void> place; ///< what it takes up in the server's limits, given back when the connection ends
};

/// The connections of one I/O worker that are no Engine.IO sessions; used on its thread only.
using connection_table = std::unordered_map<caf::actor_addr, connection_actor>;
using connection_table_ptr = std::shared_ptr<connection_table>;

/// What a kind of connection does with what arrives. What a kind has no use for, it ignores.
class connection {
public:
  connection() = default;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  virtual ~connection() = default;

  virtual void on_poll(const poll_arrived&) {}
  virtual void on_poll_aborted(const poll_aborted&) {}
  virtual void on_post_begun(const post_begun&) {}
  virtual void on_post(const post_arrived&) {}
  virtual void on_post_aborted(const post_aborted&) {}
  virtual void on_websocket(const websocket_opened&) {}
  virtual void on_frame(const frame_arrived&) {}
  virtual void on_pong(const pong_arrived&) {}
  virtual void on_websocket_ended(const websocket_ended&) {}
  virtual void on_time() = 0;
  virtual void on_outbound_changed() = 0;
  virtual void on_release() = 0;
};

struct connection_state {
  static inline const char* name = "connection";

  std::unique_ptr<connection> kind;
  std::optional<steady_time> armed; ///< the timer that is out
  std::uint64_t timer_generation = 0;
};

using connection_self = connection_actor::stateful_pointer<connection_state>;
using connection_factory = std::function<std::unique_ptr<connection>(connection_self)>;

/// Spawns on `worker` (none in tests) and makes its kind there.
connection_actor spawn_connection(caf::actor_system& system, io_worker* worker, metrics& m, connection_factory make);

/// Calls `on_time` at `due` or earlier; an earlier timer that is out already will look again.
void wake_at(connection_self self, steady_time due);

} // namespace headway
