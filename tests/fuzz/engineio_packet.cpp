// A packet that is decoded encodes to the bytes it came from.
#include "net/protocol/engineio.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headway;
  using namespace headway::engineio;
  auto text = fuzz::input{data, size}.rest();
  auto p = decode_packet(text);
  if (!p) {
    PROMISE(p.error() == errc::bad_request);
    return 0;
  }
  PROMISE(static_cast<char>(p->type) >= '0' && static_cast<char>(p->type) <= '6');
  PROMISE(!p->is_binary || p->type == packet_type::message);
  auto frame = p->is_binary ? binary_frame(p->data) : text_frame(static_cast<char>(p->type) + p->data);
  PROMISE(encode_payload({&frame, 1}) == text);
  return 0;
}
