// "job:42" to its parts and back.
#pragma once

#include "core/errc.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace headway {

enum class room_kind : std::uint8_t { job, batch, project, user, campaign, agent, global };

std::string_view to_string(room_kind kind) noexcept;

/// An audience. `global` has an empty id; every other kind has one (see `is_job_id` for its characters).
struct room_name {
  room_kind kind = room_kind::global;
  std::string id;

  bool operator==(const room_name&) const = default;
  auto operator<=>(const room_name&) const = default;
};

/// @returns bad_request for an unknown kind or a missing or malformed id.
result<room_name> parse_room_name(std::string_view text);
std::string to_string(const room_name& room);

} // namespace headway

template <>
struct std::hash<headway::room_name> {
  std::size_t operator()(const headway::room_name& room) const noexcept {
    return std::hash<std::string>{}(room.id) * 31 + static_cast<std::size_t>(room.kind);
  }
};
