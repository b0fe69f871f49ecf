// EVENT STREAM  one room by Server-Sent Events: first the state, then what happens, until the job has ended.
//
//   api -- the request --> event_stream -- join_room --> directory -> room
//   lane -- frames ------> stream_out --> http_connection
#pragma once

#include "actors/watcher.hpp"

#include <chrono>

namespace headway {

struct event_stream_options {
  std::chrono::milliseconds heartbeat{15'000}; ///< between comments, where nothing else is sent
  std::chrono::milliseconds retry{2'000};      ///< how long a client waits before it comes back
};

struct event_stream_request {
  http_port_ptr port; ///< answered by the stream, or by a problem
  std::shared_ptr<const principal> who;
  room_name room;
  std::optional<std::uint64_t> after; ///< Last-Event-ID
  handshake from;
};

/// Opens one on the caller's I/O worker.
connection_actor open_event_stream(caf::actor_system& system, const event_stream_options& options,
                                   const watch_surroundings& around, event_stream_request request);

} // namespace headway
