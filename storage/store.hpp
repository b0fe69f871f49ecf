// STORE  the one interface to durable state: jobs, their log, users, keys.
//
// The log is the truth: every event gets a position inside the commit that writes it, gap-free, commit order =
// position order. A job's row is its newest state and is guarded by the seq it is expected to stand at.
//
// Calls block. One store object belongs to one thread; open several on the same database for readers beside the writer.
#pragma once

#include "core/errc.hpp"
#include "core/job.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headway {

/// One update of one job, to be written whole or not at all.
struct job_write {
  std::uint64_t expected_seq = 0; ///< the job's seq before this update; 0: the job must not exist yet
  job_state after;                ///< its `position` is ignored: the store knows it
  std::vector<std::shared_ptr<job_event>>
    events; ///< in order; may be empty (a heartbeat). A commit sets their positions.
};

/// What became of one write of a batch.
struct write_result {
  errc error{};               ///< none, or stale_seq / job_exists: this write and the job's later ones were left out
  std::uint64_t seq = 0;      ///< the job's seq after this write
  std::uint64_t position = 0; ///< of the job's last event up to and including this write
};

struct job_filter {
  std::string user_id;    ///< empty: any
  std::string project_id; ///< empty: any
  std::optional<job_status> status;
  std::size_t limit = 50;
  std::string cursor; ///< `next` of the page before, empty for the first; anything else is bad_request
};

struct job_page {
  std::vector<job_state> jobs; ///< newest first
  std::string next;            ///< empty: this was the last page
};

struct api_key {
  std::string name;
  std::string scope; ///< "ingest"
  epoch_ms created_at = 0;
};

class store {
public:
  virtual ~store() = default;

  /// Writes a batch in one transaction, in the order given. Several writes of one job are folded to one row, guarded by
  /// the first one's `expected_seq`; where the guard fails, all of that job's writes are left out and the others stand.
  /// On success sets the positions of all events written.
  /// An event whose id is in the log already fails the batch.
  /// @returns one result per write; or store_unavailable, and then nothing was written. (PostgreSQL: where the
  /// connection is lost during the COMMIT and no server found for 5 s to ask what became of it, the batch may yet turn
  /// out to be written: its jobs then answer stale_seq, and the log holds events that nobody was told.)
  virtual result<std::vector<write_result>> commit(std::span<job_write> batch) = 0;

  /// @returns not_found, store_unavailable.
  virtual result<job_state> load_job(std::string_view id) = 0;

  /// Newest first. @returns bad_request for a cursor that is not ours.
  virtual result<job_page> list_jobs(const job_filter& filter) = 0;

  /// A job's events with seq > `after_seq`, in order. @returns not_found for an unknown job.
  virtual result<std::vector<job_event>> job_events(std::string_view id, std::uint64_t after_seq,
                                                    std::size_t limit) = 0;

  /// The last position of the log, 0 for an empty one.
  virtual result<std::uint64_t> head() = 0;

  /// Keys are found by the SHA-256 of their text, in hex. @returns not_found.
  virtual result<api_key> find_api_key(std::string_view key_hash) = 0;
  virtual result<void> put_api_key(std::string_view key_hash, const api_key& key) = 0;

  /// True while a write would be taken (a cheap question to the engine).
  virtual bool is_writable() = 0;
};

/// Thrown where a store cannot be opened at all: by a foreign or newer schema, a bad URL, a locked file.
/// `what()` is one sentence for a person.
class store_open_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

} // namespace headway
