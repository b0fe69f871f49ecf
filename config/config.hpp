// CONFIG  every setting with its default, and how it is found: flags over environment over file.
//
//   flag          --throttle.min_interval_ms 50
//   environment   HEADWAY_THROTTLE_MIN_INTERVAL_MS=50   (PORT, HOST, DATABASE_URL, ... also without the prefix)
//   file          {"throttle": {"min_interval_ms": 50}}
//
// A new setting is a member here and a row in settings_table.cpp; flags, environment, file, help and the listing
// follow.
#pragma once

#include "core/throttle.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace headway {

/// What a client sees where it goes beyond a limit: docs/limits.md.
struct config {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000; ///< 0: any free one
  std::string database_url = "sqlite://headway.db";
  std::string jwt_secret;                   ///< see `problems_of_serving`
  std::vector<std::string> frontend_url;    ///< allowed origins, without a slash at the end; see settings_table.cpp
  std::vector<std::string> trusted_proxies; ///< as `ip_network::parse` takes them
  std::string log_level = "info";
  bool dev = false;
  std::uint32_t io_threads = 0;        ///< 0: one a core
  std::uint32_t scheduler_threads = 0; ///< 0: one a core

  throttle_policy throttle; ///< of jobs that name none

  struct {
    double facts_per_second = 100; ///< of one job; 0: no limit
    double burst = 200;
  } rate_limit;

  /// Watchers' sessions: Engine.IO, plain WebSockets, event streams. 0: no limit.
  struct {
    std::size_t total_max = 10'000;
    std::size_t per_address_max = 200;
    std::size_t per_user_max = 200;
    double per_second = 500; ///< new ones
    double per_address_per_second = 50;
  } connections;

  struct {
    std::size_t connections_max = 20'000;            ///< TCP; 0: no limit
    std::size_t connections_per_address_max = 1'000; ///< 0: no limit
    double accepts_per_second = 2'000;               ///< 0: no limit
    double accepts_per_address_per_second = 500;     ///< 0: no limit
    std::size_t body_bytes_max = 262'144;
    std::size_t head_bytes_max = 8192;
    std::size_t headers_max = 64;
    std::size_t target_bytes_max = 4096;
    std::size_t chunk_header_bytes_max = 1024;
    std::size_t pipelined_max = 16; ///< requests read ahead of their answers
    std::uint32_t head_timeout_ms = 10'000;
    std::uint32_t body_timeout_ms = 30'000;
    std::size_t body_bytes_per_second_min = 1'000; ///< 0: no minimum
    std::uint32_t idle_timeout_ms = 60'000;        ///< between requests
  } http;

  struct {
    std::size_t fragments_max = 128;       ///< of one message
    double control_frames_per_second = 20; ///< of one connection; 0: no limit
    double control_frames_burst = 100;
    std::uint32_t handshake_timeout_ms = 10'000;
    std::uint32_t close_timeout_ms = 5'000;
  } websocket;

  struct {
    std::uint32_t ping_interval_ms = 25'000;
    std::uint32_t ping_timeout_ms = 20'000;
    std::uint32_t upgrade_timeout_ms = 10'000;
    std::size_t max_payload_bytes = 1'000'000;
    std::size_t packets_per_post_max = 256;
    std::uint32_t connect_timeout_ms = 10'000;
  } engineio;

  struct {
    std::string path = "/socket.io/"; ///< begins and ends with a slash
    std::vector<std::string> namespaces{"/"};
    std::size_t namespaces_per_connection_max = 4;
    double events_per_second = 20; ///< of one connection; 0: no limit
    double events_burst = 100;
    std::uint32_t event_warnings = 3; ///< before the connection is closed; 0: it is closed at once
    std::size_t event_name_bytes_max = 64;
    std::size_t arguments_max = 4;
    std::size_t attachments_max = 4; ///< of one packet; 0: none
    std::uint32_t attachments_timeout_ms = 10'000;
  } socketio;

  struct {
    std::uint32_t heartbeat_ms = 15'000;
    std::uint32_t retry_ms = 2'000; ///< what clients are told to wait before they come again
  } sse;

  struct {
    bool is_public = false; ///< also for other machines
  } metrics;

  struct {
    std::size_t per_connection_max = 128;
  } subscriptions;

  struct {
    std::size_t events_max = 1'000; ///< replayed to one that rejoins; with more it starts from the state as it stands
  } recovery;

  struct {
    double failures_per_minute = 10; ///< of one address; 0: no limit
  } auth;

  struct {
    std::uint32_t leeway_s = 30;
    std::uint32_t max_age_s = 0; ///< 0: no limit
    std::size_t token_bytes_max = 8192;
  } jwt;

  struct {
    std::size_t depth_max = 32;
    std::size_t members_max = 256;   ///< of one object
    std::size_t elements_max = 4096; ///< of one array
    std::size_t string_bytes_max = 65'536;
    std::size_t digits_max = 32; ///< of one number
  } json;

  struct {
    std::size_t bytes_max = 1'048'576; ///< of one connection
  } queue;

  struct {
    std::size_t batch_writes_max = 1024;
    std::uint32_t readers = 1;
    std::size_t pending_writes_max = 4096;
    std::size_t pending_bytes_max = 16'777'216;
  } storage;

  struct {
    std::size_t message_bytes_max = 4096;
    std::size_t result_bytes_max = 65'536;
    std::uint32_t linger_ms = 30'000; ///< how long an ended or idle job stays in memory
  } job;

  struct {
    std::uint32_t timeout_ms = 10'000;
  } shutdown;
};

using env_map = std::map<std::string, std::string, std::less<>>;

/// The environment of this process.
env_map environment();

/// What the command line said; see config/flags.hpp.
struct config_flags {
  std::map<std::string, std::string, std::less<>> values; ///< by a setting's name
  std::string config_path;                                ///< --config; empty: not given
};

struct loaded_config {
  config value;
  std::vector<std::string> errors;   ///< one sentence each; where there is one, `value` must not be used
  std::vector<std::string> warnings; ///< one sentence each
  std::map<std::string, std::string, std::less<>> sources; ///< by a setting's name: "default", "environment PORT" ...
};

/// Reads the file that `--config` or HEADWAY_CONFIG names (none: no file), the environment and the flags.
loaded_config load_config(const config_flags& flags, const env_map& env);

/// Why a server must not start with this: a missing, short or well-known secret, unless `dev`. Empty: it may.
std::vector<std::string> problems_of_serving(const config& c);

/// A line a setting: name, value, source. Secrets are masked.
std::string describe(const loaded_config& loaded);

/// All settings with their defaults, as a file that can be loaded: config/headway.example.json.
std::string example_config();

} // namespace headway
