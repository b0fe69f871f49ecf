#include "net/protocol/engineio_session.hpp"

namespace headway::engineio {

std::string_view to_string(close_reason reason) noexcept {
  switch (reason) {
    case close_reason::none: return "none";
    case close_reason::transport_close: return "transport close";
    case close_reason::transport_error: return "transport error";
    case close_reason::ping_timeout: return "ping timeout";
    case close_reason::parse_error: return "parse error";
    case close_reason::forced_close: return "forced close";
    case close_reason::server_shutdown: return "server shutting down";
    case close_reason::slow_consumer: return "slow consumer";
    case close_reason::rate_limited: return "rate limited";
    case close_reason::token_expired: return "token expired";
    case close_reason::internal_error: return "internal error";
  }
  return "none";
}

std::string_view to_string(peer_fault fault) noexcept {
  switch (fault) {
    case peer_fault::none: return "none";
    case peer_fault::bad_packet: return "bad packet";
    case peer_fault::too_many_packets: return "too many packets";
    case peer_fault::binary_post: return "binary POST";
    case peer_fault::message_too_big: return "message too big";
    case peer_fault::ping_from_client: return "ping from client";
    case peer_fault::second_poll: return "second poll";
    case peer_fault::second_post: return "second POST";
    case peer_fault::poll_aborted: return "poll aborted";
    case peer_fault::post_broken: return "POST broken off";
    case peer_fault::second_websocket: return "second WebSocket";
    case peer_fault::no_upgrade: return "no upgrade packet";
    case peer_fault::late_upgrade: return "upgrade too late";
  }
  return "none";
}

} // namespace headway::engineio
