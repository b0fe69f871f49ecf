#include "net/protocol/http.hpp"

#include <algorithm>
#include <charconv>

namespace headway {

namespace {

// RFC 9457: with the type "about:blank" the title is the status' own phrase.
std::string_view phrase(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
  }
}

/// The byte that "%XX" at the start of `text` stands for.
result<char> escaped_byte(std::string_view text) {
  unsigned value = 0;
  if (text.size() < 3)
    return errc::bad_request;
  auto* end = text.data() + 3;
  if (std::from_chars(text.data() + 1, end, value, 16).ptr != end)
    return errc::bad_request;
  return static_cast<char>(value);
}

std::string form_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (auto byte = escaped_byte(text.substr(i))) {
        out += *byte;
        i += 2;
        continue;
      }
    }
    out += text[i] == '+' ? ' ' : text[i];
  }
  return out;
}

} // namespace

http_answer json_answer(int status, const json& body) { return {status, "application/json", dump_json(body), {}}; }

http_answer problem(errc code, std::string_view detail) {
  auto status = http_status(code);
  json body{
    {"type", "about:blank"},
    {"title", phrase(status)},
    {"status", status},
    {"code", name(code)},
    {"detail", detail.empty() ? text(code) : detail},
  };
  return {status, "application/problem+json", dump_json(body), {}};
}

result<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    auto byte = escaped_byte(text.substr(i));
    if (!byte)
      return byte.error();
    out += *byte;
    i += 2;
  }
  return out;
}

query_params::query_params(std::string_view query) {
  while (!query.empty()) {
    auto item = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(item.size() + 1, query.size()));
    if (item.empty())
      continue;
    auto equals = item.find('=');
    auto value = equals == std::string_view::npos ? std::string_view{} : item.substr(equals + 1);
    params_.emplace_back(form_decode(item.substr(0, equals)), form_decode(value));
  }
}

std::string_view query_params::get(std::string_view name) const {
  for (auto it = params_.rbegin(); it != params_.rend(); ++it)
    if (it->first == name)
      return it->second;
  return {};
}

bool query_params::has(std::string_view name) const {
  return std::ranges::any_of(params_, [&](auto& param) { return param.first == name; });
}

} // namespace headway
