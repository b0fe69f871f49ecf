#include "config/settings.hpp"

#include "core/json.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <type_traits>

namespace headway {

namespace {

template <class>
constexpr bool always_false = false;

constexpr double hour_ms = 3'600'000;
constexpr double gibibyte = 1'073'741'824;

std::optional<std::string> check_host(const config& c) {
  return c.host.empty() ? std::optional<std::string>{"must not be empty"} : std::nullopt;
}

std::optional<std::string> check_database_url(const config& c) {
  for (std::string_view scheme : {"sqlite://", "postgres://", "postgresql://"})
    if (c.database_url.starts_with(scheme) && c.database_url.size() > scheme.size())
      return std::nullopt;
  return "must be sqlite://path.db, sqlite:///absolute/path.db or postgres://user:password@host:port/database";
}

std::optional<std::string> check_frontend_url(const config& c) {
  for (const auto& origin : c.frontend_url) {
    auto scheme = origin.starts_with("http://") ? 7U : origin.starts_with("https://") ? 8U : 0U;
    if (scheme == 0 || scheme == origin.size() || origin.find('/', scheme) != std::string::npos)
      return "must be a comma list of origins like https://example.org:8443, without paths";
  }
  return std::nullopt;
}

std::optional<std::string> check_log_level(const config& c) {
  constexpr std::array<std::string_view, 5> levels{"debug", "info", "warn", "error", "off"};
  if (std::ranges::find(levels, c.log_level) != levels.end())
    return std::nullopt;
  return "must be debug, info, warn, error or off";
}

std::optional<std::string> check_socketio_path(const config& c) {
  const auto& path = c.socketio.path;
  if (path.size() >= 3 && path.front() == '/' && path.back() == '/')
    return std::nullopt;
  return "must begin and end with a slash";
}

#define FIELD(path) +[](config& c) -> auto& { return c.path; }

// clang-format off
const setting table[] = {
  {.name = "host", .field = FIELD(host), .help = "Address to listen on; 0.0.0.0 for all",
   .check = check_host, .plain_env = true},
  {.name = "port", .field = FIELD(port), .help = "Port to listen on; 0 takes any free one",
   .min = 0, .max = 65'535, .plain_env = true},
  {.name = "database_url", .field = FIELD(database_url),
   .help = "sqlite://path.db, sqlite:///absolute/path.db or postgres://user:password@host:port/database",
   .check = check_database_url, .secret = true, .plain_env = true},
  {.name = "jwt_secret", .field = FIELD(jwt_secret),
   .help = "Secret of the HS256 tokens, at least 32 bytes; better in the environment than in a flag that all users see",
   .secret = true, .plain_env = true},
  {.name = "frontend_url", .field = FIELD(frontend_url),
   .help = "Origins whose pages may connect, as a comma list: https://example.org,http://localhost:3000",
   .check = check_frontend_url, .plain_env = true},
  {.name = "log_level", .field = FIELD(log_level), .help = "debug, info, warn, error or off",
   .check = check_log_level, .plain_env = true},
  {.name = "dev", .field = FIELD(dev), .help = "For development only: no secret needed, a demo job and a token for it"},
  {.name = "io_threads", .field = FIELD(io_threads), .help = "Threads that serve connections; 0: one a core", .max = 1024},
  {.name = "scheduler_threads", .field = FIELD(scheduler_threads), .help = "Threads that run jobs and rooms; 0: one a core",
   .max = 1024},

  {.name = "throttle.min_interval_ms", .field = FIELD(throttle.min_interval_ms),
   .help = "At most one progress update of a job in so many milliseconds, the latest; 0: all of them", .max = hour_ms},
  {.name = "throttle.min_delta", .field = FIELD(throttle.min_delta),
   .help = "Progress that moves the bar by less waits for the end of the interval; 0: none does", .max = 100},
  {.name = "rate_limit.facts_per_second", .field = FIELD(rate_limit.facts_per_second),
   .help = "Updates of a job, other than progress, that are taken in a second; 0: any number", .max = 1e9},
  {.name = "rate_limit.burst", .field = FIELD(rate_limit.burst), .help = "How many of them may come at once",
   .min = 1, .max = 1e9},

  {.name = "http.body_bytes_max", .field = FIELD(http.body_bytes_max), .help = "Size of a request's body",
   .min = 1024, .max = gibibyte},
  {.name = "http.head_bytes_max", .field = FIELD(http.head_bytes_max), .help = "Size of a request's line and headers",
   .min = 1024, .max = 1'048'576},
  {.name = "http.headers_max", .field = FIELD(http.headers_max), .help = "Number of a request's headers",
   .min = 8, .max = 1024},
  {.name = "http.target_bytes_max", .field = FIELD(http.target_bytes_max), .help = "Length of a request's path and query",
   .min = 256, .max = 1'048'576},

  {.name = "engineio.ping_interval_ms", .field = FIELD(engineio.ping_interval_ms),
   .help = "Time between the server's pings", .min = 100, .max = hour_ms},
  {.name = "engineio.ping_timeout_ms", .field = FIELD(engineio.ping_timeout_ms),
   .help = "How long a client may take to answer a ping", .min = 100, .max = hour_ms},
  {.name = "engineio.upgrade_timeout_ms", .field = FIELD(engineio.upgrade_timeout_ms),
   .help = "How long a change from polling to WebSocket may take", .min = 100, .max = hour_ms},
  {.name = "engineio.max_payload_bytes", .field = FIELD(engineio.max_payload_bytes),
   .help = "Size of a message from a client; told in the handshake", .min = 1024, .max = gibibyte},
  {.name = "engineio.connect_timeout_ms", .field = FIELD(engineio.connect_timeout_ms),
   .help = "How long a client may take to send its CONNECT", .min = 100, .max = hour_ms},
  {.name = "socketio.path", .field = FIELD(socketio.path), .help = "Path of the Socket.IO endpoint",
   .check = check_socketio_path},
  {.name = "jwt.leeway_s", .field = FIELD(jwt.leeway_s), .help = "How far the clocks of token issuers may be off", .max = 600},
  {.name = "json.depth_max", .field = FIELD(json.depth_max), .help = "How deep JSON from outside may be nested",
   .min = 4, .max = 256},
  {.name = "queue.bytes_max", .field = FIELD(queue.bytes_max),
   .help = "What may wait for one slow watcher before it is disconnected", .min = 65'536, .max = gibibyte},

  {.name = "storage.batch_writes_max", .field = FIELD(storage.batch_writes_max), .help = "Updates in one commit at most",
   .min = 1, .max = 100'000},
  {.name = "storage.readers", .field = FIELD(storage.readers), .help = "Connections that read beside the one that writes",
   .min = 1, .max = 64},
  {.name = "storage.pending_writes_max", .field = FIELD(storage.pending_writes_max),
   .help = "Updates that may wait for a commit; beyond it they are refused with 503", .min = 1, .max = 10'000'000},
  {.name = "job.linger_ms", .field = FIELD(job.linger_ms), .help = "How long an ended or idle job stays in memory",
   .max = 24 * hour_ms},
  {.name = "shutdown.timeout_ms", .field = FIELD(shutdown.timeout_ms), .help = "How long a clean stop may take",
   .min = 100, .max = hour_ms},
};
// clang-format on

#undef FIELD

std::string number_text(double value) { return dump_json(number_json(value)); }

std::optional<std::string> in_range(const setting& row, double value) {
  if (value >= row.min && value <= row.max) // also refuses NaN
    return std::nullopt;
  return "must be " + number_text(row.min) + " to " + number_text(row.max);
}

std::optional<std::string> assign_to(const setting&, std::string& to, std::string_view text) {
  to = text;
  return std::nullopt;
}

/// Split at commas and white space.
std::optional<std::string> assign_to(const setting&, std::vector<std::string>& to, std::string_view text) {
  constexpr std::string_view separators = ", \t\r\n";
  to.clear();
  while (true) {
    auto begin = text.find_first_not_of(separators);
    if (begin == std::string_view::npos)
      return std::nullopt;
    text.remove_prefix(begin);
    auto item = text.substr(0, text.find_first_of(separators));
    text.remove_prefix(item.size());
    if (item.ends_with('/')) // a browser's Origin has none
      item.remove_suffix(1);
    to.emplace_back(item);
  }
}

std::optional<std::string> assign_to(const setting&, bool& to, std::string_view text) {
  for (std::string_view yes : {"true", "1", "yes", "on"})
    if (text == yes) {
      to = true;
      return std::nullopt;
    }
  for (std::string_view no : {"false", "0", "no", "off"})
    if (text == no) {
      to = false;
      return std::nullopt;
    }
  return "must be true or false";
}

template <class Number>
  requires std::is_arithmetic_v<Number>
std::optional<std::string> assign_to(const setting& row, Number& to, std::string_view text) {
  Number value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // A number too large for its type is out of range like any other.
  if (error == std::errc::result_out_of_range)
    return in_range(row, row.max + 1);
  if (error != std::errc{} || end != text.data() + text.size()) {
    if (std::is_integral_v<Number> && text.starts_with('-') && text.size() > 1)
      return in_range(row, -1);
    return std::is_integral_v<Number> ? "must be a whole number" : "must be a number";
  }
  if (auto wrong = in_range(row, static_cast<double>(value)))
    return wrong;
  to = value;
  return std::nullopt;
}

} // namespace

std::span<const setting> settings() { return table; }

const setting* find_setting(std::string_view name) {
  const auto* it = std::ranges::find(table, name, &setting::name);
  return it == std::end(table) ? nullptr : it;
}

std::string env_name(const setting& row, bool prefixed) {
  std::string out = prefixed ? "HEADWAY_" : "";
  for (char c : row.name)
    out += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string_view type_name(const setting& row) {
  return std::visit(
    [](auto field) -> std::string_view {
      using type = std::remove_reference_t<std::invoke_result_t<decltype(field), config&>>;
      if constexpr (std::is_same_v<type, std::string>)
        return "TEXT";
      else if constexpr (std::is_same_v<type, std::vector<std::string>>)
        return "LIST";
      else if constexpr (std::is_same_v<type, bool>)
        return "BOOL";
      else if constexpr (std::is_integral_v<type>)
        return "INT";
      else if constexpr (std::is_same_v<type, double>)
        return "NUMBER";
      else
        static_assert(always_false<type>);
    },
    row.field);
}

std::optional<std::string> assign(const setting& row, config& into, std::string_view text) {
  auto candidate = into; // `into` keeps its value where this one is wrong
  auto wrong = std::visit([&](auto field) { return assign_to(row, field(candidate), text); }, row.field);
  if (!wrong && row.check)
    wrong = row.check(candidate);
  if (!wrong)
    into = std::move(candidate);
  return wrong;
}

std::string value_text(const setting& row, const config& from) {
  auto copy = from; // fields are accessors of a mutable config
  return std::visit(
    [&](auto field) -> std::string {
      const auto& value = field(copy);
      using type = std::remove_cvref_t<decltype(value)>;
      if constexpr (std::is_same_v<type, std::string>) {
        return value;
      } else if constexpr (std::is_same_v<type, std::vector<std::string>>) {
        std::string out;
        for (const auto& item : value)
          out += (out.empty() ? "" : ",") + item;
        return out;
      } else if constexpr (std::is_same_v<type, bool>) {
        return value ? "true" : "false";
      } else {
        return number_text(static_cast<double>(value));
      }
    },
    row.field);
}

std::string masked_text(const setting& row, std::string_view text) {
  constexpr std::string_view mask = "***";
  if (!row.secret || text.empty())
    return std::string{text};
  auto scheme = text.find("://");
  if (row.name != "database_url" || scheme == std::string_view::npos)
    return std::string{mask};
  // Of a URL only the password goes: user:PASSWORD@host, and whatever stands in the query.
  std::string out{text.substr(0, std::min(text.find('?'), text.size()))};
  if (out.size() < text.size())
    out += "?" + std::string{mask};
  auto at = out.rfind('@');
  auto colon = out.find(':', scheme + 3);
  if (at != std::string::npos && colon < at)
    out.replace(colon + 1, at - colon - 1, mask);
  return out;
}

} // namespace headway
