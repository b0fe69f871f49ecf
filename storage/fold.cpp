#include "storage/fold.hpp"

#include <unordered_set>

namespace headway {

namespace {

/// A job on its way through the batch.
struct folding {
  bool exists = false;
  bool lost = false; ///< a guard failed: whatever comes later built on what is not there
  row_mark mark;
  std::size_t row = no_row;

  static constexpr std::size_t no_row = static_cast<std::size_t>(-1);
};

errc check(const folding& job, const job_write& write) {
  if (job.lost)
    return errc::stale_seq;
  if (write.expected_seq == 0)
    return job.exists ? errc::job_exists : errc{};
  return job.exists && job.mark.seq == write.expected_seq ? errc{} : errc::stale_seq;
}

} // namespace

std::vector<std::string_view> jobs_of(std::span<const job_write> batch) {
  std::vector<std::string_view> ids;
  std::unordered_set<std::string_view> seen;
  for (const auto& write : batch)
    if (std::string_view id = write.after.info->id; seen.insert(id).second)
      ids.push_back(id);
  return ids;
}

folded_batch fold(std::span<const job_write> batch, const row_marks& marks, std::uint64_t head) {
  folded_batch out;
  out.head_before = head;
  out.results.reserve(batch.size());
  std::unordered_map<std::string_view, folding> jobs;

  for (const auto& write : batch) {
    auto [it, fresh] = jobs.try_emplace(write.after.info->id);
    auto& job = it->second;
    if (auto found = marks.find(it->first); fresh && found != marks.end()) {
      job.exists = true;
      job.mark = found->second;
    }
    if (auto error = check(job, write); error != errc{}) {
      job.lost = true;
      out.results.push_back({error, job.mark.seq, job.mark.position});
      continue;
    }

    out.events.insert(out.events.end(), write.events.begin(), write.events.end());
    if (!write.events.empty())
      job.mark.position = out.head_after();
    job.mark.seq = write.after.seq;
    job.exists = true;
    out.results.push_back({errc{}, job.mark.seq, job.mark.position});

    if (job.row == folding::no_row) {
      job.row = out.rows.size();
      out.rows.push_back({.expected_seq = write.expected_seq});
    }
    out.rows[job.row].after = &write.after;
    out.rows[job.row].position = job.mark.position;
  }
  return out;
}

void set_positions(const folded_batch& batch) {
  auto position = batch.head_before;
  for (const auto& event : batch.events)
    event->position = ++position;
}

} // namespace headway
