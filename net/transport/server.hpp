// What transports share: limits, origins, and what stands on each I/O worker.
#pragma once

#include "actors/connection.hpp"
#include "net/protocol/http.hpp"

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
  std::size_t headers = 64;
  std::size_t target_bytes = 4096;
  std::size_t body_bytes = 262'144;      ///< of API requests
  std::size_t payload_bytes = 1'000'000; ///< of polling POSTs and WebSocket messages
  std::size_t pipelined = 16;            ///< requests parsed ahead of their answers
  std::size_t websocket_queue_bytes = 1U << 20U;
  std::chrono::milliseconds head_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{60'000}; ///< between requests
  std::chrono::milliseconds close_timeout{5'000}; ///< of a WebSocket's closing handshake
};

/// Which web origins may use the server from a browser.
class origin_policy {
public:
  /// `allowed`: exact origins ("https://app.example.com"); "*" allows all.
  explicit origin_policy(std::vector<std::string> allowed) : allowed_{std::move(allowed)} {}

  /// What Access-Control-Allow-Origin says to this origin: itself, "*" where all may come, or empty for nothing.
  std::string_view answer_to(std::string_view origin) const;
  /// No Origin (not a browser), the server's own host, or a listed one.
  bool may_connect(std::string_view origin, std::string_view host) const;

private:
  std::vector<std::string> allowed_;
};

struct transport_worker;

/// Made once at start; const for the transports.
struct transport_server {
  caf::actor_system* system = nullptr;
  transport_limits limits;
  origin_policy origins{{}};
  std::string socketio_path = "/socket.io/";
  std::vector<std::unique_ptr<transport_worker>> workers;
  std::atomic<bool> stopping{false}; ///< no new sessions; answers close their connections
  metrics* counters = nullptr;
};

/// One I/O worker as transports see it. Used on its thread only.
struct transport_worker {
  transport_server* server = nullptr;
  boost::asio::io_context* context = nullptr;
  worker_surroundings actors;
  /// Takes every request that is not a transport's own; runs on this worker.
  std::function<void(http_request&&, const http_port_ptr&)> api;
};

} // namespace headway
