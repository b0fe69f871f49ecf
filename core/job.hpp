// JOB  what a job is, and what an update does to it: a pure state machine.
//
//   queued --> running --> completed | failed | cancelled | blocked
//
// Any update on a queued job starts it, in the same commit. An ending is the last of its attempt.
#pragma once

#include "core/errc.hpp"
#include "core/throttle.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headway {

/// Wall-clock time: milliseconds since 1970-01-01 UTC; 0 stands for "never".
using epoch_ms = std::int64_t;

enum class job_status : std::uint8_t { queued, running, completed, failed, cancelled, blocked };

std::string_view to_string(job_status status) noexcept;
std::optional<job_status> job_status_from(std::string_view text) noexcept;

/// completed, failed, cancelled and blocked are endings.
constexpr bool is_ending(job_status status) noexcept { return status > job_status::running; }

/// What never changes in the life of a job.
struct job_info {
  std::string id;            ///< see `is_job_id`
  bool id_is_number = false; ///< the creator named it by a JSON number and gets a number back
  std::string user_id;
  std::string project_id;                  ///< empty: none
  std::string batch_id;                    ///< empty: none
  std::string type;                        ///< empty: none
  std::string tags;                        ///< JSON array as text; empty: none
  std::string metadata;                    ///< JSON object as text; empty: none
  std::optional<throttle_policy> throttle; ///< none: the server's default
  epoch_ms created_at = 0;
};

struct job_error {
  std::string message;
  std::string code; ///< empty: none
  std::optional<bool> retryable;

  bool operator==(const job_error&) const = default;
};

/// The part of a job that watchers see change.
struct job_view {
  job_status status = job_status::queued;
  double progress = 0; ///< 0 to 100, never falling within an attempt
  std::string message;
  std::string stage;
  std::string result; ///< JSON text; empty: none
  std::optional<job_error> error;
  std::uint32_t attempt = 1;
  epoch_ms started_at = 0;
  epoch_ms ended_at = 0;

  bool operator==(const job_view&) const = default;
};

/// A job as it stands at `seq`.
struct job_state {
  std::shared_ptr<const job_info> info;
  job_view view;
  std::uint64_t seq = 0;          ///< of its last event; 1 is its creation
  std::uint64_t position = 0;     ///< of its last event in the log, 0 before its first commit
  std::uint64_t output_bytes = 0; ///< sum of all output chunks
  epoch_ms updated_at = 0;        ///< of the last accepted message, a heartbeat included
};

enum class event_kind : std::uint8_t {
  created,
  status,
  progress,
  output,
  completed,
  failed,
  cancelled,
  blocked,
  custom
};

std::string_view to_string(event_kind kind) noexcept;
std::optional<event_kind> event_kind_from(std::string_view text) noexcept;

/// A tick may be merged with later ones (the latest wins); everything else is a fact and never is.
constexpr bool is_tick(event_kind kind) noexcept { return kind == event_kind::progress; }

/// 128 random bits with a time prefix (UUID version 7). Unique over all logs.
using event_id = std::array<std::uint8_t, 16>;

event_id make_event_id(epoch_ms now);
/// "01890a5d-ac96-774b-bcce-b302099a8057"
std::string to_string(const event_id& id);

/// One row of the log: what happened, and the job as it stands after it.
struct job_event {
  std::uint64_t position = 0; ///< in the log; set by the commit
  std::uint64_t seq = 0;      ///< within the job: 1, 2, 3 ...
  event_kind kind = event_kind::created;
  epoch_ms time = 0;
  event_id id{};
  std::shared_ptr<const job_info> info;
  job_view view;
  std::string chunk;              ///< of an output event
  std::string chunk_type;         ///< of an output event, e.g. "stderr"; empty: none
  std::uint64_t chunk_offset = 0; ///< of an output event: bytes of output before it
};

using job_event_ptr = std::shared_ptr<const job_event>;

/// A job's room, the name of its stream in the log: "job:42".
std::string stream_of(const job_info& info);

enum class job_verb : std::uint8_t {
  start,
  progress,
  increment,
  stage,
  output,
  complete,
  fail,
  cancel,
  block,
  heartbeat
};

std::string_view to_string(job_verb verb) noexcept;
std::optional<job_verb> job_verb_from(std::string_view text) noexcept;

/// What a worker says about a job.
struct job_update {
  job_verb verb = job_verb::heartbeat;
  std::optional<double> progress; ///< the bar, 0 to 100; for `increment` what to add
  std::optional<std::string> message;
  std::optional<std::string> stage;
  std::string result;             ///< JSON text, for `complete`
  std::optional<job_error> error; ///< for `fail` and `block`
  std::string chunk;              ///< for `output`
  std::string chunk_type;
};

/// Ticks are merged under the throttle; every other update is a fact, counted by the rate limit.
bool is_tick(job_verb verb) noexcept;

/// What an update leads to.
struct job_transition {
  job_state after;
  std::vector<job_event> events; ///< in order, without positions; none where nothing is to be told (a heartbeat)
  bool changed = true; ///< false: nothing to write, the job already is what was asked for (the same ending again)
};

/// The first event of a new job.
job_transition create(std::shared_ptr<const job_info> info, epoch_ms now);

/// @returns job_ended for an update after the ending (the same ending again is no error), out_of_range for a progress
///          outside 0..100, invalid_field where the verb misses its value.
result<job_transition> apply(const job_state& before, const job_update& update, epoch_ms now);

/// 1 to 128 of A-Z a-z 0-9 . _ : -
bool is_job_id(std::string_view text) noexcept;

} // namespace headway
