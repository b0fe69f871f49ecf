// WEBSOCKET  an upgraded connection: reads messages for its connection actor, writes what that and its lane send.
#pragma once

#include "net/protocol/http.hpp"
#include "net/transport/server.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>

namespace headway {

/// Completes the handshake of a request that was checked, then serves the WebSocket.
/// `head`: the request's head as bytes, `rest`: what the peer sent behind it. `sid`: the session to take over, or
/// empty.
void serve_websocket(transport_worker& worker, boost::asio::ip::tcp::socket socket, std::string head, std::string rest,
                     std::string sid);

} // namespace headway
