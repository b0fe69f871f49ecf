// Texts inside texts: base64, percent-encoding, query strings, event streams. What is decoded encodes to what it was.
#include "net/protocol/base64.hpp"
#include "net/protocol/http.hpp"
#include "net/protocol/sse.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

namespace {

using namespace headway;

void check_base64(std::string_view text) {
  if (auto bytes = base64_decode(text))
    PROMISE(base64_encode(*bytes) == text);
  PROMISE(base64_decode(base64_encode(text)).value() == text);
  if (auto bytes = base64url_decode(text)) {
    PROMISE(text.find_first_of("+/=") == std::string_view::npos);
    PROMISE(bytes->size() == text.size() * 3 / 4);
  }
}

void check_percent(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (unsigned char c : text) {
    encoded += '%';
    encoded += digits[c >> 4U];
    encoded += digits[c & 15U];
  }
  PROMISE(percent_decode(encoded).value() == text);
  if (auto decoded = percent_decode(text))
    PROMISE(decoded->size() + 2 * static_cast<std::size_t>(std::ranges::count(text, '%')) == text.size());
  query_params given{encoded + '=' + encoded};
  PROMISE(given.get(text) == text && given.has(text) && given.all().size() == 1);
  query_params any{text};
  for (auto& [name, value] : any.all())
    PROMISE(any.has(name) && name.size() + value.size() <= text.size());
}

/// Every line of the event but its end is a field of ours.
void check_sse(std::string_view text) {
  auto event = sse::event(text.substr(0, text.size() / 2), 7, text.substr(text.size() / 2));
  PROMISE(event.ends_with("\n\n") && event.find("\n\n") == event.size() - 2);
  PROMISE(event.find('\r') == std::string::npos);
  for (std::size_t at = 0; at + 1 < event.size(); at = event.find('\n', at) + 1) {
    auto line = std::string_view{event}.substr(at);
    PROMISE(line.starts_with("id: 7\n") || line.starts_with("event: ") || line.starts_with("data: "));
  }
  if (auto id = sse::read_last_event_id(text))
    PROMISE(std::to_string(*id) == text && *id <= (std::uint64_t{1} << 53U));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto text = fuzz::input{data, size}.rest();
  check_base64(text);
  check_percent(text);
  check_sse(text);
  return 0;
}
