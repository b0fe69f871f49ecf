#include "core/room_name.hpp"

#include "core/job.hpp"

#include <array>

namespace headway {

namespace {

constexpr std::array<std::string_view, 7> kinds{"job", "batch", "project", "user", "campaign", "agent", "global"};

} // namespace

std::string_view to_string(room_kind kind) noexcept { return kinds[static_cast<std::size_t>(kind)]; }

result<room_name> parse_room_name(std::string_view text) {
  if (text == "global")
    return room_name{room_kind::global, {}};
  auto colon = text.find(':');
  if (colon == std::string_view::npos)
    return errc::bad_request;
  auto kind = text.substr(0, colon);
  auto id = text.substr(colon + 1);
  if (!is_job_id(id))
    return errc::bad_request;
  for (std::size_t i = 0; i < kinds.size(); ++i)
    if (kinds[i] == kind && static_cast<room_kind>(i) != room_kind::global)
      return room_name{static_cast<room_kind>(i), std::string{id}};
  return errc::bad_request;
}

std::string to_string(const room_name& room) {
  if (room.kind == room_kind::global)
    return "global";
  return std::string{to_string(room.kind)} + ":" + room.id;
}

} // namespace headway
