// A polling body that is decoded has at most so many packets, and they encode to the bytes they came from.
#include "net/protocol/engineio.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headway;
  using namespace headway::engineio;
  constexpr std::size_t packets_max = 16;
  auto body = fuzz::input{data, size}.rest();
  auto packets = decode_payload(body, packets_max);
  if (!packets) {
    PROMISE(packets.error() == errc::bad_request || packets.error() == errc::payload_too_large);
    return 0;
  }
  PROMISE(!packets->empty() && packets->size() <= packets_max);
  std::vector<frame_ptr> frames;
  for (auto& p : *packets) {
    PROMISE(p.is_binary || p.data.find('\x1e') == std::string::npos);
    frames.push_back(p.is_binary ? binary_frame(p.data) : text_frame(static_cast<char>(p.type) + p.data));
  }
  PROMISE(encode_payload(frames) == body);
  return 0;
}
