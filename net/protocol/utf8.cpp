#include "net/protocol/utf8.hpp"

namespace headway {

namespace {

constexpr bool is_continuation(unsigned char byte) { return (byte & 0xC0U) == 0x80U; }

/// Bytes of the character that starts `text`; 0 where there is none. Source: RFC 3629, 4 (the table of byte ranges).
std::size_t character_bytes(std::string_view text) {
  auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto first = byte(0);
  if (first < 0x80)
    return 1;
  auto size = std::size_t{first >= 0xF0 ? 4U : first >= 0xE0 ? 3U : 2U};
  if (first < 0xC2 || first > 0xF4 || text.size() < size)
    return 0;
  for (std::size_t i = 1; i < size; ++i)
    if (!is_continuation(byte(i)))
      return 0;
  auto second = byte(1);
  auto is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  auto is_surrogate = first == 0xED && second > 0x9F;
  auto is_too_large = first == 0xF4 && second > 0x8F;
  return is_overlong || is_surrogate || is_too_large ? 0 : size;
}

} // namespace

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    auto size = character_bytes(text);
    if (size == 0)
      return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string_view utf8_start(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max)
    return text;
  while (bytes_max > 0 && is_continuation(static_cast<unsigned char>(text[bytes_max])))
    --bytes_max;
  return text.substr(0, bytes_max);
}

} // namespace headway
