// Reads: a job as it stands, lists, history. What a principal may not read is answered like what does not exist.
#include "core/job_json.hpp"
#include "net/api/route.hpp"

#include <charconv>

namespace headway {

namespace {

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
  if (c.request->accept.find("text/event-stream") != std::string::npos)
    return stream_job(c);
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
