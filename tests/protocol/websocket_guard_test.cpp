#include "net/protocol/websocket_guard.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace headway {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr steady_time start{1h};

enum : unsigned { continuation = 0, text = 1, binary = 2, close_frame = 8, ping = 9, pong = 10 };
constexpr unsigned fin = 0x80;

/// `value` in so many bytes, the highest first.
std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(value >> static_cast<unsigned>(shift) & 0xFFU);
  return out;
}

/// A client's header for a payload of `size` bytes: its first byte, the mask bit and the shortest length, the mask.
std::string header(unsigned first, std::uint64_t size) {
  auto length = size < 126       ? number(0x80U | size, 1)
                : size <= 0xFFFF ? number(0x80U | 126U, 1) + number(size, 2)
                                 : number(0x80U | 127U, 1) + number(size, 8);
  return static_cast<char>(first) + length + "MASK";
}

std::string frame(unsigned first, const std::string& payload) { return header(first, payload.size()) + payload; }
std::string message(const std::string& payload) { return frame(fin | text, payload); }

std::string repeat(const std::string& part, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i)
    out += part;
  return out;
}

errc feed(websocket_guard& guard, std::string_view bytes, steady_time now = start) {
  auto passed = guard.on_bytes(bytes, now);
  return passed ? errc{} : passed.error();
}

errc error_of(std::string_view bytes, const websocket_guard_options& options = {}) {
  websocket_guard guard{options};
  return feed(guard, bytes);
}

struct row {
  std::string name;
  std::string bytes;
  errc wanted = errc::bad_request;
};

void check(const std::vector<row>& table) {
  for (auto& [name, bytes, wanted] : table)
    EXPECT_EQ(error_of(bytes), wanted) << name;
}

