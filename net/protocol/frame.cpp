#include "net/protocol/frame.hpp"

#include <cstdint>

namespace headway {

namespace {

// RFC 6455, 5.2: FIN and the opcode, then the length in 7, 16 or 64 bits. No mask: servers send none.
std::string header(frame::kind kind, std::size_t size) {
  std::string out;
  out += static_cast<char>(kind == frame::kind::text ? 0x81 : 0x82);
  int length_bytes = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8;
  auto field = length_bytes == 0 ? size : length_bytes == 2 ? 126U : 127U;
  out += static_cast<char>(field);
  for (int shift = 8 * (length_bytes - 1); shift >= 0; shift -= 8)
    out += static_cast<char>((static_cast<std::uint64_t>(size) >> shift) & 0xFFU);
  return out;
}

} // namespace

frame::frame(kind k, std::string_view payload)
  : bytes_{header(k, payload.size())}, header_size_{bytes_.size()}, kind_{k} {
  bytes_ += payload;
}

} // namespace headway
