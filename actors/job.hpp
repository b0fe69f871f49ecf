// JOB  one live job: the state machine, the throttle, the rate limit; many updates may be on their way to the store.
//
//   directory -- create_job, update_job --> +-----+ -- write_job --> storage
//   reader ----- job_loaded -------------> | job | <- job_written - storage
//                                          +-----+ -- job_ack --> whoever asked, after the commit
//
// `state` is ahead of the store by what is in flight. Where a commit fails, everything behind it fails too (each write
// is guarded by the seq before it), and the job is read anew.
#pragma once

#include "actors/ingest.hpp"
#include "actors/storage.hpp"
#include "core/job.hpp"
#include "core/throttle.hpp"
#include "core/token_bucket.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace headway {

struct job_options {
  throttle_policy throttle;
  double facts_per_second = 100; ///< 0: no limit
  double facts_burst = 200;
  std::chrono::milliseconds linger{30'000}; ///< how long an idle job stays in memory
  std::function<epoch_ms()> wall_clock;
};

/// Job to itself. A timer cannot be cancelled: one with an old generation is ignored.
struct tick_due {
  using message_tag = void;
  std::uint64_t generation = 0;
};
struct idle_check {
  using message_tag = void;
};

/// A job actor whole: what services say (`job_actor`), and what the house says.
using job_tracker = job_actor::extend<caf::reacts_to<job_written>, caf::reacts_to<retired>, caf::reacts_to<tick_due>,
                                      caf::reacts_to<idle_check>, caf::reacts_to<stop>>;

using ack_promise = caf::typed_response_promise<job_ack>;

struct job_tracker_state {
  static inline const char* name = "job";

  /// An update (or the creation) that waits for the job to be read, or that must be applied again.
  struct request {
    std::optional<job_info> creation; ///< then `update` means nothing
    job_update update;
    bool wait_durable = false;
    std::vector<ack_promise> promises;
    int tries = 0;

    void refuse(errc why) {
      for (auto& promise : promises)
        promise.deliver(make_error(why));
    }
  };
  /// A write that storage has. Should another node be faster, `origin` is applied again.
  struct in_flight_write {
    request origin;
  };
  /// A tick that the throttle holds, merged with all before it.
  struct held_tick {
    job_state after;
    std::vector<ack_promise> waiters; ///< of `wait_durable`
  };

  enum class phase { unknown, loading, live, failed } now = phase::unknown;
  job_state state;
  std::deque<request> stash;
  std::deque<in_flight_write> in_flight;
  std::shared_ptr<write_chain> chain; ///< of all that is in flight
  std::vector<request> lost;          ///< to another node; they go in front of the stash, when nothing is in flight
  std::optional<request> lost_tick;   ///< was held then: behind them
  std::optional<held_tick> held;
  std::optional<throttle> pace;
  std::optional<token_bucket> facts;
  std::uint64_t timer_generation = 0;
  std::uint64_t committed_seq = 0;
  std::uint64_t committed_position = 0;
  steady_time last_used{};
  bool idle_check_armed = false;
  bool leaving = false; ///< stop or retired: quits when nothing is in flight
};

/// What a job actor needs around it.
struct job_surroundings {
  job_options options;
  storage_actor storage;
  storage_gate_ptr gate;
  reader_actor reader;
  std::function<void(const caf::actor_addr&)> ask_to_retire; ///< tells the directory, which answers `retired`
  metrics* counters = nullptr;
};

job_tracker::behavior_type job(job_tracker::stateful_pointer<job_tracker_state> self, std::string id,
                               job_surroundings around);

} // namespace headway
