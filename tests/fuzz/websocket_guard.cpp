// Whatever the portions, the answer is that of a reader who has all bytes at once; and an error stays.
#include "net/protocol/websocket_guard.hpp"

#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace headway;

// Small, so that short inputs come to the limits.
constexpr websocket_guard_options options{
  .message_bytes_max = 300, .fragments_max = 3, .control_frames_per_second = 20, .control_frames_burst = 4};
constexpr steady_time now{std::chrono::hours{1}};

errc feed(websocket_guard& guard, std::string_view bytes) {
  auto passed = guard.on_bytes(bytes, now);
  return passed ? errc{} : passed.error();
}

/// RFC 6455 read frame by frame, from bytes that are all there. A frame that is cut off says as much as its bytes do.
errc read_naively(std::string_view bytes) {
  double control_frames_left = options.control_frames_burst;
  std::size_t at = 0, fragments = 0;
  unsigned long long sum = 0;
  bool inside = false;
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  while (at < bytes.size()) {
    unsigned fin = byte(at) >> 7U, reserved = byte(at) >> 4U & 7U, code = byte(at) & 15U;
    bool control = code >= 8;
    if (reserved != 0 || (code > 2 && code < 8) || code > 10 || (control && fin == 0))
      return errc::bad_request;
    if (control && --control_frames_left < 0)
      return errc::rate_limited;
    if (!control) {
      if (inside ? code != 0 : code == 0)
        return errc::bad_request;
      if (!inside)
        fragments = 0, sum = 0;
      inside = fin == 0;
      if (++fragments > options.fragments_max)
        return errc::too_many_fragments;
    }
    if (at + 1 >= bytes.size())
      return {};
    unsigned long long length = byte(at + 1) & 127U;
    if (byte(at + 1) < 128 || (control && length > 125))
      return errc::bad_request;
    std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (bytes.size() - at < 2 + more)
      return {};
    if (more > 0)
      length = 0;
    for (std::size_t i = 0; i < more; ++i)
      length = length * 256 + byte(at + 2 + i);
    if (length >> 63U != 0)
      return errc::bad_request;
    if (!control && (sum += length) > options.message_bytes_max)
      return errc::payload_too_large;
    auto frame = 2 + more + 4 + length;
    if (bytes.size() - at < frame)
      return {};
    at += static_cast<std::size_t>(frame);
  }
  return {};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  auto at = in.below(1024);
  auto bytes = in.rest();
  auto wanted = read_naively(bytes);

  websocket_guard whole{options};
  PROMISE(feed(whole, bytes) == wanted);
  PROMISE(feed(whole, "") == wanted);

  websocket_guard in_two{options};
  feed(in_two, bytes.substr(0, at));
  PROMISE(feed(in_two, bytes.substr(std::min(at, bytes.size()))) == wanted);

  websocket_guard by_byte{options};
  auto before = errc{};
  for (auto& byte : bytes) {
    auto answer = feed(by_byte, {&byte, 1});
    PROMISE(before == errc{} || answer == before);
    before = answer;
  }
  PROMISE(before == wanted);
  return 0;
}
