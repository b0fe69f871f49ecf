#include "net/api/route.hpp"

#include <array>

namespace headway {

namespace {

constexpr std::array table{
  route{"POST", "/api/v1/jobs", access::ingest, post_job},
  route{"GET", "/api/v1/jobs", access::token, get_jobs},
  route{"GET", "/api/v1/jobs/{}", access::token, get_job},
  route{"GET", "/api/v1/jobs/{}/events", access::token, get_job_events},
  route{"GET", "/api/v1/rooms/{}/events", access::token, get_room_stream},
  route{"POST", "/api/v1/jobs/{}/{}", access::ingest, post_job_update},
  route{"GET", "/", access::open, get_root},
  route{"GET", "/health", access::open, get_health},
  route{"GET", "/ready", access::open, get_ready},
  route{"GET", "/metrics", access::open, get_metrics},
  route{"GET", "/websocket/stats", access::token, get_websocket_stats},
  route{"GET", "/demo/session.json", access::open, get_demo_session},
};

} // namespace

std::span<const route> routes() { return table; }

std::optional<std::vector<std::string>> match_path(std::string_view pattern, std::string_view path) {
  std::vector<std::string> params;
  auto next_part = [](std::string_view& rest) {
    auto slash = rest.find('/');
    auto part = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
    return std::pair{part, slash != std::string_view::npos};
  };
  for (auto more = true; more;) {
    auto [wanted, pattern_goes_on] = next_part(pattern);
    auto [part, path_goes_on] = next_part(path);
    if (pattern_goes_on != path_goes_on)
      return std::nullopt;
    if (wanted == "{}") {
      auto decoded = percent_decode(part);
      if (!decoded || decoded->empty())
        return std::nullopt;
      params.push_back(std::move(*decoded));
    } else if (wanted != part)
      return std::nullopt;
    more = pattern_goes_on;
  }
  return params;
}

} // namespace headway
