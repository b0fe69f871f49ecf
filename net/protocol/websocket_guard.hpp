// WEBSOCKET GUARD  reads the frame headers of what a client sends, and nothing else of it.
//
//   bytes as they come:   [header][mask, payload....][header][mask, payload]...     in any portions
//                          checked  skipped           checked
//
// Why: Beast 1.81 takes lengths with the top bit set, and bounds neither a message's fragments nor pings. Its cost is
// that of the headers; payloads are passed over by a counter.
#pragma once

#include "core/errc.hpp"
#include "core/token_bucket.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace headway {

struct websocket_guard_options {
  std::uint64_t message_bytes_max = 1'000'000; ///< all fragments of a message together
  std::size_t fragments_max = 128;             ///< of one message, empty ones included
  double control_frames_per_second = 20;       ///< ping, pong, close; 0: any
  double control_frames_burst = 100;
};

/// One connection's inbound half, from the first byte behind the handshake. No extensions are agreed on, so no reserved
/// bit may be set. Source: RFC 6455, 5.2 to 5.5.
class websocket_guard {
public:
  explicit websocket_guard(const websocket_guard_options& options = {});

  /// Every byte read, once and in order, before it is parsed. The answer does not depend on where portions end, and an
  /// error stays.
  /// @returns payload_too_large as soon as a length says so, too_many_fragments, rate_limited for control frames that
  ///          come too fast, bad_request for what is no client's frame.
  result<void> on_bytes(std::string_view bytes, steady_time now);

private:
  errc on_header_byte(std::uint8_t byte, steady_time now);
  errc on_first_byte(steady_time now);
  errc on_second_byte();
  errc on_length();

  bool is_final() const { return (header_[0] & 0x80U) != 0; }
  std::uint8_t opcode() const { return header_[0] & 0x0FU; }
  std::uint8_t length_field() const { return header_[1] & 0x7FU; }
  bool is_control() const { return (header_[0] & 0x08U) != 0; }

  websocket_guard_options options_;
  token_bucket control_frames_;
  errc error_{};

  std::array<std::uint8_t, 10> header_{}; ///< two bytes and 0, 2 or 8 of a longer length, without the mask
  std::size_t header_size_ = 0;
  std::size_t header_wanted_ = 2;
  std::uint64_t skip_ = 0; ///< mask and payload

  bool in_message_ = false; ///< its last fragment is still to come
  std::uint64_t message_bytes_ = 0;
  std::size_t fragments_ = 0;
};

} // namespace headway
