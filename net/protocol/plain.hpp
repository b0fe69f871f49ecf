// PLAIN  the WebSocket protocol for those without a library: each text frame is one JSON object with a "type".
//
//   {"type":"auth","token":"..."}            --> {"type":"authenticated","user_id":"alice","expires_at":"..."}
//   {"type":"join","room":"job:42"}          --> joined, then events: a dialect's words, see `event_text`
//   {"type":"leave","room":"job:42"}
//   {"type":"ping"}                          --> {"type":"pong","time":"..."}
//   what is refused                          --> {"type":"error","code":"not_found","message":"...","room":"job:42"}
#pragma once

#include "core/errc.hpp"
#include "core/json.hpp"
#include "core/principal.hpp"
#include "core/room_name.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace headway::plain {

struct auth {
  std::string token; ///< as sent, unchecked
};
struct join {
  room_name room;
  std::optional<std::uint64_t> after; ///< the last position seen: what is newer is wanted; at most 2^53
  bool id_is_number = false;          ///< it said {"job_id":42}
};
struct leave {
  room_name room;
  bool id_is_number = false;
};
struct ping {};

using request = std::variant<auth, join, leave, ping>;

/// One text frame. Instead of a room, join and leave may say {"job_id":"42"} or {"job_id":42} for "job:42"; a null
/// `after` is none. Members that mean nothing here are ignored.
/// @returns bad_json and json_limit as `parse_json` has them, invalid_field for an unknown type or a member of the
///          wrong shape.
result<request> decode(std::string_view text, const json_limits& limits = {});

/// `user_id` is a number where the token's was; `expires_at` is null where it never does.
std::string authenticated_text(const principal& who);
std::string pong_text(epoch_ms now);
/// Code and message are the error's own; `room`: which request is meant.
std::string error_text(errc code, const std::optional<room_name>& room = {});

/// `{"type":name, ...}` with the members of `payload`, an object, in their order. Its own "type", if any, is left out.
std::string event_text(std::string_view name, const json& payload);

} // namespace headway::plain