TEST(websocket_guard, what_clients_send_passes) {
  check({
    {"nothing", "", errc{}},
    {"a text", message("hello"), errc{}},
    {"an empty text", message(""), errc{}},
    {"a binary message", frame(fin | binary, "\xff\x00\x80"s), errc{}},
    {"125 bytes", message(std::string(125, 'a')) + message("b"), errc{}},
    {"126 bytes", message(std::string(126, 'a')) + message("b"), errc{}},
    {"65,536 bytes", message(std::string(65'536, 'a')) + message("b"), errc{}},
    {"ping, pong, close", frame(fin | ping, "x") + frame(fin | pong, "") + frame(fin | close_frame, "\x03\xe8"),
     errc{}},
    {"a ping of 125 bytes", frame(fin | ping, std::string(125, 'a')), errc{}},
    {"three fragments", frame(text, "a") + frame(continuation, "b") + frame(fin | continuation, "c") + message("d"),
     errc{}},
    {"a ping between fragments", frame(binary, "a") + frame(fin | ping, "") + frame(fin | continuation, "b"), errc{}},
    {"a close between fragments", frame(text, "a") + frame(fin | close_frame, ""), errc{}},
    {"many messages", repeat(message("a"), 1000), errc{}},
  });
}

TEST(websocket_guard, what_is_no_clients_frame_is_a_bad_request) {
  check({
    {"not masked", "\x81\x05hello"},
    {"a ping that is not masked", "\x89\x00"s},
    {"RSV1, as compression has it", frame(fin | 0x40U | text, "a")},
    {"RSV2", frame(fin | 0x20U | text, "a")},
    {"RSV3", frame(fin | 0x10U | text, "a")},
    {"RSV1 on a ping", frame(fin | 0x40U | ping, "a")},
    {"RSV1 on a continuation", frame(text, "a") + frame(fin | 0x40U | continuation, "b")},
    {"a control frame of 126 bytes", frame(fin | ping, std::string(126, 'a'))},
    {"a control frame with a long length", frame(fin | close_frame, std::string(65'536, 'a'))},
    {"a fragmented ping", frame(ping, "a")},
    {"a fragmented close", frame(close_frame, "")},
    {"a continuation of nothing", frame(fin | continuation, "a")},
    {"a continuation of nothing that goes on", frame(continuation, "a")},
    {"a continuation of a whole message", message("a") + frame(fin | continuation, "b")},
    {"a message inside a message", frame(text, "a") + message("b")},
    {"a fragment of another message inside", frame(text, "a") + frame(binary, "b")},
    {"the top bit of a length", "\x81\xff"s + number(std::uint64_t{1} << 63U | 5U, 8) + "MASKhello"},
    {"all bits of a length", "\x82\xff"s + std::string(8, '\xff')},
    {"text instead of frames", "GET / HTTP/1.1\r\n"},
  });
  for (unsigned code : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
    EXPECT_EQ(error_of(frame(fin | code, "")), errc::bad_request) << "opcode " << code;
    EXPECT_EQ(error_of(frame(code, "")), errc::bad_request) << "opcode " << code;
  }
}

TEST(websocket_guard, a_length_may_be_longer_than_it_needs) {
  EXPECT_EQ(error_of("\x81\xfe"s + number(1, 2) + "MASKa" + message("b")), errc{});
  EXPECT_EQ(error_of("\x81\xff"s + number(1, 8) + "MASKa" + message("b")), errc{});
}

TEST(websocket_guard, a_message_has_at_most_a_million_bytes) {
  EXPECT_EQ(error_of(message(std::string(1'000'000, 'a')) + message("b")), errc{});
  EXPECT_EQ(error_of(header(fin | text, 1'000'001)), errc::payload_too_large) << "before its payload is there";
  EXPECT_EQ(error_of(header(fin | text, (std::uint64_t{1} << 63U) - 1)), errc::payload_too_large);
}

TEST(websocket_guard, the_fragments_of_a_message_are_summed) {
  auto first = frame(text, std::string(999'999, 'a'));
  EXPECT_EQ(error_of(first + frame(fin | continuation, "b")), errc{});
  EXPECT_EQ(error_of(first + frame(fin | continuation, "bc")), errc::payload_too_large);
  EXPECT_EQ(error_of(first + header(continuation, (std::uint64_t{1} << 63U) - 1)), errc::payload_too_large);
  EXPECT_EQ(error_of(first + frame(fin | continuation, "b") + first), errc{}) << "the next message is counted anew";
}

TEST(websocket_guard, control_frames_are_no_part_of_a_message) {
  websocket_guard_options small{.message_bytes_max = 2};
  EXPECT_EQ(error_of(frame(text, "a") + frame(fin | ping, "long enough") + frame(fin | continuation, "b"), small),
            errc{});
}

TEST(websocket_guard, a_message_has_at_most_128_fragments) {
  auto fragments = [](const std::string& payload, std::size_t n) {
    return frame(text, payload) + repeat(frame(continuation, payload), n - 2) + frame(fin | continuation, payload);
  };
  EXPECT_EQ(error_of(fragments("a", 128) + fragments("", 128)), errc{}) << "the next message is counted anew";
  EXPECT_EQ(error_of(fragments("a", 129)), errc::too_many_fragments);
  EXPECT_EQ(error_of(fragments("", 129)), errc::too_many_fragments);
  EXPECT_EQ(error_of(fragments("", 3), {.fragments_max = 2}), errc::too_many_fragments);
}

TEST(websocket_guard, control_frames_come_in_bursts_of_100_and_20_a_second) {
  websocket_guard guard;
  auto one = frame(fin | ping, "");
  EXPECT_EQ(feed(guard, repeat(one, 100)), errc{});
  EXPECT_EQ(feed(guard, repeat(one, 20), start + 1s), errc{});
  EXPECT_EQ(feed(guard, one, start + 1s), errc::rate_limited);
  EXPECT_EQ(error_of(repeat(one + frame(fin | pong, "x"), 51)), errc::rate_limited);
  EXPECT_EQ(error_of(repeat(one, 101), {.control_frames_per_second = 0}), errc{});
}

TEST(websocket_guard, messages_are_not_counted_against_control_frames) {
  EXPECT_EQ(error_of(repeat(message("a"), 500) + repeat(frame(fin | ping, ""), 100)), errc{});
}

TEST(websocket_guard, an_error_stays) {
  websocket_guard guard;
  EXPECT_EQ(feed(guard, message("a") + "\x81\x01" + "b"), errc::bad_request);
  EXPECT_EQ(feed(guard, ""), errc::bad_request);
  EXPECT_EQ(feed(guard, message("c"), start + 1h), errc::bad_request);
}

TEST(websocket_guard, payloads_are_not_read) {
  EXPECT_EQ(error_of(message("\x81\x05\xff\xff\xff\x0f") + message(std::string(300, '\xff'))), errc{});
}

/// Good and bad streams, with lengths of all three kinds.
std::vector<std::string> samples() {
  auto good = message("hello") + frame(text, std::string(130, 'a')) + frame(fin | ping, "ping") +
              frame(fin | continuation, "") + "\x82\xff"s + number(3, 8) + "MASKabc" + frame(fin | close_frame, "");
  return {
    good,
    good + "\x81\xff"s + number(std::uint64_t{1} << 63U, 8) + "MASK" + message("x"),
    good + header(fin | text, 1'000'001) + "abc",
    good + frame(fin | continuation, "x") + message("y"),
    good + "\x81\x05hello" + message("y"),
    good + repeat(frame(fin | pong, "a"), 120),
    frame(text, "") + repeat(frame(continuation, "a"), 140),
  };
}

TEST(websocket_guard, portions_do_not_change_the_answer) {
  for (auto& bytes : samples()) {
    auto wanted = error_of(bytes);
    for (std::size_t at = 0; at <= bytes.size(); ++at) {
      websocket_guard guard;
      feed(guard, std::string_view{bytes}.substr(0, at));
      EXPECT_EQ(feed(guard, std::string_view{bytes}.substr(at)), wanted) << at;
    }
    websocket_guard guard;
    for (auto& byte : bytes)
      feed(guard, {&byte, 1});
    EXPECT_EQ(feed(guard, ""), wanted) << "byte by byte";
  }
}

TEST(websocket_guard, an_error_comes_with_the_byte_that_decides_it) {
  for (auto& bytes : samples()) {
    websocket_guard guard;
    auto before = errc{};
    for (std::size_t n = 1; n <= bytes.size(); ++n) {
      auto now = feed(guard, {&bytes[n - 1], 1});
      EXPECT_EQ(now, error_of(std::string_view{bytes}.substr(0, n))) << n;
      EXPECT_TRUE(before == errc{} || now == before) << n;
      before = now;
    }
  }
}

} // namespace
} // namespace headway
