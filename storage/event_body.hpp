// The JSON texts in our tables, to core structs and back.
#pragma once

#include "core/job.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace headway {

/// The body of a log row: the job's view after the event, and the chunk of an output event. What is empty or 0 is left
/// out. `result` stays the JSON text it is, as a string: it comes back byte by byte.
///
/// ```
/// {"status":"running","progress":12.5,"message":"…","stage":"…","result":"{\"rows\":3}",
///  "error":{"message":"…","code":"…","retryable":true},"attempt":1,"started_at":…,"ended_at":…,
///  "chunk":"…","chunk_type":"stderr","chunk_offset":0}
/// ```
std::string event_body(const job_event& event);

/// Sets view and chunk. Members that are missing or of another type keep their default.
void read_event_body(std::string_view body, job_event& event);

/// {"message":"…","code":"…","retryable":true}; empty for none.
std::string error_text(const std::optional<job_error>& error);
std::optional<job_error> error_from_text(std::string_view text);

/// {"min_interval_ms":100,"min_delta":0.5}; empty for none.
std::string throttle_text(const std::optional<throttle_policy>& throttle);
std::optional<throttle_policy> throttle_from_text(std::string_view text);

} // namespace headway
