#include "storage/sql.hpp"

#include <charconv>
#include <optional>

namespace headway::sql {

namespace {

/// The last job of a page; the next one starts below it. As text: "created_at.id".
struct cursor {
  epoch_ms created_at = 0;
  std::string id;
};

std::optional<cursor> parse_cursor(std::string_view text) {
  cursor out;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.created_at);
  auto digits = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || digits >= text.size() || text[digits] != '.')
    return std::nullopt;
  out.id = text.substr(digits + 1);
  if (!is_job_id(out.id))
    return std::nullopt;
  return out;
}

} // namespace

result<query> select_jobs(const job_filter& filter) {
  query out{"SELECT " HEADWAY_JOB_COLUMNS " FROM jobs", {}};
  auto bind = [&](parameter value) {
    out.parameters.push_back(std::move(value));
    std::string name{'$'};
    return name.append(std::to_string(out.parameters.size()));
  };
  auto glue = " WHERE ";
  auto where = [&](const std::string& condition) {
    out.text += glue + condition;
    glue = " AND ";
  };
  if (!filter.user_id.empty())
    where("user_id = " + bind(filter.user_id));
  if (!filter.project_id.empty())
    where("project_id = " + bind(filter.project_id));
  if (filter.status)
    where("status = " + bind(std::string{to_string(*filter.status)}));
  if (!filter.cursor.empty()) {
    auto from = parse_cursor(filter.cursor);
    if (!from)
      return errc::bad_request;
    std::string below{"(created_at, id) < ("};
    below.append(bind(from->created_at)).append(", ");
    where(below.append(bind(from->id)).append(")"));
  }
  out.text += " ORDER BY created_at DESC, id DESC LIMIT " + bind(page_size(filter.limit) + 1);
  return out;
}

job_page make_page(std::vector<job_state> jobs, std::size_t limit) {
  job_page out{std::move(jobs), {}};
  auto size = static_cast<std::size_t>(page_size(limit));
  if (out.jobs.size() <= size)
    return out;
  out.jobs.resize(size);
  const auto& last = *out.jobs.back().info;
  out.next = std::to_string(last.created_at) + "." + last.id;
  return out;
}

} // namespace headway::sql
