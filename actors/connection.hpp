// CONNECTION  one watcher: its protocol sessions, who it is, its rooms. Pinned to one I/O worker.
//
//   transport -- polls, posts, frames --> +------------+ -- join_room --> directory -> room
//   room ------- room_joined -----------> | connection |
//   clock ------ wake ------------------> +------------+ -- frames --> engineio_peer --> transport
//
// Its lane writes events straight to the same engineio_peer; so what a client gets is in one order.
#pragma once

#include "actors/directory.hpp"
#include "actors/engineio_peer.hpp"
#include "actors/io_worker.hpp"
#include "actors/lane.hpp"
#include "actors/room.hpp"
#include "net/protocol/jwt.hpp"
#include "net/protocol/socketio_session.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

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
/// A POST's connection went away in the middle of its body.
struct post_aborted {
  using message_tag = void;
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
struct websocket_ended {
  using message_tag = void;
  websocket_port_ptr port;
  engineio::close_reason reason = engineio::close_reason::transport_close;
};

// -- to itself ----------------------------------------------------------------------------------------------------

struct wake {
  using message_tag = void;
  std::uint64_t generation = 0;
};
struct peer_ended {
  using message_tag = void;
};
/// The server stops: let the peer go so that it comes back.
struct release {
  using message_tag = void;
};

using connection_actor =
  caf::typed_actor<caf::reacts_to<poll_arrived>, caf::reacts_to<poll_aborted>, caf::reacts_to<post_arrived>,
                   caf::reacts_to<post_aborted>, caf::reacts_to<websocket_opened>, caf::reacts_to<frame_arrived>,
                   caf::reacts_to<websocket_ended>, caf::reacts_to<wake>, caf::reacts_to<peer_ended>,
                   caf::reacts_to<release>>;

/// Engine.IO sessions of one I/O worker by sid; used on its thread only.
using session_table = std::unordered_map<std::string, connection_actor>;
using session_table_ptr = std::shared_ptr<session_table>;

struct connection_options {
  engineio::session_options engine;
  socketio::session_options socketio;
  jwt_options jwt;
  std::size_t queue_bytes_max = 1U << 20U;
  std::function<epoch_ms()> wall_clock;
};

/// What every connection of one I/O worker has in common.
struct worker_surroundings {
  std::shared_ptr<const connection_options> options;
  directory_shards_ptr directory;
  lane_actor lane;
  session_table_ptr sessions;
  io_worker* worker = nullptr; ///< none in tests
  metrics* counters = nullptr;
};

struct connection_state {
  static inline const char* name = "connection";

  struct membership {
    room_actor room;
    wire_format format;
  };
  std::uint64_t id = 0;
  std::shared_ptr<engineio_peer> peer;
  std::optional<socketio::session> socketio;
  std::shared_ptr<const principal> who; ///< none before CONNECT was accepted
  connection_stats stats;
  std::map<room_name, membership> rooms;
  std::deque<socketio::event_command> requests; ///< one at a time: a leave waits for the join before it
  bool busy = false;
  bool ended = false;
  bool released = false;            ///< the server stops: no lingering
  std::optional<steady_time> armed; ///< the timer that is out
  std::uint64_t timer_generation = 0;
};

/// Opens a session on the caller's I/O worker and enters it in the table. Send it its transport next.
connection_actor open_connection(caf::actor_system& system, const worker_surroundings& around,
                                 engineio::transport first);

} // namespace headway
