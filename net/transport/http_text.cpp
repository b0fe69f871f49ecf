#include "net/transport/http_text.hpp"

#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <optional>

namespace headway {

namespace {

void add(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

/// `length`: of the body; none: it goes on until the connection ends, or there is none.
void add_head(std::string& out, const http_answer& answer, std::string_view origin, bool keep_alive,
              std::optional<std::size_t> length) {
  out.append("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
  auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(answer.status));
  out.append(reason.data(), reason.size()).append("\r\n");
  if (!answer.content_type.empty())
    add(out, "Content-Type", answer.content_type);
  if (length)
    add(out, "Content-Length", std::to_string(*length));
  auto caching = std::ranges::find(answer.headers, "Cache-Control", [](const auto& h) { return h.first; });
  if (caching == answer.headers.end())
    add(out, "Cache-Control", "no-store");
  add(out, "X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : answer.headers)
    add(out, name, value);
  if (!origin.empty()) {
    add(out, "Access-Control-Allow-Origin", origin);
    if (origin != "*")
      add(out, "Access-Control-Allow-Credentials", "true");
  }
  if (origin != "*")
    add(out, "Vary", "Origin");
  if (!keep_alive)
    add(out, "Connection", "close");
}

} // namespace

std::string to_text(const http_answer& answer, std::string_view origin, bool keep_alive, bool head_only) {
  std::string out;
  out.reserve(256 + answer.body.size());
  add_head(out, answer, origin, keep_alive, answer.status == 204 ? std::nullopt : std::optional{answer.body.size()});
  out.append("\r\n");
  if (!head_only)
    out.append(answer.body);
  return out;
}

std::string to_stream_head(const http_answer& answer, std::string_view origin) {
  std::string out;
  add_head(out, answer, origin, false, std::nullopt);
  return out.append("\r\n");
}

} // namespace headway
