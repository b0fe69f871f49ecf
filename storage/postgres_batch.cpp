#include "storage/postgres_batch.hpp"

#include "storage/event_body.hpp"
#include "storage/pg_text.hpp"
#include "storage/sql.hpp"

#include <stdexcept>

namespace headway {

namespace {

/// The columns that a job's updates change, as arrays.
struct view_columns {
  pg_array status, progress, message, stage, result, error, attempt, started_at, ended_at, seq, position, output_bytes,
    updated_at;

  void add(const folded_row& row) {
    const auto& job = *row.after;
    const auto& view = job.view;
    status.add(to_string(view.status));
    progress.add(view.progress);
    message.add(view.message);
    stage.add(view.stage);
    result.add(view.result);
    error.add(error_text(view.error));
    attempt.add(std::int64_t{view.attempt});
    started_at.add(view.started_at);
    ended_at.add(view.ended_at);
    seq.add(job.seq);
    position.add(row.position);
    output_bytes.add(job.output_bytes);
    updated_at.add(job.updated_at);
  }
};

constexpr std::string_view view_types = "tdttttbbbbbbb"; // as `view_columns`

/// "$1::text[], $2::bigint[]" for "tb": t text, b bigint, d double precision, u uuid. `first` is the first one's
/// number.
std::string arrays(int first, std::string_view types) {
  std::string out;
  for (auto type : types) {
    out += (out.empty() ? "$" : ", $") + std::to_string(first++);
    out += type == 't' ? "::text[]" : type == 'b' ? "::bigint[]" : type == 'd' ? "::double precision[]" : "::uuid[]";
  }
  return out;
}

void expect_rows(std::size_t got, std::size_t want) {
  if (got != want)
    throw std::logic_error{"a job's row changed under the log's lock"};
}

void update_rows(pqxx::transaction_base& transaction, const folded_batch& batch) {
  pg_array id, expected;
  view_columns view;
  std::size_t count = 0;
  for (const auto& row : batch.rows) {
    if (row.expected_seq == 0)
      continue;
    id.add(row.after->info->id);
    expected.add(row.expected_seq);
    view.add(row);
    ++count;
  }
  if (count == 0)
    return;
  auto done = transaction.exec_prepared(
    "update_jobs", id.literal(), expected.literal(), view.status.literal(), view.progress.literal(),
    view.message.literal(), view.stage.literal(), view.result.literal(), view.error.literal(), view.attempt.literal(),
    view.started_at.literal(), view.ended_at.literal(), view.seq.literal(), view.position.literal(),
    view.output_bytes.literal(), view.updated_at.literal());
  expect_rows(done.affected_rows(), count);
}

void insert_rows(pqxx::transaction_base& transaction, const folded_batch& batch) {
  pg_array id, id_is_number, user_id, project_id, batch_id, type, tags, metadata, throttle, created_at;
  view_columns view;
  std::size_t count = 0;
  for (const auto& row : batch.rows) {
    if (row.expected_seq != 0)
      continue;
    const auto& about = *row.after->info;
    id.add(about.id);
    id_is_number.add(std::int64_t{about.id_is_number});
    user_id.add(about.user_id);
    project_id.add(about.project_id);
    batch_id.add(about.batch_id);
    type.add(about.type);
    tags.add(about.tags);
    metadata.add(about.metadata);
    throttle.add(throttle_text(about.throttle));
    created_at.add(about.created_at);
    view.add(row);
    ++count;
  }
  if (count == 0)
    return;
  auto done = transaction.exec_prepared(
    "insert_jobs", id.literal(), id_is_number.literal(), user_id.literal(), project_id.literal(), batch_id.literal(),
    type.literal(), tags.literal(), metadata.literal(), throttle.literal(), created_at.literal(), view.status.literal(),
    view.progress.literal(), view.message.literal(), view.stage.literal(), view.result.literal(), view.error.literal(),
    view.attempt.literal(), view.started_at.literal(), view.ended_at.literal(), view.seq.literal(),
    view.position.literal(), view.output_bytes.literal(), view.updated_at.literal());
  expect_rows(done.affected_rows(), count);
}

} // namespace

void prepare_batch_statements(pqxx::connection& connection) {
  connection.prepare("lock_log", std::string{sql::select_head} + " FOR UPDATE");
  connection.prepare("read_marks", "SELECT wanted.n, jobs.seq, jobs.position "
                                   "FROM unnest($1::text[]) WITH ORDINALITY AS wanted (id, n) JOIN jobs USING (id)");
  connection.prepare(
    "update_jobs",
    "UPDATE jobs SET status = u.status, progress = u.progress, message = u.message, stage = u.stage, "
    "result = u.result, error = u.error, attempt = u.attempt, started_at = u.started_at, ended_at = u.ended_at, "
    "seq = u.seq, position = u.position, output_bytes = u.output_bytes, updated_at = u.updated_at "
    "FROM unnest(" +
      arrays(1, "tb") + ", " + arrays(3, view_types) +
      ") AS u (id, expected, status, progress, message, stage, result, error, attempt, started_at, ended_at, seq, "
      "position, output_bytes, updated_at) WHERE jobs.id = u.id AND jobs.seq = u.expected");
  connection.prepare("insert_jobs", "INSERT INTO jobs (" HEADWAY_JOB_COLUMNS ") SELECT * FROM unnest(" +
                                      arrays(1, "tbtttttttb") + ", " + arrays(11, view_types) + ")");
  connection.prepare(
    "write_log",
    "WITH moved AS (UPDATE log_head SET position = $1) "
    "INSERT INTO log (position, stream, seq, kind, event_id, project_id, batch_id, user_id, body, time) "
    "SELECT $2::bigint + e.n, e.stream, e.seq, e.kind, e.event_id, e.project_id, e.batch_id, e.user_id, e.body, e.time "
    "FROM unnest(" +
      arrays(3, "tbtuttttb") +
      ") WITH ORDINALITY AS e (stream, seq, kind, event_id, project_id, batch_id, user_id, body, time, n)");
  connection.prepare("is_in_log", "SELECT 1 FROM log WHERE event_id = $1::uuid AND position = $2::bigint");
}

std::uint64_t lock_log(pqxx::transaction_base& transaction) {
  return transaction.exec_prepared1("lock_log")[0].as<std::uint64_t>();
}

row_marks read_marks(pqxx::transaction_base& transaction, std::span<const job_write> batch) {
  auto ids = jobs_of(batch);
  pg_array wanted;
  for (auto id : ids)
    wanted.add(id);
  row_marks marks;
  for (const auto& row : transaction.exec_prepared("read_marks", wanted.literal()))
    marks[ids.at(row[0].as<std::size_t>() - 1)] = {row[1].as<std::uint64_t>(), row[2].as<std::uint64_t>()};
  return marks;
}

void write_rows(pqxx::transaction_base& transaction, const folded_batch& batch) {
  insert_rows(transaction, batch);
  update_rows(transaction, batch);
}

void write_log(pqxx::transaction_base& transaction, const folded_batch& batch) {
  if (batch.events.empty())
    return;
  pg_array stream, seq, kind, id, project_id, batch_id, user_id, body, time;
  for (const auto& event : batch.events) {
    const auto& about = *event->info;
    stream.add(stream_of(about));
    seq.add(event->seq);
    kind.add(to_string(event->kind));
    id.add(to_string(event->id));
    project_id.add(about.project_id);
    batch_id.add(about.batch_id);
    user_id.add(about.user_id);
    body.add(event_body(*event));
    time.add(event->time);
  }
  transaction.exec_prepared("write_log", std::to_string(batch.head_after()), std::to_string(batch.head_before),
                            stream.literal(), seq.literal(), kind.literal(), id.literal(), project_id.literal(),
                            batch_id.literal(), user_id.literal(), body.literal(), time.literal());
}

bool is_in_log(pqxx::transaction_base& transaction, const folded_batch& batch) {
  if (batch.events.empty())
    return false;
  return !transaction
            .exec_prepared("is_in_log", to_string(batch.events.front()->id), std::to_string(batch.head_before + 1))
            .empty();
}

} // namespace headway
