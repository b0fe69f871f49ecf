// Socket.IO 5: packets. Source: socket.io-protocol, "Packet encoding".
//
//   <type>[<attachments>-][<namespace>,][<ack id>][<JSON>]
#pragma once

#include "core/errc.hpp"
#include "core/json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headway::socketio {

enum class packet_type : std::uint8_t { connect, disconnect, event, ack, connect_error, binary_event, binary_ack };

struct packet {
  packet_type type = packet_type::event;
  std::string nsp = "/";
  std::optional<std::uint64_t> ack_id;
  std::size_t attachments = 0; ///< of binary_event and binary_ack: how many binary messages follow
  std::optional<json> data;
};

/// A packet beyond one of these is an error. The defaults suit an application that has few uses for binary.
struct codec_limits {
  std::size_t attachments = 4; ///< the reference server's is 10
  std::size_t namespace_bytes = 64;
  std::size_t event_name_bytes = 64;
  std::size_t arguments = 4;
  json_limits json;
};

/// A limit that a peer went beyond: for a metric.
enum class codec_limit : std::uint8_t { none, attachments, event_name_bytes, arguments, json, namespaces };

/// Checks shape and JSON of each type too: an event is an array that starts with a text or number that is not reserved.
/// @returns bad_request, bad_json, json_limit; `broken` then tells which limit it was, where it was one.
result<packet> decode(std::string_view text, const codec_limits& limits = {}, codec_limit* broken = nullptr);

/// `{"_placeholder":true,"num":k}` stands for attachment k of a binary packet; elsewhere it is an object like any
/// other.
bool is_placeholder(const json& value);

/// Without Engine.IO's "4". Always UTF-8 without control characters: what is broken is replaced.
std::string encode(const packet& p);

/// `connect`, `connect_error`, `disconnect`, `disconnecting`, `newListener`, `removeListener`.
/// Emitting one kills a client.
bool is_reserved_event(std::string_view name) noexcept;

} // namespace headway::socketio
