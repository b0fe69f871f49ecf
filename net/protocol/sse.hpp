// SSE  text/event-stream: what an EventSource reads.
//
//   id: 17                    `event("job_update", 17, "{...}")`; the empty line ends it
//   event: job_update
//   data: {...}
//
//   : keep-alive              `comment("keep-alive")`: nobody hears it, but the connection is seen to live
//
// Source: HTML Living Standard, "Server-sent events".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace headway::sse {

/// `id` is what the client names as its Last-Event-ID when it comes back. Line breaks of `data` (LF, CRLF or CR) come
/// out as LF at the client; those of `name` are dropped, so that nothing forges a field. Empty name: "message".
std::string event(std::string_view name, std::optional<std::uint64_t> id, std::string_view data);

/// Lines that clients pass over.
std::string comment(std::string_view text);

/// How long the client waits before it comes back.
std::string retry(std::chrono::milliseconds time);

/// A Last-Event-ID as this server gave it: digits without sign, blanks or leading zeros, at most 2^53. None for all
/// else.
std::optional<std::uint64_t> read_last_event_id(std::string_view text);

} // namespace headway::sse
