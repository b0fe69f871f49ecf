#include "core/job_json.hpp"

#include "core/time.hpp"

namespace headway {

namespace {

json id_json(const job_info& info) {
  if (info.id_is_number)
    return std::stoull(info.id);
  return info.id;
}

void put(json& to, std::string_view name, const std::string& text) {
  if (!text.empty())
    to[std::string{name}] = text;
}

void put_time(json& to, std::string_view name, epoch_ms time) {
  to[std::string{name}] = time == 0 ? json() : json(iso8601(time));
}

void put_view(json& to, const job_view& view) {
  to["status"] = to_string(view.status);
  to["progress"] = number_json(view.progress);
  put(to, "message", view.message);
  put(to, "stage", view.stage);
  to["attempt"] = view.attempt;
  if (view.status == job_status::completed)
    to["result"] = trusted_json(view.result);
  if (view.error) {
    json error{{"message", view.error->message}};
    put(error, "code", view.error->code);
    if (view.error->retryable)
      error["retryable"] = *view.error->retryable;
    to["error"] = std::move(error);
  }
}

} // namespace

json to_json(const job_state& job) {
  json out{{"job_id", id_json(*job.info)}, {"user_id", job.info->user_id}};
  put(out, "project_id", job.info->project_id);
  put(out, "batch_id", job.info->batch_id);
  put(out, "type", job.info->type);
  if (!job.info->tags.empty())
    out["tags"] = trusted_json(job.info->tags);
  if (!job.info->metadata.empty())
    out["metadata"] = trusted_json(job.info->metadata);
  put_view(out, job.view);
  out["seq"] = job.seq;
  out["position"] = job.position;
  put_time(out, "created_at", job.info->created_at);
  put_time(out, "started_at", job.view.started_at);
  put_time(out, "updated_at", job.updated_at);
  put_time(out, "ended_at", job.view.ended_at);
  return out;
}

json to_json(const job_event& event) {
  json out{{"position", event.position},     {"job_id", id_json(*event.info)},  {"seq", event.seq},
           {"event", to_string(event.kind)}, {"event_id", to_string(event.id)}, {"time", iso8601(event.time)}};
  put_view(out, event.view);
  if (event.kind == event_kind::output) {
    out["chunk"] = event.chunk;
    out["offset"] = event.chunk_offset;
    put(out, "type", event.chunk_type);
  }
  return out;
}

} // namespace headway
