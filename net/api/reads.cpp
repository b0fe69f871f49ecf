// Reads: a job as it stands, lists, history. What a principal may not read is answered like what does not exist.
#include "core/time.hpp"
#include "net/api/route.hpp"

#include <charconv>

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

/// A whole number of the query within bounds; `otherwise` where absent; none where it is something else.
std::optional<std::uint64_t> number(const query_params& query, std::string_view name, std::uint64_t otherwise,
                                    std::uint64_t least, std::uint64_t most) {
  auto text = query.get(name);
  if (text.empty())
    return otherwise;
  std::uint64_t n = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failed != std::errc{} || end != text.data() + text.size() || n < least || n > most)
    return std::nullopt;
  return n;
}

/// Reads a job that the caller may see, then goes on; refuses otherwise.
template <class Next>
void with_job(const call& c, const Next& next) {
  const auto& id = c.params[0];
  if (!is_job_id(id))
    return c.refuse(errc::invalid_job_id);
  c.self->request(c.around->reader, caf::infinite, load_job{id})
    .then(
      [c, next](const job_loaded& msg) {
        if (may_read(*c.who, *msg.state.info))
          next(msg.state);
        else
          c.refuse(errc::not_found);
      },
      [c](const caf::error& e) { c.refuse(to_errc(e)); });
}

} // namespace

void get_job(const call& c) {
  with_job(c, [c](const job_state& job) { c.answer(json_answer(200, to_json(job))); });
}

void get_jobs(const call& c) {
  constexpr std::uint64_t limit_max = 200;
  auto query = c.query();
  job_filter filter;
  filter.user_id = query.get("user_id");
  filter.project_id = query.get("project_id");
  filter.cursor = query.get("cursor");
  if (query.has("status")) {
    filter.status = job_status_from(query.get("status"));
    if (!filter.status)
      return c.refuse(errc::invalid_field, "\"status\" is none of a job's.");
  }
  auto limit = number(query, "limit", 50, 1, limit_max);
  if (!limit)
    return c.refuse(errc::out_of_range, "\"limit\" must be from 1 to 200.");
  filter.limit = static_cast<std::size_t>(*limit);
  if (!may_ingest(*c.who)) {
    // A user sees its own jobs; somebody else's are an empty list, as those of nobody are.
    if (!filter.user_id.empty() && filter.user_id != c.who->user_id)
      return c.answer(json_answer(200, {{"jobs", json::array()}, {"next", nullptr}}));
    filter.user_id = c.who->user_id;
  }
  c.self->request(c.around->reader, caf::infinite, list_jobs{filter})
    .then(
      [c](const jobs_listed& msg) {
        json jobs = json::array();
        for (const auto& job : msg.page.jobs)
          jobs.push_back(to_json(job));
        auto next = msg.page.next.empty() ? json() : json(msg.page.next);
        c.answer(json_answer(200, {{"jobs", std::move(jobs)}, {"next", std::move(next)}}));
      },
      [c](const caf::error& e) { c.refuse(to_errc(e)); });
}

void get_job_events(const call& c) {
  constexpr std::uint64_t limit_max = 1000;
  auto query = c.query();
  auto after = number(query, "after", 0, 0, UINT64_MAX / 2);
  auto limit = number(query, "limit", 100, 1, limit_max);
  if (!after || !limit)
    return c.refuse(errc::out_of_range, "\"after\" must be a whole number, \"limit\" from 1 to 1000.");
  with_job(c, [c, after, limit](const job_state& job) {
    c.self
      ->request(c.around->reader, caf::infinite, load_events{job.info->id, *after, static_cast<std::size_t>(*limit)})
      .then(
        [c](const events_loaded& msg) {
          json events = json::array();
          for (const auto& event : msg.events)
            events.push_back(to_json(event));
          c.answer(json_answer(200, {{"events", std::move(events)}}));
        },
        [c](const caf::error& e) { c.refuse(to_errc(e)); });
  });
}

} // namespace headway
