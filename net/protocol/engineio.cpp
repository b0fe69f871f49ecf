#include "net/protocol/engineio.hpp"

#include "net/protocol/base64.hpp"
#include "net/protocol/utf8.hpp"

namespace headway::engineio {

namespace {

constexpr char separator = '\x1e';
constexpr char base64_mark = 'b';

std::string_view message_of(handshake_error error) {
  switch (error) {
    case handshake_error::transport_unknown: return "Transport unknown";
    case handshake_error::session_unknown: return "Session ID unknown";
    case handshake_error::bad_handshake_method: return "Bad handshake method";
    case handshake_error::bad_request: return "Bad request";
    case handshake_error::forbidden: return "Forbidden";
    case handshake_error::unsupported_version: return "Unsupported protocol version";
  }
  return "Bad request";
}

} // namespace

result<packet> decode_packet(std::string_view text) {
  if (text.empty())
    return errc::bad_request;
  auto type = text.front();
  auto data = text.substr(1);
  if (type == base64_mark) {
    auto bytes = base64_decode(data);
    if (!bytes)
      return bytes.error();
    return packet{packet_type::message, true, std::move(*bytes)};
  }
  if (type < '0' || type > '6')
    return errc::bad_request;
  return packet{static_cast<packet_type>(type), false, std::string{data}};
}

result<std::vector<packet>> decode_payload(std::string_view body, std::size_t max_packets) {
  if (!is_utf8(body))
    return errc::bad_request;
  std::vector<packet> packets;
  for (;;) {
    auto end = body.find(separator);
    if (packets.size() == max_packets)
      return errc::payload_too_large;
    auto next = decode_packet(body.substr(0, end));
    if (!next)
      return next.error();
    packets.push_back(std::move(*next));
    if (end == std::string_view::npos)
      return packets;
    body.remove_prefix(end + 1);
  }
}

std::string encode_payload(std::span<const frame_ptr> frames) {
  std::string body;
  for (auto& frame : frames) {
    if (!body.empty())
      body += separator;
    if (frame->is_binary()) {
      body += base64_mark;
      body += base64_encode(frame->payload());
    } else {
      body += frame->payload();
    }
  }
  return body;
}

http_answer handshake_refusal(handshake_error error) {
  auto status = error == handshake_error::forbidden ? 403 : 400;
  return json_answer(status, json{{"code", static_cast<int>(error)}, {"message", message_of(error)}});
}

} // namespace headway::engineio
