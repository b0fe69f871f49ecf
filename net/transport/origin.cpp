#include "net/transport/server.hpp"

#include <algorithm>

namespace headway {

bool origin_policy::is_listed(std::string_view origin) const {
  return std::ranges::any_of(allowed_, [&](const auto& one) { return one == "*" || one == origin; });
}

bool origin_policy::may_connect(std::string_view origin, std::string_view host) const {
  if (origin.empty() || is_listed(origin))
    return true;
  auto scheme_end = origin.find("://");
  return scheme_end != std::string_view::npos && !host.empty() && origin.substr(scheme_end + 3) == host;
}

} // namespace headway
