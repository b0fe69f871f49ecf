#include "net/transport/http_text.hpp"

#include <boost/beast/http/status.hpp>

#include <algorithm>

namespace headway {

std::string to_text(const http_answer& answer, std::string_view origin, bool keep_alive, bool head_only) {
  std::string out;
  out.reserve(256 + answer.body.size());
  auto add = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  out.append("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
  auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(answer.status));
  out.append(reason.data(), reason.size()).append("\r\n");
  if (!answer.content_type.empty())
    add("Content-Type", answer.content_type);
  if (answer.status != 204)
    add("Content-Length", std::to_string(answer.body.size()));
  auto caching = std::ranges::find(answer.headers, "Cache-Control", [](const auto& h) { return h.first; });
  if (caching == answer.headers.end())
    add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : answer.headers)
    add(name, value);
  if (!origin.empty()) {
    add("Access-Control-Allow-Origin", origin);
    if (origin != "*")
      add("Access-Control-Allow-Credentials", "true");
  }
  if (origin != "*")
    add("Vary", "Origin");
  if (!keep_alive)
    add("Connection", "close");
  out.append("\r\n");
  if (!head_only)
    out.append(answer.body);
  return out;
}

} // namespace headway
