// A head that passes has one reading: a naive one and Beast's agree on where it ends and how its body is framed.
#include "net/protocol/http_guard.hpp"

#include "tests/fuzz/fuzz.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace headway;
namespace http = boost::beast::http;

// Small, so that short inputs come to the limits.
constexpr head_limits limits{.headers = 8, .target_bytes = 64};

struct header {
  std::string name; ///< lower case
  std::string value;
};

struct reading {
  std::string first_line;
  std::vector<header> headers;

  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count(headers, name, &header::name));
  }
  std::string value(std::string_view name) const {
    auto found = std::ranges::find(headers, name, &header::name);
    return found == headers.end() ? std::string{} : found->value;
  }
};

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c + 32);
  return text;
}

std::string without_blanks(std::string text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.pop_back();
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.erase(0, 1);
  return text;
}

/// As RFC 9112 reads lines: CRLF ends one, and nothing else does.
reading read(std::string_view head) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < head.size(); ++i) {
    PROMISE(head[i] == '\t' || head[i] == '\r' || head[i] == '\n' || static_cast<unsigned char>(head[i]) >= 0x20);
    PROMISE(head[i] != 0x7f);
    if (head[i] == '\r') {
      PROMISE(i + 1 < head.size() && head[i + 1] == '\n');
      ++i;
      lines.emplace_back();
    } else {
      PROMISE(head[i] != '\n');
      lines.back() += head[i];
    }
  }
  PROMISE(lines.size() >= 3 && lines[lines.size() - 1].empty() && lines[lines.size() - 2].empty());
  lines.resize(lines.size() - 2);
  reading out{lines.front(), {}};
  for (std::size_t i = 1; i < lines.size(); ++i) {
    auto colon = lines[i].find(':');
    PROMISE(colon != std::string::npos && colon > 0);
    auto name = lower(lines[i].substr(0, colon));
    PROMISE(name.find_first_of(" \t\"(),/;<=>?@[\\]{}") == std::string::npos);
    out.headers.push_back({name, without_blanks(lines[i].substr(colon + 1))});
  }
  return out;
}

void check_naively(const reading& r) {
  auto& line = r.first_line;
  PROMISE(std::ranges::count(line, ' ') == 2 && std::ranges::count(line, '\t') == 0);
  auto target = line.substr(line.find(' ') + 1, line.rfind(' ') - line.find(' ') - 1);
  PROMISE(line.find(' ') > 0 && target.size() <= limits.target_bytes && target.front() == '/');
  auto is_http_1_1 = line.ends_with(" HTTP/1.1");
  PROMISE(is_http_1_1 || line.ends_with(" HTTP/1.0"));

  PROMISE(r.headers.size() <= limits.headers);
  PROMISE(r.count("host") == 1 || (!is_http_1_1 && r.count("host") == 0));
  PROMISE(r.value("host").find_first_of(" \t,/@?#\\") == std::string::npos);
  PROMISE(r.count("content-length") + r.count("transfer-encoding") <= 1);
  if (r.count("transfer-encoding") == 1)
    PROMISE(is_http_1_1 && lower(r.value("transfer-encoding")) == "chunked");
  if (r.count("content-length") == 1) {
    auto length = r.value("content-length");
    PROMISE(!length.empty() && length.size() < 20 && length.find_first_not_of("0123456789") == std::string::npos);
  }
  for (auto* name : {"origin", "authorization", "content-type", "content-encoding", "sec-websocket-key",
                     "sec-websocket-version", "expect"})
    PROMISE(r.count(name) <= 1);
}

/// Where Beast takes the head, it reads the same: nothing is left over for a second request.
void check_with_beast(std::string_view head, const reading& r) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(1U << 20U);
  parser.body_limit(boost::none);
  boost::system::error_code failed;
  auto used = parser.put(boost::asio::buffer(head.data(), head.size()), failed);
  if (failed)
    return; // one refusal more does no harm
  PROMISE(used == head.size() && parser.is_header_done());
  auto& message = parser.get();
  auto fields = std::distance(message.begin(), message.end());
  PROMISE(static_cast<std::size_t>(fields) == r.headers.size());
  auto target = message.target();
  PROMISE(r.first_line.find(' ' + std::string{target.data(), target.size()} + ' ') != std::string::npos);
  PROMISE(parser.chunked() == (r.count("transfer-encoding") == 1));
  auto length = parser.content_length();
  PROMISE(length.has_value() == (r.count("content-length") == 1));
  if (length)
    PROMISE(*length == std::stoull(r.value("content-length")));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto head = fuzz::input{data, size}.rest();
  auto passed = guard_head(head, limits);
  if (!passed) {
    PROMISE(passed.error() == errc::bad_request || passed.error() == errc::uri_too_long ||
            passed.error() == errc::header_too_large);
    return 0;
  }
  auto r = read(head);
  check_naively(r);
  check_with_beast(head, r);
  return 0;
}
