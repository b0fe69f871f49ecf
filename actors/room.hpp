// ROOM  one audience: who may join, who is in, and from which state a member starts.
//
//   connection -- join_room (by the directory) --> +------+ -- attach, seed, detach --> lane of the member's I/O worker
//   connection -- leave_room -------------------->  | room |
//   reader ------ job_loaded -------------------->  +------+
//
// Delivers nothing itself: its members stand in tables on the lanes, which get every commit in order. Quits when empty.
#pragma once

#include "actors/lane.hpp"
#include "actors/storage.hpp"
#include "core/principal.hpp"

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace headway {

struct leave_room;
struct room_joined;
struct join_room;

using room_actor = caf::typed_actor<caf::replies_to<join_room>::with<room_joined>, caf::reacts_to<leave_room>,
                                    caf::reacts_to<retired>, caf::reacts_to<stop>>;

/// connection -> directory -> room. Answered by room_joined; not_found also for "not yours". The lane writes the answer
/// the client sees (in the stream, so that it has its place among the events); the connection writes a refusal.
struct join_room {
  using message_tag = void;
  room_name room;
  lane_member member;
  lane_actor lane;
  std::shared_ptr<const principal> who;
  caf::actor_addr connection; ///< monitored: gone from here when it ends
};
struct room_joined {
  using message_tag = void;
  room_actor room;
};

/// connection -> room. `answer`: the client asked to leave; the lane tells it so, in this format.
struct leave_room {
  using message_tag = void;
  std::uint64_t member_id = 0;
  std::optional<wire_format> answer;
};

struct room_state {
  static inline const char* name = "room";
  using join_promise = caf::typed_response_promise<room_joined>;

  struct membership {
    lane_actor lane;
    caf::actor_addr connection;
  };
  struct pending_join {
    join_room request;
    join_promise promise;
  };
  std::unordered_map<std::uint64_t, membership> members;       ///< by watcher id; pending ones too
  std::unordered_multimap<caf::actor_addr, std::uint64_t> ids; ///< of the monitored connections
  std::vector<pending_join> before_info;                       ///< nobody is attached before it is known who may join
  std::vector<pending_join> unseeded; ///< attached at lanes that do not know where the room stands
  bool finding_out = false;           ///< whose job it is
  bool loading = false;
  std::shared_ptr<const job_info> info; ///< of a job's room, once it was read: it never changes
  bool asked_to_retire = false;
  bool forgotten = false; ///< the directory knows us no more: quit when the last member goes
};

struct room_surroundings {
  reader_actor reader;
  std::function<void(const caf::actor_addr&)> ask_to_retire; ///< tells the directory, which answers `retired`
  std::size_t replay_max = 1000; ///< events that a member may have missed; beyond it starts anew
  metrics* counters = nullptr;
};

room_actor::behavior_type room(room_actor::stateful_pointer<room_state> self, room_name which,
                               room_surroundings around);

} // namespace headway
