// HTTP CONNECTION  one TCP connection that speaks HTTP/1.1: keep-alive, pipelining, answers in order.
//
//   http_reader --> request --> an Engine.IO endpoint, the plain WebSocket, or the API --> answer --> bytes, in order
//
// Requests are read ahead of their answers, answers are written in the order of the requests.
#pragma once

#include "net/transport/server.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>

namespace headway {

/// A connection as it was accepted.
struct accepted_socket {
  boost::asio::ip::tcp::socket socket;
  std::string address;         ///< of the peer, without its port
  std::shared_ptr<void> place; ///< what it takes up in the server's limits
};

/// Serves a connection on the worker's thread until it ends.
void serve_http(transport_worker& worker, accepted_socket accepted);

} // namespace headway
