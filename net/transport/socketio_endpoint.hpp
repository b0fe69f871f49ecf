// SOCKET.IO ENDPOINT  which session a request belongs to, and whether it may come in.
#pragma once

#include "net/protocol/engineio.hpp"
#include "net/transport/server.hpp"

#include <optional>
#include <variant>

namespace headway {

/// What a request under Socket.IO's path is.
struct engineio_request {
  engineio::transport transport = engineio::transport::polling;
  std::string sid; ///< empty: it opens a session
};

/// "/socket.io/", also without the slash.
bool is_socketio_path(const transport_server& server, std::string_view path);

/// The worker whose table holds the session, from the sid alone; the given one where there is none.
transport_worker& worker_of(transport_worker& here, std::string_view sid);

/// Checks in the order that clients know. `is_upgrade`: the request asks for a WebSocket.
/// @returns the request, or the answer that refuses it.
std::variant<engineio_request, http_answer> check_engineio(const transport_worker& worker, const http_request& request,
                                                           bool is_upgrade);

/// A polling GET or POST, checked before. `port` answers it.
/// @returns the session it went to: tell it `poll_aborted` if the connection goes away. None for a POST.
std::optional<connection_actor> serve_polling(transport_worker& worker, const engineio_request& what,
                                              http_request&& request, const http_port_ptr& port);

} // namespace headway
