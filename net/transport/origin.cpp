#include "net/transport/server.hpp"

#include <algorithm>

namespace headway {

std::string_view origin_policy::answer_to(std::string_view origin) const {
  if (origin.empty())
    return {};
  if (std::ranges::find(allowed_, origin) != allowed_.end())
    return origin;
  return std::ranges::find(allowed_, "*") != allowed_.end() ? "*" : std::string_view{};
}

bool origin_policy::may_connect(std::string_view origin, std::string_view host) const {
  if (origin.empty() || !answer_to(origin).empty())
    return true;
  auto scheme_end = origin.find("://");
  return scheme_end != std::string_view::npos && !host.empty() && origin.substr(scheme_end + 3) == host;
}

} // namespace headway
