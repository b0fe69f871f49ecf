// HTTP CONNECTION  one TCP connection that speaks HTTP/1.1: keep-alive, pipelining, limits, deadlines.
//
//   bytes --> request --> Socket.IO's endpoint (polling, WebSocket upgrade) or the API --> answer --> bytes, in order
//
// Requests are parsed ahead of their answers, answers are written in the order of the requests.
#pragma once

#include "net/transport/server.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace headway {

/// Serves a connection on the worker's thread until it ends.
void serve_http(transport_worker& worker, boost::asio::ip::tcp::socket socket);

} // namespace headway
