#include "core/errc.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace headway {

namespace {

constexpr std::array table{
  errc_info{errc::bad_request, "bad_request", 400, 1002, "The request is malformed."},
  errc_info{errc::bad_json, "bad_json", 400, 1007, "The body is not valid JSON."},
  errc_info{errc::json_limit, "json_limit", 400, 1008,
            "The JSON is nested too deeply, or has too many or too long parts."},
  errc_info{errc::invalid_field, "invalid_field", 400, 1008, "A field is missing or of the wrong type."},
  errc_info{errc::invalid_job_id, "invalid_job_id", 400, 1008,
            "A job id is 1 to 128 of the characters A-Z a-z 0-9 . _ : - or a whole number."},
  errc_info{errc::auth_missing, "auth_missing", 401, 1008, "A token is required."},
  errc_info{errc::auth_invalid, "auth_invalid", 401, 1008, "The token is not valid."},
  errc_info{errc::auth_expired, "auth_expired", 401, 1008, "The token has expired."},
  errc_info{errc::forbidden, "forbidden", 403, 1008, "The token does not allow this."},
  errc_info{errc::not_found, "not_found", 404, 1008, "Not found, or not yours."},
  errc_info{errc::method_not_allowed, "method_not_allowed", 405, 1008, "This method is not allowed here."},
  errc_info{errc::request_timeout, "request_timeout", 408, 1008, "The request took too long to arrive."},
  errc_info{errc::job_exists, "job_exists", 409, 1008, "A job with this id exists already."},
  errc_info{errc::job_ended, "job_ended", 409, 1008, "The job has ended; it takes no more updates."},
  errc_info{errc::illegal_transition, "illegal_transition", 409, 1008,
            "The job cannot go from its status to that one."},
  errc_info{errc::payload_too_large, "payload_too_large", 413, 1009, "The message is too large."},
  errc_info{errc::uri_too_long, "uri_too_long", 414, 1009, "The request target is too long."},
  errc_info{errc::unsupported_media_type, "unsupported_media_type", 415, 1003,
            "The body must be application/json, without a content encoding."},
  errc_info{errc::out_of_range, "out_of_range", 422, 1008, "A value is out of its range."},
  errc_info{errc::rate_limited, "rate_limited", 429, 1008, "Too many requests; try again later."},
  errc_info{errc::header_too_large, "header_too_large", 431, 1009, "The request head is too large."},
  errc_info{errc::internal, "internal", 500, 1011, "Something went wrong on the server."},
  errc_info{errc::store_unavailable, "store_unavailable", 503, 1013,
            "The store does not answer; nothing was written for certain. Try again."},
  errc_info{errc::overloaded, "overloaded", 503, 1013, "The server has too much to do; try again later."},
  errc_info{errc::shutting_down, "shutting_down", 503, 1001, "The server is stopping; try again."},
  errc_info{errc::too_many_fragments, "too_many_fragments", 400, 1008, "A message has too many fragments."},
  errc_info{errc::too_many_subscriptions, "too_many_subscriptions", 429, 1008,
            "This connection watches as many jobs as it may; leave one first."},
  errc_info{errc::upgrade_required, "upgrade_required", 426, 1002, "This path takes WebSocket handshakes only."},
  errc_info{errc::stale_seq, "stale_seq", 409, 1008, "The job moved on meanwhile; try again."},
};

} // namespace

const errc_info& info(errc code) noexcept {
  auto at = [](errc wanted) { return std::ranges::find(table, wanted, &errc_info::code); };
  auto row = at(code);
  return row != table.end() ? *row : *at(errc::internal);
}

void throw_exception_from_error(errc code, const boost::source_location& where) {
  throw std::logic_error("value of an error: " + std::string{name(code)} + " at " + where.file_name());
}

} // namespace headway
