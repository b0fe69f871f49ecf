// STORAGE  the writer: one detached actor that owns the store's writing side, and the readers beside it.
//
//   job -- write_job --> +---------+ -- job_written --> job
//                        | storage |
//                        +---------+ -- committed --> every lane, in position order
//
// While a commit runs, what arrives collects in the mailbox; the next commit takes it all (group commit).
// Nothing is published before its commit.
#pragma once

#include "actors/message.hpp"
#include "storage/store.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace headway {

/// The events of one commit, in position order. Shared, not copied.
struct commit {
  std::vector<job_event_ptr> events;
};
using commit_ptr = std::shared_ptr<const commit>;

/// storage -> lane.
struct committed {
  using message_tag = void;
  commit_ptr what;
};

/// storage -> job: one result per write, in the order in which the job sent them. Where the commit failed as a whole,
/// each says store_unavailable; what was sent behind a write that failed, and not committed with it, says stale_seq.
struct job_written {
  using message_tag = void;
  std::vector<write_result> results;
};

using job_writer = caf::typed_actor<caf::reacts_to<job_written>>;

/// The writes of a job since it was read: each builds on the one before it. Where one fails, storage does not try those
/// behind it: the seq they expect may stand there all the same, by another node's doing.
struct write_chain {
  bool is_broken = false; ///< storage's alone
};

/// job -> storage.
struct write_job {
  using message_tag = void;
  job_writer from;
  std::shared_ptr<job_write> what;
  std::shared_ptr<write_chain> chain;
};

/// Storage to itself: everything that waited in front of it is in the batch.
struct commit_now {
  using message_tag = void;
};

using storage_actor =
  caf::typed_actor<caf::reacts_to<write_job>, caf::reacts_to<commit_now>, caf::replies_to<stop>::with<stopped>>;

/// How much waits for the writer; job actors refuse work above the limit instead of filling its mailbox.
struct storage_gate {
  explicit storage_gate(std::size_t max_writes, std::size_t max_bytes = 16U << 20U)
    : writes_max{max_writes}, bytes_max{max_bytes} {}
  const std::size_t writes_max;
  const std::size_t bytes_max;
  std::atomic<std::size_t> writes{0};
  std::atomic<std::size_t> bytes{0}; ///< of their texts

  void enter(std::size_t size) {
    writes.fetch_add(1, std::memory_order_relaxed);
    bytes.fetch_add(size, std::memory_order_relaxed);
  }
  void leave(std::size_t count, std::size_t size) {
    writes.fetch_sub(count, std::memory_order_relaxed);
    bytes.fetch_sub(size, std::memory_order_relaxed);
  }
  /// The setting that is reached; null: none is.
  const char* full_of() const {
    if (writes.load(std::memory_order_relaxed) >= writes_max)
      return "storage.pending_writes_max";
    return bytes.load(std::memory_order_relaxed) >= bytes_max ? "storage.pending_bytes_max" : nullptr;
  }
};

/// What a write holds in memory, about.
std::size_t text_bytes(const job_write& what);
using storage_gate_ptr = std::shared_ptr<storage_gate>;

/// Called with each commit, in order, on the storage actor's thread.
using publish_function = std::function<void(const commit_ptr&)>;

struct storage_state {
  static inline const char* name = "storage";
  std::vector<write_job> waiting;
  bool commit_is_due = false;
  std::unique_ptr<store> writer;
  publish_function publish;
};

/// Spawn with caf::detached: it blocks.
storage_actor::behavior_type storage(storage_actor::stateful_pointer<storage_state> self, store* writer,
                                     const storage_gate_ptr& gate, publish_function publish, metrics* m,
                                     std::size_t batch_max);

// -- readers ------------------------------------------------------------------------------------------------------

struct load_job {
  using message_tag = void;
  std::string id;
};
struct job_loaded {
  using message_tag = void;
  job_state state;
};
struct list_jobs {
  using message_tag = void;
  job_filter filter;
};
struct jobs_listed {
  using message_tag = void;
  job_page page;
};
struct load_events {
  using message_tag = void;
  std::string id;
  std::uint64_t after_seq = 0;
  std::size_t limit = 100;
};
struct events_loaded {
  using message_tag = void;
  std::vector<job_event> events;
};
struct load_key {
  using message_tag = void;
  std::string hash;
};
struct key_loaded {
  using message_tag = void;
  api_key key;
};
/// Is the store there and writable?
struct probe_store {
  using message_tag = void;
};
struct store_probed {
  using message_tag = void;
  bool writable = false;
};

using reader_actor =
  caf::typed_actor<caf::replies_to<load_job>::with<job_loaded>, caf::replies_to<list_jobs>::with<jobs_listed>,
                   caf::replies_to<load_events>::with<events_loaded>, caf::replies_to<load_key>::with<key_loaded>,
                   caf::replies_to<probe_store>::with<store_probed>, caf::replies_to<stop>::with<stopped>>;

struct reader_state {
  static inline const char* name = "reader";
  std::unique_ptr<store> source;
};

/// Spawn with caf::detached: it blocks.
reader_actor::behavior_type reader(reader_actor::stateful_pointer<reader_state> self, store* source, metrics* m);

} // namespace headway
