// Wall-clock time and its text form.
#pragma once

#include "core/job.hpp"

#include <string>

namespace headway {

/// Milliseconds since 1970-01-01 UTC, from the system's clock.
epoch_ms wall_clock_ms();

/// "2026-11-21T03:12:00.000Z"
std::string iso8601(epoch_ms time);

} // namespace headway
