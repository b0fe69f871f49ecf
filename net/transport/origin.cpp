#include "net/transport/server.hpp"

#include <algorithm>

namespace headway {

namespace {

/// "https://*.example.com": the star stands for one label.
bool matches(std::string_view pattern, std::string_view origin) {
  constexpr std::string_view open_label = "://*.";
  auto star = pattern.find(open_label);
  if (star == std::string_view::npos)
    return pattern == origin;
  auto front = pattern.substr(0, star + 3);
  auto back = pattern.substr(star + open_label.size() - 1); // from the dot on
  if (origin.size() <= front.size() + back.size() || !origin.starts_with(front) || !origin.ends_with(back))
    return false;
  auto label = origin.substr(front.size(), origin.size() - front.size() - back.size());
  return std::ranges::all_of(label,
                             [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

} // namespace

std::string_view origin_policy::answer_to(std::string_view origin) const {
  if (origin.empty())
    return {};
  if (std::ranges::any_of(allowed_, [origin](const auto& pattern) { return matches(pattern, origin); }))
    return origin;
  return std::ranges::find(allowed_, "*") != allowed_.end() ? "*" : std::string_view{};
}

bool origin_policy::may_connect(std::string_view origin, std::string_view host) const {
  return foreign_origin(origin, host).empty() || !answer_to(origin).empty();
}

std::string_view foreign_origin(std::string_view origin, std::string_view host) {
  auto scheme_end = origin.find("://");
  auto is_own = scheme_end != std::string_view::npos && !host.empty() && origin.substr(scheme_end + 3) == host;
  return is_own ? std::string_view{} : origin;
}

} // namespace headway
