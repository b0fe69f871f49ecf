// FRAME  one message for a peer: framed once, shared by all who get it.
//
//   bytes:  [WebSocket header][payload]     a server's frames are not masked, so one text serves every peer
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace headway {

class frame {
public:
  enum class kind : bool { text, binary };

  frame(kind k, std::string_view payload);

  /// What goes over a WebSocket: header and payload (RFC 6455, a single unfragmented frame).
  std::string_view websocket_bytes() const { return bytes_; }
  /// What goes over anything else.
  std::string_view payload() const { return std::string_view{bytes_}.substr(header_size_); }
  bool is_binary() const { return kind_ == kind::binary; }
  std::size_t size() const { return bytes_.size(); }

private:
  std::string bytes_;
  std::size_t header_size_;
  kind kind_;
};

using frame_ptr = std::shared_ptr<const frame>;

inline frame_ptr text_frame(std::string_view payload) {
  return std::make_shared<const frame>(frame::kind::text, payload);
}
inline frame_ptr binary_frame(std::string_view payload) {
  return std::make_shared<const frame>(frame::kind::binary, payload);
}

} // namespace headway
