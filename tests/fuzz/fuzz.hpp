// FUZZ  what the targets have in common.
//
//   bytes --> target: decode, then promises about what came of it --> abort where one is broken
//
// Each file here is a target: it defines LLVMFuzzerTestOneInput. scripts/fuzz builds it with clang and searches for
// bytes that break it; every build replays the kept bytes of corpus/TARGET (see replay_test.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace headway::fuzz {

[[noreturn]] inline void broken(const char* promise, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, promise);
  std::abort();
}

/// The fuzzer's bytes, taken off the front. At the end everything is 0 or empty.
class input {
public:
  input(const std::uint8_t* data, std::size_t size) : rest_{reinterpret_cast<const char*>(data), size} {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    auto one = bytes(1);
    return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
  }
  std::size_t below(std::size_t n) { return ((std::size_t{byte()} << 8U) | byte()) % n; }
  std::string_view bytes(std::size_t n) {
    auto out = rest_.substr(0, n);
    rest_.remove_prefix(out.size());
    return out;
  }
  /// A byte with a length, then so many bytes.
  std::string_view text() { return bytes(byte()); }
  std::string_view rest() { return bytes(rest_.size()); }

private:
  std::string_view rest_;
};

} // namespace headway::fuzz

#define PROMISE(condition) ((condition) ? void() : ::headway::fuzz::broken(#condition, __FILE__, __LINE__))

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
