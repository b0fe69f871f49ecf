// Every error of the house, each once: its name, its HTTP status, its WebSocket close code, its text.
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <string_view>

namespace headway {

/// What went wrong. The name (see `name()`) is stable: clients may test for it.
enum class errc : std::uint8_t {
  bad_request = 1,
  bad_json,
  json_limit,
  invalid_field,
  invalid_job_id,
  auth_missing,
  auth_invalid,
  auth_expired,
  forbidden,
  not_found,
  method_not_allowed,
  request_timeout,
  job_exists,
  job_ended,
  illegal_transition,
  payload_too_large,
  uri_too_long,
  unsupported_media_type,
  out_of_range,
  rate_limited,
  header_too_large,
  internal,
  store_unavailable,
  overloaded,
  shutting_down,
  too_many_fragments,
  too_many_subscriptions,
  upgrade_required,
  stale_seq, ///< inside only: a job's row moved on since it was read
};

struct errc_info {
  errc code;
  std::string_view name; ///< stable, snake_case: `code` in problem+json and in CONNECT_ERROR
  int http_status;
  std::uint16_t close_code; ///< WebSocket close code where this ends a connection
  std::string_view text;    ///< one sentence for people
};

/// The row of the table; unknown values give the row of `errc::internal`.
const errc_info& info(errc code) noexcept;

inline std::string_view name(errc code) noexcept { return info(code).name; }
inline std::string_view text(errc code) noexcept { return info(code).text; }
inline int http_status(errc code) noexcept { return info(code).http_status; }

template <class T>
using result = boost::system::result<T, errc>;

/// Makes `result<T>::value()` on an error throw: asking an error for its value is our bug.
[[noreturn]] void throw_exception_from_error(errc code, const boost::source_location& where);

} // namespace headway
