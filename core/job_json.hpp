// Jobs and events as JSON, in the core's own words: what the API answers, what plain WebSockets and SSE carry.
#pragma once

#include "core/job.hpp"
#include "core/json.hpp"

namespace headway {

/// {job_id, user_id, project_id?, batch_id?, type?, tags?, metadata?, status, progress, message?, stage?, attempt,
/// result?, error?, seq, position, created_at, started_at, updated_at, ended_at}. A job that was created by a number
/// has a number as id; times are ISO 8601 or null.
json to_json(const job_state& job);

/// {position, job_id, seq, event, event_id, time, status, progress, ...}, an output event with chunk, offset, type?.
json to_json(const job_event& event);

} // namespace headway
