// The rows: every setting with its help, its bounds and its check.
#include "config/settings.hpp"
#include "core/address.hpp"

#include <algorithm>
#include <array>

namespace headway {

namespace {

constexpr double hour_ms = 3'600'000;
constexpr double mebibyte = 1'048'576;
constexpr double gibibyte = 1024 * mebibyte;
constexpr double million = 1e6;

std::optional<std::string> unless(bool good, const char* why) {
  return good ? std::nullopt : std::optional<std::string>{why};
}

std::optional<std::string> check_host(const config& c) { return unless(!c.host.empty(), "must not be empty"); }

std::optional<std::string> check_database_url(const config& c) {
  for (std::string_view scheme : {"sqlite://", "postgres://", "postgresql://"})
    if (c.database_url.starts_with(scheme) && c.database_url.size() > scheme.size())
      return std::nullopt;
  return "must be sqlite://path.db, sqlite:///absolute/path.db or postgres://user:password@host:port/database";
}

/// "https://example.org:8443"; with "*" as its first label all hosts that have one label more; "*" alone is anybody.
bool is_origin(std::string_view origin) {
  if (origin == "*")
    return true;
  auto scheme = origin.starts_with("http://") ? 7U : origin.starts_with("https://") ? 8U : 0U;
  auto host = origin.substr(scheme);
  if (host.starts_with("*."))
    host.remove_prefix(2);
  return scheme != 0 && !host.empty() && host.find_first_of("*/?#@") == std::string_view::npos;
}

std::optional<std::string> check_frontend_url(const config& c) {
  return unless(
    std::ranges::all_of(c.frontend_url, is_origin),
    "must be a comma list of origins like https://example.org:8443 or https://*.example.org, without paths");
}

std::optional<std::string> check_trusted_proxies(const config& c) {
  return unless(
    std::ranges::all_of(c.trusted_proxies, [](const auto& text) { return ip_network::parse(text).has_value(); }),
    "must be a comma list of addresses or networks like 10.0.0.0/8 or ::1, without names and without /0");
}

std::optional<std::string> check_log_level(const config& c) {
  constexpr std::array<std::string_view, 5> levels{"debug", "info", "warn", "error", "off"};
  return unless(std::ranges::find(levels, c.log_level) != levels.end(), "must be debug, info, warn, error or off");
}

std::optional<std::string> check_socketio_path(const config& c) {
  const auto& path = c.socketio.path;
  return unless(path.size() >= 3 && path.front() == '/' && path.back() == '/', "must begin and end with a slash");
}

/// As packets can name them.
std::optional<std::string> check_namespaces(const config& c) {
  auto is_namespace = [](std::string_view name) {
    constexpr std::size_t bytes_max = 64;
    auto is_control = [](unsigned char ch) { return ch < 0x20 || ch == 0x7f; };
    return name.starts_with('/') && name.size() <= bytes_max && std::ranges::none_of(name, is_control);
  };
  return unless(!c.socketio.namespaces.empty() && std::ranges::all_of(c.socketio.namespaces, is_namespace),
                "must be a comma list of names like / or /jobs, each of at most 64 bytes");
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
   .help = "Origins whose pages may connect, as a comma list: https://example.org,http://localhost:3000. "
           "https://*.example.org is every host with one label more; * is every page; tokens are asked all the same, and no cookies are used",
   .check = check_frontend_url, .plain_env = true},
  {.name = "trusted_proxies", .field = FIELD(trusted_proxies),
   .help = "Proxies whose X-Forwarded-For is believed, as a comma list of addresses and networks: 10.0.0.0/8,::1. "
           "Behind a proxy that is not listed all clients share the limits of one address",
   .check = check_trusted_proxies},
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
   .help = "Updates of a job, other than progress, that are taken in a second; 0: any number", .max = 1e9, .limit = true},
  {.name = "rate_limit.burst", .field = FIELD(rate_limit.burst), .help = "How many of them may come at once",
   .min = 1, .max = 1e9, .limit = true},

