// The SQL that both engines understand alike ("$1" is a parameter in each), and what its rows mean.
// Parameters appear in order: SQLite numbers them by appearance.
#pragma once

#include "storage/event_body.hpp"
#include "storage/store.hpp"

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace headway::sql {

/// SELECT of whole jobs, in the order in which `read_job` takes the columns.
#define HEADWAY_JOB_COLUMNS                                                                                            \
  "id, id_is_number, user_id, project_id, batch_id, type, tags, metadata, throttle, created_at, status, progress, "    \
  "message, stage, result, error, attempt, started_at, ended_at, seq, position, output_bytes, updated_at"

inline constexpr const char* select_job = "SELECT " HEADWAY_JOB_COLUMNS " FROM jobs WHERE id = $1";

/// $1 stream, $2 after which seq, $3 how many; for `read_event`.
inline constexpr const char* select_events = "SELECT position, seq, kind, event_id, body, time FROM log "
                                             "WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT $3";

inline constexpr const char* select_head = "SELECT position FROM log_head";

/// $1 hash.
inline constexpr const char* select_api_key = "SELECT name, scope, created_at FROM api_keys WHERE hash = $1";

/// $1 hash, $2 name, $3 scope, $4 time.
inline constexpr const char* upsert_api_key =
  "INSERT INTO api_keys (hash, name, scope, created_at) VALUES ($1, $2, $3, $4) "
  "ON CONFLICT (hash) DO UPDATE SET name = excluded.name, scope = excluded.scope, created_at = excluded.created_at";

/// The parameters of one statement, in order.
using parameter = std::variant<std::int64_t, std::string>;

struct query {
  std::string text;
  std::vector<parameter> parameters;
};

/// One row more than the limit, to know whether a next page exists. @returns bad_request for a cursor that is not ours.
result<query> select_jobs(const job_filter& filter);

/// No page is larger, whatever is asked for.
inline constexpr std::size_t page_max = 10'000;

inline std::int64_t page_size(std::size_t limit) {
  return static_cast<std::int64_t>(std::clamp<std::size_t>(limit, 1, page_max));
}

/// A number for a bigint column; what is beyond it is clamped.
inline std::int64_t to_bigint(std::uint64_t value) {
  constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(value, max));
}

/// Cuts what was read one row too far and names the next page.
job_page make_page(std::vector<job_state> jobs, std::size_t limit);

/// What an engine's row can do, columns counted from 0.
template <class Row>
concept readable_row = requires(const Row& row) {
  { row.text(0) } -> std::convertible_to<std::string>;
  { row.integer(0) } -> std::convertible_to<std::int64_t>;
  { row.real(0) } -> std::convertible_to<double>;
  { row.id(0) } -> std::convertible_to<event_id>;
};

template <readable_row Row>
job_state read_job(const Row& row) {
  auto column = 0;
  auto text = [&] { return row.text(column++); };
  auto integer = [&] { return row.integer(column++); };
  auto natural = [&] { return static_cast<std::uint64_t>(row.integer(column++)); };

  auto about = std::make_shared<job_info>();
  about->id = text();
  about->id_is_number = integer() != 0;
  about->user_id = text();
  about->project_id = text();
  about->batch_id = text();
  about->type = text();
  about->tags = text();
  about->metadata = text();
  about->throttle = throttle_from_text(text());
  about->created_at = integer();

  job_state job;
  job.info = std::move(about);
  job.view.status = job_status_from(text()).value_or(job_status::queued);
  job.view.progress = row.real(column++);
  job.view.message = text();
  job.view.stage = text();
  job.view.result = text();
  job.view.error = error_from_text(text());
  job.view.attempt = static_cast<std::uint32_t>(integer());
  job.view.started_at = integer();
  job.view.ended_at = integer();
  job.seq = natural();
  job.position = natural();
  job.output_bytes = natural();
  job.updated_at = integer();
  return job;
}

template <readable_row Row>
job_event read_event(const Row& row, std::shared_ptr<const job_info> about) {
  job_event event;
  event.position = static_cast<std::uint64_t>(row.integer(0));
  event.seq = static_cast<std::uint64_t>(row.integer(1));
  event.kind = event_kind_from(row.text(2)).value_or(event_kind::custom);
  event.id = row.id(3);
  read_event_body(row.text(4), event);
  event.time = row.integer(5);
  event.info = std::move(about);
  return event;
}

} // namespace headway::sql
