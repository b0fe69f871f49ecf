// SERVER  the whole house in one process: wired at start, stopped in order.
//
//   start:  store -> I/O workers -> storage, readers -> lanes -> directory -> API -> listener
//   stop:   listener -> jobs (their commits are finished) -> storage -> watchers are let go -> the rest -> threads
#pragma once

#include "actors/directory.hpp"
#include "actors/storage.hpp"
#include "config/config.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace headway {

/// For tests that plant faults: what stands between storage and the lanes, and the writer itself.
struct server_hooks {
  std::function<publish_function(publish_function)> wrap_publish;
  std::function<std::unique_ptr<store>(std::unique_ptr<store>)> wrap_writer;
};

class server {
public:
  /// Serves when it returns. @throws store_open_error, std::runtime_error with one sentence.
  explicit server(const config& settings, const server_hooks& hooks = {});
  /// Stops if `stop` was not called.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  std::uint16_t port() const;
  /// For a C++ service in this process: how it reports to jobs.
  const directory_shards& directory() const;
  caf::actor_system& system();

  /// Returns when everything acknowledged is stored and all actors have ended.
  void stop();

private:
  struct house;
  std::unique_ptr<house> house_;
};

} // namespace headway
