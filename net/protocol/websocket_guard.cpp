#include "net/protocol/websocket_guard.hpp"

#include <algorithm>

namespace headway {

namespace {

enum opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::size_t mask_bytes = 4;
constexpr std::uint8_t control_bytes_max = 125;
constexpr std::uint8_t two_more_bytes = 126; // of length
constexpr std::uint8_t eight_more_bytes = 127;
constexpr std::uint64_t top_bit = std::uint64_t{1} << 63U;

constexpr bool is_known(std::uint8_t code) { return code <= binary || (code >= close && code <= pong); }

} // namespace

websocket_guard::websocket_guard(const websocket_guard_options& options)
  : options_{options}, control_frames_{options.control_frames_per_second, options.control_frames_burst} {}

result<void> websocket_guard::on_bytes(std::string_view bytes, steady_time now) {
  while (error_ == errc{} && !bytes.empty()) {
    if (skip_ > 0) {
      auto n = std::min<std::uint64_t>(skip_, bytes.size());
      skip_ -= n;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else {
      error_ = on_header_byte(static_cast<std::uint8_t>(bytes.front()), now);
      bytes.remove_prefix(1);
    }
  }
  if (error_ != errc{})
    return error_;
  return {};
}

errc websocket_guard::on_header_byte(std::uint8_t byte, steady_time now) {
  header_[header_size_++] = byte;
  if (header_size_ == 1)
    return on_first_byte(now);
  if (header_size_ == 2)
    if (auto wrong = on_second_byte(); wrong != errc{})
      return wrong;
  return header_size_ == header_wanted_ ? on_length() : errc{};
}

errc websocket_guard::on_first_byte(steady_time now) {
  if ((header_[0] & reserved_bits) != 0 || !is_known(opcode()))
    return errc::bad_request;
  if (is_control()) {
    if (!is_final())
      return errc::bad_request;
    return control_frames_.take(now) ? errc{} : errc::rate_limited;
  }
  if ((opcode() == continuation) != in_message_)
    return errc::bad_request;
  if (!in_message_)
    message_bytes_ = fragments_ = 0;
  in_message_ = !is_final();
  return ++fragments_ <= options_.fragments_max ? errc{} : errc::too_many_fragments;
}

errc websocket_guard::on_second_byte() {
  if ((header_[1] & mask_bit) == 0)
    return errc::bad_request; // clients mask
  if (is_control() && length_field() > control_bytes_max)
    return errc::bad_request;
  header_wanted_ = length_field() == two_more_bytes ? 4 : length_field() == eight_more_bytes ? 10 : 2;
  return {};
}

errc websocket_guard::on_length() {
  std::uint64_t length = header_wanted_ == 2 ? length_field() : 0;
  for (std::size_t i = 2; i < header_wanted_; ++i)
    length = length << 8U | header_[i];
  if ((length & top_bit) != 0)
    return errc::bad_request;
  if (!is_control()) {
    if (length > options_.message_bytes_max - message_bytes_)
      return errc::payload_too_large;
    message_bytes_ += length;
  }
  skip_ = mask_bytes + length;
  header_size_ = 0;
  return {};
}

} // namespace headway
