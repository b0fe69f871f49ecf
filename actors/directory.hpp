// DIRECTORY  name -> actor, sharded by hash, so that no single mailbox carries the load.
//
//   service ---- create_job, update_job --> +-----------+ -- the same --> job actor
//   connection - join_room --------------->  | directory | -- the same --> room actor
//   job, room -- retire ------------------> +-----------+ -- retired --> job, room
//
// Spawns what is asked for and does not exist. An actor that has nothing to do asks to retire; `retired` reaches it
// behind all that was passed on to it before, so nothing is lost on the way.
#pragma once

#include "actors/ingest.hpp"
#include "actors/job.hpp"
#include "actors/room.hpp"

#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace headway {

/// For a C++ service that speaks to a job actor itself. The handle is good until the job has ended and was idle for
/// `job.linger_ms`; ask again then.
struct find_job {
  using message_tag = void;
  std::string job_id;
};
struct job_found {
  using message_tag = void;
  job_actor job;
};

/// job, room -> directory: forget me. Answered by `retired`.
struct retire_job {
  using message_tag = void;
  std::string job_id;
  caf::actor_addr who;
};
struct retire_room {
  using message_tag = void;
  room_name room;
  caf::actor_addr who;
};

using directory_actor =
  caf::typed_actor<caf::replies_to<create_job>::with<job_ack>, caf::replies_to<update_job>::with<job_ack>,
                   caf::replies_to<find_job>::with<job_found>, caf::replies_to<join_room>::with<room_joined>,
                   caf::reacts_to<retire_job>, caf::reacts_to<retire_room>, caf::replies_to<stop>::with<stopped>>;

/// How to make what a directory spawns.
struct directory_factories {
  std::function<job_tracker(const std::string& job_id, const directory_actor& home)> job;
  std::function<room_actor(const room_name& room, const directory_actor& home)> room;
};

struct directory_state {
  static inline const char* name = "directory";
  std::unordered_map<std::string, job_tracker> jobs;
  std::unordered_map<room_name, room_actor> rooms;
  std::unordered_map<caf::actor_addr, std::variant<std::string, room_name>>
    alive; ///< all that were spawned and have not ended, also retired ones
  caf::typed_response_promise<stopped> all_ended;
  bool stopping = false;
};

directory_actor::behavior_type directory(directory_actor::stateful_pointer<directory_state> self,
                                         directory_factories factories, metrics* m);

/// All shards; which of them knows a name follows from the name alone.
class directory_shards {
public:
  explicit directory_shards(std::vector<directory_actor> shards) : shards_{std::move(shards)} {}

  const directory_actor& of(std::string_view job_id) const { return at(std::hash<std::string_view>{}(job_id)); }
  const directory_actor& of(const room_name& room) const { return at(std::hash<room_name>{}(room)); }
  std::span<const directory_actor> all() const { return shards_; }

private:
  const directory_actor& at(std::size_t hash) const { return shards_[hash % shards_.size()]; }
  std::vector<directory_actor> shards_;
};
using directory_shards_ptr = std::shared_ptr<const directory_shards>;

} // namespace headway
