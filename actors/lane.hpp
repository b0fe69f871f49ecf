// LANE  one per I/O worker, pinned to it: every commit comes by, in position order, and goes to the members here.
//
//   storage -- committed --> +------+ -- frames --> outbound queues of this worker's connections
//   room --- attach, seed -> | lane |
//
// One order for all rooms: no connection here ever gets position p after q > p. Each event is encoded once per format.
// A member's start stands in the same stream: it is attached, the state is read, and where that is ahead of what came
// by here, it waits for its place. What came by meanwhile is in the state that the member gets; then follows what is
// newer.
#pragma once

#include "actors/message.hpp"
#include "actors/outbound.hpp"
#include "actors/storage.hpp"
#include "core/room_name.hpp"
#include "net/dialect/dialect.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace headway {

/// What carries an event to its client.
enum class framing : std::uint8_t { socketio, plain, sse };

/// Index into the configured namespaces of Socket.IO.
using namespace_index = std::uint8_t;

/// What an event is encoded for; all members with the same format share the bytes.
struct wire_format {
  dialect_index dialect = 0;
  id_type ids = id_type::text;
  framing frames = framing::socketio;
  namespace_index nsp = 0; ///< of Socket.IO

  auto operator<=>(const wire_format&) const = default;
};

/// A connection in a room.
struct lane_member {
  std::uint64_t id = 0; ///< of the watcher
  outbound_ptr out;
  wire_format format;
  /// It has seen everything up to this position: it starts with the events after it, not with the state.
  std::optional<std::uint64_t> after;
};

/// room -> lane: the member is in, and gets events from the state on that it starts with.
struct attach_member {
  using message_tag = void;
  room_name room;
  lane_member member;
};
/// `needs_state`: this lane does not know where the room stands: read it from the store now and send `seed_room`.
struct lane_attached {
  using message_tag = void;
  bool needs_state = false;
};
/// What a member missed: all events after the position it named.
struct missed_events {
  std::uint64_t member_id = 0;
  std::vector<job_event_ptr> events; ///< in order, up to the state they were read with
  bool complete = true;              ///< false: they are too many, or the position is none; it starts anew
};
/// room -> lane: where the room stood when it was read, after `attach_member`. Starts all its waiting members.
struct seed_room {
  using message_tag = void;
  room_name room;
  job_state state;
  std::vector<missed_events> missed; ///< of the members that named a position
};
/// room -> lane. `answer`: the format in which the client is told that it left; none: it is gone, or was refused.
struct detach_member {
  using message_tag = void;
  room_name room;
  std::uint64_t member_id = 0;
  std::optional<wire_format> answer;
};

/// A line of /websocket/stats.
struct connection_stats {
  std::string sid; ///< of Socket.IO; shown only in part
  std::string user_id;
  bool user_id_is_number = false;
  epoch_ms connected_at = 0;
  std::size_t rooms = 0;
};
/// connection -> its lane, after CONNECT and when rooms change.
struct connection_is {
  using message_tag = void;
  std::uint64_t id = 0;
  connection_stats stats;
};
struct connection_gone {
  using message_tag = void;
  std::uint64_t id = 0;
};
struct get_connections {
  using message_tag = void;
};
struct connection_list {
  using message_tag = void;
  std::vector<connection_stats> connections;
};

using lane_actor =
  caf::typed_actor<caf::reacts_to<committed>, caf::replies_to<attach_member>::with<lane_attached>,
                   caf::reacts_to<seed_room>, caf::reacts_to<detach_member>, caf::reacts_to<connection_is>,
                   caf::reacts_to<connection_gone>, caf::replies_to<get_connections>::with<connection_list>,
                   caf::replies_to<stop>::with<stopped>>;

struct lane_state {
  static inline const char* name = "lane";

  /// The members of one room on this worker.
  struct waiting_member : lane_member {
    std::vector<job_event_ptr> meanwhile; ///< where it named a position: what came by since it is attached
  };
  struct table {
    std::map<wire_format, std::vector<lane_member>> members; ///< that get every event
    std::vector<waiting_member> waiting;                     ///< for the state
    std::optional<job_state> read;                           ///< where the room stood when it was read
    job_event_ptr last;                                      ///< what came by last, newer than that

    bool empty() const { return members.empty() && waiting.empty(); }
    bool is_known() const { return read || last; }
    std::uint64_t seq() const { return last ? last->seq : read ? read->seq : 0; }
  };
  std::uint64_t delivered = 0;  ///< position of the last event that came by
  std::vector<seed_room> early; ///< states that were read ahead of what came by
  std::unordered_map<room_name, table> rooms;
  std::unordered_map<std::uint64_t, connection_stats> connections;
  std::unordered_set<outbound_ptr> to_flush;
};

/// `head`: the log's last position before the first commit that will come by. `namespaces`: see `namespace_index`.
lane_actor::behavior_type lane(lane_actor::stateful_pointer<lane_state> self, std::uint64_t head,
                               std::shared_ptr<const std::vector<std::string>> namespaces, metrics* m);

} // namespace headway
