// API  HTTP for backend services and for reads: one actor per I/O worker, which answers its requests in turn.
//
//   http_connection -- http_call --> +-----+ -- create_job, update_job --> directory
//                                    | api | -- load_job, list_jobs ...--> reader
//   http_connection <- answer -----  +-----+
#pragma once

#include "actors/event_stream.hpp"
#include "actors/io_worker.hpp"
#include "actors/outbound.hpp"
#include "net/api/body.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace headway {

struct http_call {
  using message_tag = void;
  http_request request;
  http_port_ptr port;
};

using api_actor = caf::typed_actor<caf::reacts_to<http_call>, caf::replies_to<stop>::with<stopped>>;

/// A page that the server brings along, from a table made at build time.
struct static_page {
  std::string_view path;
  std::string_view content_type;
  std::string_view body;
};

struct api_surroundings {
  jwt_options jwt;
  json_limits json_bounds;
  body_limits body;
  directory_shards_ptr directory;
  reader_actor reader;
  std::vector<lane_actor> lanes;
  metrics* counters = nullptr;
  std::function<epoch_ms()> wall_clock;
  const std::atomic<bool>* stopping = nullptr;
  std::vector<static_page> pages;
  std::string version;
  bool metrics_are_public = false; ///< also for other machines
  /// With --dev: what /demo/session.json answers: {token, job_id}. Empty otherwise.
  std::function<json()> demo_session;
};

/// What the API of one I/O worker has of its own.
struct api_worker {
  watch_surroundings watch;
  event_stream_options streams;
  /// A stream's place among the server's connections; overloaded or rate_limited. Empty: no limit.
  std::function<result<std::shared_ptr<void>>(std::string_view address)> admit;
  io_worker* worker = nullptr;
};

/// Pinned to the worker whose HTTP connections it serves. `around` is shared by the APIs of all workers.
api_actor spawn_api(caf::actor_system& system, api_worker here, std::shared_ptr<const api_surroundings> around);

} // namespace headway
