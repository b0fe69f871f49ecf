// PLAIN WATCHER  a dashboard on a plain WebSocket: JSON text frames, the core's own vocabulary.
//
//   transport -- frames --> plain_watcher -- auth, join, leave, ping --> watcher (rooms)
//   lane ------- frames --> websocket_out --> transport
#pragma once

#include "actors/watcher.hpp"
#include "core/json.hpp"

#include <chrono>

namespace headway {

struct plain_options {
  json_limits json;
  std::chrono::milliseconds auth_timeout{10'000}; ///< from the open socket to an accepted token
  std::chrono::milliseconds ping_interval{25'000};
  std::chrono::milliseconds ping_timeout{20'000}; ///< without any frame after a ping
};

/// Opens one on the caller's I/O worker. Send it its WebSocket next.
connection_actor open_plain(caf::actor_system& system, const plain_options& options, const watch_surroundings& around,
                            handshake from);

} // namespace headway
