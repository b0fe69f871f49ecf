// ROUTE  method and path -> handler. The table is in routes.cpp: one row a route.
#pragma once

#include "core/principal.hpp"
#include "net/api/api.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace headway {

struct api_state;
using api_self = api_actor::stateful_pointer<api_state>;

/// One request on its way through the API. Copies share the request.
struct call {
  api_self self = nullptr;
  const api_surroundings* around = nullptr;
  const api_worker* here = nullptr;
  std::shared_ptr<const http_request> request;
  http_port_ptr port;
  std::vector<std::string> params;      ///< the path's variable parts, percent-decoded
  std::shared_ptr<const principal> who; ///< none on open routes

  void answer(http_answer&& a) const { port->answer(std::move(a)); }
  void refuse(errc code, std::string_view detail = {}) const;
  query_params query() const { return query_params{request->query}; }
};

/// Who may call a route.
enum class access : std::uint8_t { open, token, ingest };

struct route {
  std::string_view method;
  std::string_view pattern; ///< "/api/v1/jobs/{}": braces stand for one part
  access who;
  void (*handle)(const call&);
};

/// All routes.
std::span<const route> routes();

struct api_state {
  static inline const char* name = "api";
  struct cached_key {
    std::shared_ptr<const principal> who;
    steady_time until;
  };
  struct waiting_call {
    call what;
    const route* where = nullptr;
  };
  std::unordered_map<std::string, cached_key>
    keys; ///< by hash; so a key is looked up once in a while, not at each call
  /// Calls whose key is being looked up, by its hash. Pipelined requests must not overtake each other here.
  std::unordered_map<std::string, std::vector<waiting_call>> looking_up;
};

/// The variable parts, percent-decoded, where `path` fits `pattern`.
std::optional<std::vector<std::string>> match_path(std::string_view pattern, std::string_view path);

// -- handlers, by file --------------------------------------------------------------------------------------------

// writes.cpp
void post_job(const call& c);
void post_job_update(const call& c);
// reads.cpp
void get_job(const call& c);
void get_jobs(const call& c);
void get_job_events(const call& c);
// streams.cpp
void get_room_stream(const call& c);
void stream_job(const call& c);
// system.cpp
void get_root(const call& c);
void get_health(const call& c);
void get_ready(const call& c);
void get_metrics(const call& c);
void get_websocket_stats(const call& c);
void get_page(const call& c);
void get_demo_session(const call& c);

} // namespace headway
