// WEBSOCKET  an upgraded connection: reads messages for its connection actor, writes what that and its lane send.
#pragma once

#include "net/protocol/http.hpp"
#include "net/transport/server.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <string>

namespace headway {

/// Who serves a WebSocket once it is open.
struct websocket_target {
  std::string sid; ///< the session it takes over; empty: it opens one, by:
  std::function<connection_actor()> open;
};

/// Completes the handshake of a request that was checked, then serves the WebSocket. `place`: what the connection takes
/// up in the limits. `head`: the request's head as bytes, `rest`: what the peer sent behind it.
void serve_websocket(transport_worker& worker, boost::asio::ip::tcp::socket socket, std::shared_ptr<void> place,
                     const std::string& head, const std::string& rest, websocket_target target);

} // namespace headway
