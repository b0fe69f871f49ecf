// ENGINE.IO ENDPOINT  which session a request belongs to, and whether it may come in.
#pragma once

#include "net/protocol/engineio.hpp"
#include "net/transport/server.hpp"

#include <optional>
#include <variant>

namespace headway {

/// What a request under an endpoint's path is.
struct engineio_request {
  std::size_t endpoint = 0;
  engineio::transport transport = engineio::transport::polling;
  std::string sid;             ///< empty: it opens a session
  std::shared_ptr<void> place; ///< which then has its place in the server's limits
};

/// Index of the endpoint with this path ("/socket.io/", also without the slash); none: it is no endpoint's.
std::optional<std::size_t> endpoint_of(const transport_server& server, std::string_view path);

/// The worker whose table holds the session, from the sid alone; the given one where there is none.
transport_worker& worker_of(transport_worker& here, std::string_view sid);

/// Checks in the order that clients know. `is_upgrade`: the request asks for a WebSocket.
/// @returns the request, or the answer that refuses it.
std::variant<engineio_request, http_answer> check_engineio(const transport_worker& worker, std::size_t endpoint,
                                                           const http_request& request, bool is_upgrade);

/// What a session remembers of the request that opened it.
handshake handshake_of(const http_request& request, std::shared_ptr<void> place);

/// @returns overloaded, rate_limited, shutting_down.
result<std::shared_ptr<void>> place_for_session(const transport_worker& worker, const http_request& request);

/// The problem, with the time after which to come again.
http_answer refusal(errc why);

/// A polling GET or POST, checked before. `port` answers it.
/// @returns the session it went to: tell it `poll_aborted` if the connection goes away. None for a POST.
std::optional<connection_actor> serve_polling(transport_worker& worker, const engineio_request& what,
                                              http_request&& request, const http_port_ptr& port);

} // namespace headway
