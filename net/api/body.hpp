// BODY  a request's JSON into what the core speaks, field by field, with a sentence where one is wrong.
#pragma once

#include "core/job.hpp"
#include "core/json.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace headway {

/// What is wrong with a body.
struct body_error {
  errc code = errc::invalid_field;
  std::string detail; ///< names the field
};

struct body_limits {
  std::size_t message_bytes = 4096;
  std::size_t result_bytes = 65'536; ///< also of an output chunk
};

template <class T>
using body_result = boost::system::result<T, body_error>;

/// {id?, user_id, project_id?, batch_id?, type?, tags?, metadata?, throttle?{min_interval_ms, min_delta}}; an id is
/// made (UUIDv7) where there is none. Ids are texts or whole numbers.
body_result<job_info> read_job_info(const json& body, epoch_ms now);

/// The fields of one verb: {progress, message, stage}, {amount}, {chunk, type}, {result}, {error} ...
body_result<job_update> read_job_update(job_verb verb, const json& body, const body_limits& limits = {});

/// A text that is an id, or a whole number: its text. @returns none for anything else.
std::optional<std::string> read_id(const json& value);

} // namespace headway
