// CONFIG  every setting with its default, and how it is found: flags over environment over file.
//
//   flag          --throttle.min_interval_ms 50
//   environment   HEADWAY_THROTTLE_MIN_INTERVAL_MS=50   (PORT, HOST, DATABASE_URL, ... also without the prefix)
//   file          {"throttle": {"min_interval_ms": 50}}
//
// A new setting is a member here and a row in settings.cpp; flags, environment, file, help and the listing follow.
#pragma once

#include "core/throttle.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace headway {

struct config {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000; ///< 0: any free one
  std::string database_url = "sqlite://headway.db";
  std::string jwt_secret;                ///< see `problems_of_serving`
  std::vector<std::string> frontend_url; ///< allowed origins, without a slash at the end
  std::string log_level = "info";
  bool dev = false;
  std::uint32_t io_threads = 0;        ///< 0: one a core
  std::uint32_t scheduler_threads = 0; ///< 0: one a core

  throttle_policy throttle; ///< of jobs that name none

  struct {
    double facts_per_second = 100; ///< of one job; 0: no limit
    double burst = 200;
  } rate_limit;

  struct {
    std::size_t body_bytes_max = 262'144;
    std::size_t head_bytes_max = 8192;
    std::size_t headers_max = 64;
    std::size_t target_bytes_max = 4096;
  } http;

  struct {
    std::uint32_t ping_interval_ms = 25'000;
    std::uint32_t ping_timeout_ms = 20'000;
    std::uint32_t upgrade_timeout_ms = 10'000;
    std::size_t max_payload_bytes = 1'000'000;
    std::uint32_t connect_timeout_ms = 10'000;
  } engineio;

  struct {
    std::string path = "/socket.io/"; ///< begins and ends with a slash
  } socketio;

  struct {
    std::uint32_t leeway_s = 30;
  } jwt;

  struct {
    std::size_t depth_max = 32;
  } json;

  struct {
    std::size_t bytes_max = 1'048'576; ///< of one connection
  } queue;

  struct {
    std::size_t batch_writes_max = 1024;
    std::uint32_t readers = 1;
    std::size_t pending_writes_max = 4096;
  } storage;

  struct {
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
