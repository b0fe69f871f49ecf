#include "net/protocol/http_guard.hpp"

#include <algorithm>
#include <array>
#include <bitset>

namespace headway {

namespace {

constexpr std::string_view crlf = "\r\n";
constexpr std::size_t method_bytes_max = 32;
constexpr std::size_t length_digits_max = 19; // fits into 64 bits

/// May be given once: two of one name, and two readers pick different ones. Lower case; the first are named by
/// `single`.
constexpr std::array<std::string_view, 10> singles{"host",
                                                   "content-length",
                                                   "transfer-encoding",
                                                   "origin",
                                                   "authorization",
                                                   "content-type",
                                                   "content-encoding",
                                                   "sec-websocket-key",
                                                   "sec-websocket-version",
                                                   "expect"};
enum single : std::size_t { host, content_length, transfer_encoding };

struct request_head {
  bool is_http_1_1 = false;
  std::bitset<singles.size()> seen;
};

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alphanumeric(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z'); }

constexpr bool is_in(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

constexpr bool is_visible(char c) { return c > 0x20 && c < 0x7f; }
/// RFC 9110, 5.6.2.
constexpr bool is_token_char(char c) { return is_alphanumeric(c) || is_in(c, "!#$%&'*+-.^_`|~"); }
/// Blanks, visible ASCII and what is beyond it; a CR, LF or NUL is none.
constexpr bool is_value_char(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}
/// A name, an address or "[::1]", with a port. Commas and slashes would make it two hosts, or more than a host.
constexpr bool is_host_char(char c) { return is_alphanumeric(c) || is_in(c, "-._~%:[]"); }

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, {}, lower);
}

std::string_view trim(std::string_view value) {
  auto first = value.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return value.substr(first, value.find_last_not_of(" \t") - first + 1);
}

/// Takes a line and its CRLF off `head`, which ends with one.
std::string_view take_line(std::string_view& head) {
  auto line = head.substr(0, head.find(crlf));
  head.remove_prefix(line.size() + crlf.size());
  return line;
}

/// @returns whether it is HTTP/1.1 (or else 1.0).
result<bool> read_request_line(std::string_view line, const head_limits& limits) {
  auto method = line.substr(0, line.find(' '));
  auto version_at = line.rfind(' ');
  if (method.size() >= version_at || version_at == std::string_view::npos)
    return errc::bad_request;
  auto target = line.substr(method.size() + 1, version_at - method.size() - 1);
  auto version = line.substr(version_at + 1);
  if (method.empty() || method.size() > method_bytes_max || !std::ranges::all_of(method, is_token_char) ||
      (version != "HTTP/1.1" && version != "HTTP/1.0"))
    return errc::bad_request;
  if (target.size() > limits.target_bytes)
    return errc::uri_too_long;
  if (!target.starts_with('/') || !std::ranges::all_of(target, is_visible))
    return errc::bad_request;
  return version == "HTTP/1.1";
}

bool is_value_of(std::size_t name, std::string_view value, const request_head& head) {
  switch (name) {
    case host: return !value.empty() && std::ranges::all_of(value, is_host_char);
    case content_length:
      return !value.empty() && value.size() <= length_digits_max && std::ranges::all_of(value, is_digit);
    case transfer_encoding: return head.is_http_1_1 && equals_ignoring_case(value, "chunked");
    default: return true;
  }
}

bool read_header(std::string_view line, request_head& head) {
  auto colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos)
    return false;
  auto name = line.substr(0, colon);
  auto value = trim(line.substr(colon + 1));
  // A line that continues the one before it (obs-fold) begins with a blank, which is no character of a name.
  if (!std::ranges::all_of(name, is_token_char) || !std::ranges::all_of(value, is_value_char))
    return false;
  auto known = std::ranges::find_if(singles, [name](auto one) { return equals_ignoring_case(name, one); });
  if (known == singles.end())
    return true;
  auto index = static_cast<std::size_t>(known - singles.begin());
  if (head.seen[index])
    return false;
  head.seen.set(index);
  return is_value_of(index, value, head);
}

} // namespace

result<void> guard_head(std::string_view head, const head_limits& limits) {
  if (!head.ends_with("\r\n\r\n"))
    return errc::bad_request;
  head.remove_suffix(crlf.size());
  auto is_http_1_1 = read_request_line(take_line(head), limits);
  if (!is_http_1_1)
    return is_http_1_1.error();
  request_head read{*is_http_1_1, {}};
  for (std::size_t n = 1; !head.empty(); ++n) {
    if (n > limits.headers)
      return errc::header_too_large;
    if (!read_header(take_line(head), read))
      return errc::bad_request;
  }
  auto is_framed_twice = read.seen[content_length] && read.seen[transfer_encoding];
  if (is_framed_twice || (read.is_http_1_1 && !read.seen[host]))
    return errc::bad_request;
  return {};
}

} // namespace headway
