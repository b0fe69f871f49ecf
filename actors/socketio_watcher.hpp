// SOCKET.IO WATCHER  a dashboard with a stock client: its namespaces, its token, the dialects it speaks.
//
//   engineio_connection -- messages --> socketio_watcher -- requests of a dialect --> watcher (rooms)
#pragma once

#include "actors/engineio_connection.hpp"
#include "actors/watcher.hpp"
#include "net/protocol/socketio_session.hpp"

namespace headway {

/// A factory for `open_engineio`.
application_factory socketio_watchers(socketio::session_options options, watch_surroundings around);

} // namespace headway
