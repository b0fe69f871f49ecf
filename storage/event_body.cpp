#include "storage/event_body.hpp"

#include "core/json.hpp"

#include <concepts>

namespace headway {

namespace {

void put(json& object, const char* key, const std::string& text) {
  if (!text.empty())
    object[key] = text;
}

template <std::integral Number>
void put(json& object, const char* key, Number number) {
  if (number != 0)
    object[key] = number;
}

void take(const json& object, std::string_view key, std::string& text) {
  if (auto* found = find_text(object, key))
    text = *found;
}

template <class Number>
  requires std::integral<Number> || std::floating_point<Number>
void take(const json& object, std::string_view key, Number& number) {
  if (auto* found = find(object, key); found && found->is_number())
    number = found->get<Number>();
}

json error_json(const job_error& error) {
  json out;
  out["message"] = error.message;
  put(out, "code", error.code);
  if (error.retryable)
    out["retryable"] = *error.retryable;
  return out;
}

std::optional<job_error> error_from_json(const json* object) {
  if (!object || !object->is_object())
    return std::nullopt;
  job_error out;
  take(*object, "message", out.message);
  take(*object, "code", out.code);
  if (auto* retryable = find(*object, "retryable"); retryable && retryable->is_boolean())
    out.retryable = retryable->get<bool>();
  return out;
}

} // namespace

std::string event_body(const job_event& event) {
  const auto& view = event.view;
  json out;
  out["status"] = to_string(view.status);
  out["progress"] = number_json(view.progress);
  put(out, "message", view.message);
  put(out, "stage", view.stage);
  put(out, "result", view.result);
  if (view.error)
    out["error"] = error_json(*view.error);
  out["attempt"] = view.attempt;
  put(out, "started_at", view.started_at);
  put(out, "ended_at", view.ended_at);
  put(out, "chunk", event.chunk);
  put(out, "chunk_type", event.chunk_type);
  put(out, "chunk_offset", event.chunk_offset);
  return dump_json(out);
}

void read_event_body(std::string_view body, job_event& event) {
  auto in = trusted_json(body);
  auto& view = event.view;
  if (auto* status = find_text(in, "status"))
    view.status = job_status_from(*status).value_or(job_status::queued);
  take(in, "progress", view.progress);
  take(in, "message", view.message);
  take(in, "stage", view.stage);
  take(in, "result", view.result);
  view.error = error_from_json(find(in, "error"));
  take(in, "attempt", view.attempt);
  take(in, "started_at", view.started_at);
  take(in, "ended_at", view.ended_at);
  take(in, "chunk", event.chunk);
  take(in, "chunk_type", event.chunk_type);
  take(in, "chunk_offset", event.chunk_offset);
}

std::string error_text(const std::optional<job_error>& error) {
  return error ? dump_json(error_json(*error)) : std::string{};
}

std::optional<job_error> error_from_text(std::string_view text) {
  if (text.empty())
    return std::nullopt;
  auto in = trusted_json(text);
  return error_from_json(&in);
}

std::string throttle_text(const std::optional<throttle_policy>& throttle) {
  if (!throttle)
    return {};
  json out;
  out["min_interval_ms"] = throttle->min_interval_ms;
  out["min_delta"] = number_json(throttle->min_delta);
  return dump_json(out);
}

std::optional<throttle_policy> throttle_from_text(std::string_view text) {
  auto in = trusted_json(text);
  if (!in.is_object())
    return std::nullopt;
  throttle_policy out;
  take(in, "min_interval_ms", out.min_interval_ms);
  take(in, "min_delta", out.min_delta);
  return out;
}

} // namespace headway
