// Engine.IO 4: packets and polling payloads. Source: engine.io-protocol, "Packet encoding".
#pragma once

#include "core/errc.hpp"
#include "net/protocol/frame.hpp"
#include "net/protocol/http.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headway::engineio {

enum class packet_type : char {
  open = '0',
  close = '1',
  ping = '2',
  pong = '3',
  message = '4',
  upgrade = '5',
  noop = '6'
};

/// "4hello" is message "hello"; binary messages have no type character.
struct packet {
  packet_type type = packet_type::message;
  bool is_binary = false;
  std::string data; ///< without the type character; decoded bytes where binary
};

/// One text frame, UTF-8 (that is for its transport to check). "b<base64>" is a binary message.
/// @returns bad_request for an empty frame, an unknown type or bad base64.
result<packet> decode_packet(std::string_view text);

/// A polling body: packets joined by 0x1E.
/// @returns bad_request for an empty body or element, a bad packet or bytes that are no UTF-8; payload_too_large for
///          more than `max_packets`.
result<std::vector<packet>> decode_payload(std::string_view body, std::size_t max_packets);

/// The payload of one poll's answer. Frames hold whole packets ("42[...]"), binary ones the bytes alone.
std::string encode_payload(std::span<const frame_ptr> frames);

/// Errors of a handshake: code and message as clients know them. Source: fact sheet of the reference server.
enum class handshake_error : int {
  transport_unknown = 0,
  session_unknown = 1,
  bad_handshake_method = 2,
  bad_request = 3,
  forbidden = 4,
  unsupported_version = 5,
};

/// 400 (403 for `forbidden`) with {"code":N,"message":"..."}.
http_answer handshake_refusal(handshake_error error);

} // namespace headway::engineio
