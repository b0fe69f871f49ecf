// What transports share: limits, origins, and what stands on each I/O worker.
#pragma once

#include "actors/engineio_connection.hpp"
#include "net/protocol/http.hpp"
#include "net/protocol/http_guard.hpp"
#include "net/protocol/websocket_guard.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace headway {

struct transport_limits {
  std::size_t head_bytes = 8192;
  head_limits head;
  std::size_t body_bytes = 262'144;         ///< of API requests
  std::size_t payload_bytes = 1'000'000;    ///< of polling POSTs and WebSocket messages
  std::size_t chunk_header_bytes = 1024;    ///< of a chunked body: size and extensions
  std::size_t body_bytes_per_second = 1000; ///< a slower body is cut; 0: none is, within body_timeout
  std::size_t pipelined = 16;               ///< requests parsed ahead of their answers
  websocket_guard_options websocket;
  std::size_t queue_bytes = 1U << 20U;      ///< what sessions let wait for one connection
  std::size_t control_queue_bytes = 65'536; ///< and beside it: pongs for a peer that does not read
  std::chrono::milliseconds head_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{60'000};      ///< between requests
  std::chrono::milliseconds handshake_timeout{10'000}; ///< of a WebSocket
  std::chrono::milliseconds close_timeout{5'000};      ///< of a WebSocket's closing handshake
};

/// Which web origins may use the server from a browser.
class origin_policy {
public:
  /// `allowed`: exact origins ("https://app.example.com"), or with one label open ("https://*.example.com"); "*" allows
  /// all.
  explicit origin_policy(std::vector<std::string> allowed) : allowed_{std::move(allowed)} {}

  /// What Access-Control-Allow-Origin says to this origin: itself, "*" where all may come, or empty for nothing.
  std::string_view answer_to(std::string_view origin) const;
  /// No Origin (not a browser), the server's own host, or a listed one.
  bool may_connect(std::string_view origin, std::string_view host) const;

private:
  std::vector<std::string> allowed_;
};

/// An origin as sessions remember it: empty for none and for the server's own, which a browser does not always send.
std::string_view foreign_origin(std::string_view origin, std::string_view host);

struct transport_worker;
class admission;

/// Made once at start; const for the transports.
struct transport_server {
  caf::actor_system* system = nullptr;
  transport_limits limits;
  origin_policy origins{{}};
  std::vector<std::string> engineio_paths; ///< "/socket.io/": each is an endpoint with sessions of its own
  admission* gate = nullptr;               ///< none: all are let in
  std::string plain_path;                  ///< "/ws"; empty: none
  std::vector<std::unique_ptr<transport_worker>> workers;
  std::atomic<bool> stopping{false}; ///< no new sessions; answers close their connections
  metrics* counters = nullptr;
};

/// One I/O worker as transports see it. Used on its thread only.
struct transport_worker {
  transport_server* server = nullptr;
  boost::asio::io_context* context = nullptr;
  session_table_ptr sessions;
  /// Opens a session; one for each of the server's engineio_paths.
  std::vector<std::function<connection_actor(handshake&&, engineio::transport first)>> open_engineio;
  std::function<connection_actor(handshake&&)> open_plain;
  /// Takes every request that is not a transport's own; runs on this worker.
  std::function<void(http_request&&, const http_port_ptr&)> api;
};

} // namespace headway
