// FOLD  what a batch of writes comes to: one row per job, the events that win their guard, their positions. Pure.
#pragma once

#include "storage/store.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace headway {

/// Where a job's row stands while the commit holds the log's lock.
struct row_mark {
  std::uint64_t seq = 0;
  std::uint64_t position = 0;
};

/// By job id; jobs that have no row are not in it. The keys point into the batch.
using row_marks = std::unordered_map<std::string_view, row_mark>;

/// The row that the writes of one job come to.
struct folded_row {
  const job_state* after = nullptr; ///< of the last write that counts
  std::uint64_t expected_seq = 0;   ///< of the first one; 0: the row is new
  std::uint64_t position = 0;       ///< of the job's last event
};

struct folded_batch {
  std::vector<write_result> results;              ///< one per write
  std::vector<folded_row> rows;                   ///< at most one per job
  std::vector<std::shared_ptr<job_event>> events; ///< to be written; the first one at `head_before` + 1, and so on
  std::uint64_t head_before = 0;

  std::uint64_t head_after() const { return head_before + events.size(); }
};

/// Each job of the batch once, in order of appearance.
std::vector<std::string_view> jobs_of(std::span<const job_write> batch);

/// `head` is the last position of the log. A job whose guard fails gets job_exists (it was to be new) or stale_seq, and
/// its later writes get stale_seq.
folded_batch fold(std::span<const job_write> batch, const row_marks& marks, std::uint64_t head);

/// After the commit: tells the events where they stand.
void set_positions(const folded_batch& batch);

} // namespace headway