  {.name = "connections.total_max", .field = FIELD(connections.total_max),
   .help = "Watchers connected at a time; 0: no limit", .max = 10 * million, .limit = true},
  {.name = "connections.per_address_max", .field = FIELD(connections.per_address_max),
   .help = "Watchers connected from one address (of IPv6: one /64); 0: no limit", .max = 10 * million, .limit = true},
  {.name = "connections.per_user_max", .field = FIELD(connections.per_user_max),
   .help = "Watchers connected as one user; 0: no limit", .max = 10 * million, .limit = true},
  {.name = "connections.per_second", .field = FIELD(connections.per_second),
   .help = "Watchers that may connect in a second; 0: no limit", .max = million, .limit = true},
  {.name = "connections.per_address_per_second", .field = FIELD(connections.per_address_per_second),
   .help = "Watchers that may connect in a second from one address; 0: no limit", .max = million, .limit = true},

  {.name = "http.connections_max", .field = FIELD(http.connections_max),
   .help = "Open TCP connections; 0: no limit", .max = 10 * million, .limit = true},
  {.name = "http.connections_per_address_max", .field = FIELD(http.connections_per_address_max),
   .help = "Open TCP connections of one address; 0: no limit", .max = 10 * million, .limit = true},
  {.name = "http.accepts_per_second", .field = FIELD(http.accepts_per_second),
   .help = "TCP connections that are accepted in a second; 0: no limit", .max = million, .limit = true},
  {.name = "http.accepts_per_address_per_second", .field = FIELD(http.accepts_per_address_per_second),
   .help = "TCP connections that are accepted in a second from one address; 0: no limit", .max = million, .limit = true},
  {.name = "http.body_bytes_max", .field = FIELD(http.body_bytes_max), .help = "Size of a request's body",
   .min = 1024, .max = gibibyte, .limit = true},
  {.name = "http.head_bytes_max", .field = FIELD(http.head_bytes_max), .help = "Size of a request's line and headers",
   .min = 1024, .max = mebibyte, .limit = true},
  {.name = "http.headers_max", .field = FIELD(http.headers_max), .help = "Number of a request's headers",
   .min = 8, .max = 1024, .limit = true},
  {.name = "http.target_bytes_max", .field = FIELD(http.target_bytes_max), .help = "Length of a request's path and query",
   .min = 256, .max = mebibyte, .limit = true},
  {.name = "http.chunk_header_bytes_max", .field = FIELD(http.chunk_header_bytes_max),
   .help = "Length of a chunk's header in a chunked body", .min = 64, .max = 65'536, .limit = true},
  {.name = "http.pipelined_max", .field = FIELD(http.pipelined_max),
   .help = "Requests of a connection that are read ahead of their answers", .min = 1, .max = 1024, .limit = true},
  {.name = "http.head_timeout_ms", .field = FIELD(http.head_timeout_ms),
   .help = "How long a request's line and headers may take to arrive", .min = 100, .max = hour_ms, .limit = true},
  {.name = "http.body_timeout_ms", .field = FIELD(http.body_timeout_ms),
   .help = "How long a request's body may take to arrive", .min = 100, .max = hour_ms, .limit = true},
  {.name = "http.body_bytes_per_second_min", .field = FIELD(http.body_bytes_per_second_min),
   .help = "How fast a request's body must arrive at least; 0: any speed", .max = gibibyte, .limit = true},
  {.name = "http.idle_timeout_ms", .field = FIELD(http.idle_timeout_ms),
   .help = "How long a connection is kept open between requests", .min = 100, .max = hour_ms, .limit = true},

  {.name = "websocket.fragments_max", .field = FIELD(websocket.fragments_max), .help = "Fragments of one message",
   .min = 1, .max = 65'536, .limit = true},
  {.name = "websocket.control_frames_per_second", .field = FIELD(websocket.control_frames_per_second),
   .help = "Pings and pongs that a client may send in a second; 0: any number", .max = million, .limit = true},
  {.name = "websocket.control_frames_burst", .field = FIELD(websocket.control_frames_burst),
   .help = "How many of them may come at once", .min = 1, .max = million, .limit = true},
  {.name = "websocket.handshake_timeout_ms", .field = FIELD(websocket.handshake_timeout_ms),
   .help = "How long the opening of a WebSocket may take", .min = 100, .max = hour_ms, .limit = true},
  {.name = "websocket.close_timeout_ms", .field = FIELD(websocket.close_timeout_ms),
   .help = "How long a client may take to answer when its WebSocket is closed", .min = 100, .max = hour_ms, .limit = true},

  {.name = "engineio.ping_interval_ms", .field = FIELD(engineio.ping_interval_ms),
   .help = "Time between the server's pings", .min = 100, .max = hour_ms},
  {.name = "engineio.ping_timeout_ms", .field = FIELD(engineio.ping_timeout_ms),
   .help = "How long a client may take to answer a ping", .min = 100, .max = hour_ms, .limit = true},
  {.name = "engineio.upgrade_timeout_ms", .field = FIELD(engineio.upgrade_timeout_ms),
   .help = "How long a change from polling to WebSocket may take", .min = 100, .max = hour_ms, .limit = true},
  {.name = "engineio.max_payload_bytes", .field = FIELD(engineio.max_payload_bytes),
   .help = "Size of a message from a client; told in the handshake", .min = 1024, .max = gibibyte, .limit = true},
  {.name = "engineio.packets_per_post_max", .field = FIELD(engineio.packets_per_post_max),
   .help = "Packets in one POST of a polling client", .min = 1, .max = 65'536, .limit = true},
  {.name = "engineio.connect_timeout_ms", .field = FIELD(engineio.connect_timeout_ms),
   .help = "How long a client may take to send its CONNECT", .min = 100, .max = hour_ms, .limit = true},

  {.name = "socketio.path", .field = FIELD(socketio.path), .help = "Path of the Socket.IO endpoint",
   .check = check_socketio_path},
  {.name = "socketio.namespaces", .field = FIELD(socketio.namespaces),
   .help = "Namespaces that clients may join, as a comma list", .check = check_namespaces},
  {.name = "socketio.namespaces_per_connection_max", .field = FIELD(socketio.namespaces_per_connection_max),
   .help = "Namespaces that one connection may join", .min = 1, .max = 1024, .limit = true},
  {.name = "socketio.events_per_second", .field = FIELD(socketio.events_per_second),
   .help = "Events that a client may send in a second; 0: any number", .max = million, .limit = true},
  {.name = "socketio.events_burst", .field = FIELD(socketio.events_burst), .help = "How many of them may come at once",
   .min = 1, .max = million, .limit = true},
  {.name = "socketio.event_warnings", .field = FIELD(socketio.event_warnings),
   .help = "How often a client that sends too many is warned before it is disconnected; 0: it is not",
   .max = 1000, .limit = true},
  {.name = "socketio.event_name_bytes_max", .field = FIELD(socketio.event_name_bytes_max),
   .help = "Length of an event's name", .min = 32, .max = 1024, .limit = true},
  {.name = "socketio.arguments_max", .field = FIELD(socketio.arguments_max), .help = "Arguments of an event",
   .min = 1, .max = 256, .limit = true},
  {.name = "socketio.attachments_max", .field = FIELD(socketio.attachments_max),
   .help = "Binary attachments of a packet; 0: none are taken", .max = 256, .limit = true},
  {.name = "socketio.attachments_timeout_ms", .field = FIELD(socketio.attachments_timeout_ms),
   .help = "How long a packet's attachments may take to arrive", .min = 100, .max = hour_ms, .limit = true},

  {.name = "sse.heartbeat_ms", .field = FIELD(sse.heartbeat_ms),
   .help = "Time between the comments that keep an event stream open", .min = 100, .max = hour_ms},
  {.name = "sse.retry_ms", .field = FIELD(sse.retry_ms),
   .help = "How long clients of an event stream are told to wait before they come again", .min = 100, .max = hour_ms},
  {.name = "metrics.public", .field = FIELD(metrics.is_public),
   .help = "Whether /metrics is also for other machines; without it this one's own addresses only"},
  {.name = "subscriptions.per_connection_max", .field = FIELD(subscriptions.per_connection_max),
   .help = "Jobs, batches and projects that one connection may watch", .min = 1, .max = million, .limit = true},
  {.name = "recovery.events_max", .field = FIELD(recovery.events_max),
   .help = "Events that are replayed to a watcher that comes back; one that missed more gets the state as it stands",
   .min = 1, .max = million, .limit = true},

  {.name = "auth.failures_per_minute", .field = FIELD(auth.failures_per_minute),
   .help = "Wrong tokens and keys from one address in a minute; then one attempt a second is let through; 0: no limit",
   .max = million, .limit = true},
  {.name = "jwt.leeway_s", .field = FIELD(jwt.leeway_s), .help = "How far the clocks of token issuers may be off", .max = 600},
  {.name = "jwt.max_age_s", .field = FIELD(jwt.max_age_s),
   .help = "How old a token may be, by its iat, which it then must have; 0: as old as its exp allows",
   .max = 366.0 * 86'400, .limit = true},
  {.name = "jwt.token_bytes_max", .field = FIELD(jwt.token_bytes_max), .help = "Length of a token",
   .min = 256, .max = mebibyte, .limit = true},

  {.name = "json.depth_max", .field = FIELD(json.depth_max), .help = "How deep JSON from outside may be nested",
   .min = 4, .max = 256, .limit = true},
  {.name = "json.members_max", .field = FIELD(json.members_max), .help = "Members of one object in it",
   .min = 16, .max = million, .limit = true},
  {.name = "json.elements_max", .field = FIELD(json.elements_max), .help = "Elements of one array in it",
   .min = 16, .max = million, .limit = true},
  {.name = "json.string_bytes_max", .field = FIELD(json.string_bytes_max), .help = "Length of one text or key in it",
   .min = 1024, .max = gibibyte, .limit = true},
  {.name = "json.digits_max", .field = FIELD(json.digits_max), .help = "Length of one number in it",
   .min = 16, .max = 1024, .limit = true},
  {.name = "job.message_bytes_max", .field = FIELD(job.message_bytes_max), .help = "Length of a job's message",
   .min = 64, .max = mebibyte, .limit = true},
  {.name = "job.result_bytes_max", .field = FIELD(job.result_bytes_max),
   .help = "Size of a job's result, and of one chunk of its output", .min = 1024, .max = gibibyte, .limit = true},
  {.name = "job.linger_ms", .field = FIELD(job.linger_ms), .help = "How long an ended or idle job stays in memory",
   .max = 24 * hour_ms},

  {.name = "queue.bytes_max", .field = FIELD(queue.bytes_max),
   .help = "What may wait for one slow watcher before it is disconnected", .min = 65'536, .max = gibibyte, .limit = true},
  {.name = "storage.batch_writes_max", .field = FIELD(storage.batch_writes_max), .help = "Updates in one commit at most",
   .min = 1, .max = 100'000},
  {.name = "storage.readers", .field = FIELD(storage.readers), .help = "Connections that read beside the one that writes",
   .min = 1, .max = 64},
  {.name = "storage.pending_writes_max", .field = FIELD(storage.pending_writes_max),
   .help = "Updates that may wait for a commit; beyond it they are refused with 503",
   .min = 1, .max = 10 * million, .limit = true},
  {.name = "storage.pending_bytes_max", .field = FIELD(storage.pending_bytes_max),
   .help = "Size of the updates that may wait for a commit; beyond it they are refused with 503",
   .min = mebibyte, .max = 64 * gibibyte, .limit = true},
  {.name = "shutdown.timeout_ms", .field = FIELD(shutdown.timeout_ms), .help = "How long a clean stop may take",
   .min = 100, .max = hour_ms},
};
// clang-format on

#undef FIELD

} // namespace

std::span<const setting> settings() { return table; }

} // namespace headway
