#include "storage/sqlite_store.hpp"

#include "storage/complaint.hpp"
#include "storage/files.hpp"
#include "storage/fold.hpp"
#include "storage/migrate.hpp"
#include "storage/sql.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace headway {

namespace {

constexpr int busy_timeout_ms = 5000;

/// A prepared statement while it runs; reset when left, since an unfinished one would hold its snapshot open.
class running {
public:
  template <class... Values>
  explicit running(SQLite::Statement& statement, const Values&... values) : statement_{statement} {
    auto index = 0;
    (bind(++index, values), ...);
  }
  ~running() { statement_.tryReset(); }
  running(const running&) = delete;
  running& operator=(const running&) = delete;

  bool next() { return statement_.executeStep(); }
  int exec() { return statement_.exec(); }

  std::string text(int column) const { return statement_.getColumn(column).getString(); }
  std::int64_t integer(int column) const { return statement_.getColumn(column).getInt64(); }
  double real(int column) const { return statement_.getColumn(column).getDouble(); }
  event_id id(int column) const {
    event_id out{};
    auto blob = statement_.getColumn(column);
    if (auto size = static_cast<std::size_t>(blob.getBytes()); size == out.size())
      std::memcpy(out.data(), blob.getBlob(), size);
    return out;
  }

  void bind(int index, const std::string& value) { statement_.bind(index, value); }
  void bind(int index, std::string_view value) { statement_.bind(index, std::string{value}); }
  void bind(int index, double value) { statement_.bind(index, value); }
  void bind(int index, std::int64_t value) { statement_.bind(index, value); }
  void bind(int index, std::uint64_t value) { statement_.bind(index, sql::to_bigint(value)); }
  void bind(int index, const event_id& value) { statement_.bind(index, value.data(), static_cast<int>(value.size())); }
  void bind(int index, const sql::parameter& value) {
    std::visit([&](const auto& v) { bind(index, v); }, value);
  }

private:
  SQLite::Statement& statement_;
};

schema_state read_schema(SQLite::Database& db) {
  schema_state out;
  SQLite::Statement names{db, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"};
  while (names.executeStep())
    out.tables.push_back(names.getColumn(0).getString());
  if (std::ranges::find(out.tables, schema_table) != out.tables.end())
    out.version = db.execAndGet("SELECT coalesce(max(version), 0) FROM headway_schema").getInt();
  return out;
}

/// Opens for reading and writing; the file must exist.
SQLite::Database connect(const std::string& path) {
  SQLite::Database db{path, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, busy_timeout_ms};
  db.exec(
    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL");
  return db;
}

/// After the schema was found to be ours: a foreign file is left as it is.
void use_wal(SQLite::Database& db) {
  if (db.execAndGet("PRAGMA journal_mode = WAL").getString() != "wal")
    throw store_open_error{"SQLite refuses WAL mode for " + db.getFilename() +
                           "; a network file system cannot hold it."};
  db.exec("PRAGMA journal_size_limit = 67108864"); // what a burst made of the log is given back at a checkpoint
}

[[noreturn]] void refuse(const std::string& path, const SQLite::Exception& error) {
  if (error.getErrorCode() == SQLITE_NOTADB)
    throw store_open_error{path + " is not a SQLite database."};
  throw store_open_error{"Cannot open the database " + path + ": " + error.what() + "."};
}

class sqlite_store final : public store {
public:
  explicit sqlite_store(SQLite::Database db) : db_{std::move(db)} {}

  result<std::vector<write_result>> commit(std::span<job_write> batch) override {
    if (batch.empty())
      return std::vector<write_result>{};
    return attempt("commit", [&]() -> result<std::vector<write_result>> {
      require_own_file();
      SQLite::Transaction transaction{db_, SQLite::TransactionBehavior::IMMEDIATE};
      auto folded = fold(batch, marks_of(batch), read_head());
      for (const auto& row : folded.rows)
        write_row(row);
      if (!folded.events.empty())
        write_log(folded);
      transaction.commit();
      set_positions(folded);
      return std::move(folded.results);
    });
  }

  result<job_state> load_job(std::string_view id) override {
    return attempt("load_job", [&]() -> result<job_state> {
      running row{select_job_, id};
      if (!row.next())
        return errc::not_found;
      return sql::read_job(row);
    });
  }

  result<job_page> list_jobs(const job_filter& filter) override {
    auto query = sql::select_jobs(filter);
    if (!query)
      return query.error();
    return attempt("list_jobs", [&]() -> result<job_page> {
      SQLite::Statement statement{db_, query->text};
      running row{statement};
      for (auto index = 0; const auto& value : query->parameters)
        row.bind(++index, value);
      std::vector<job_state> jobs;
      while (row.next())
        jobs.push_back(sql::read_job(row));
      return sql::make_page(std::move(jobs), filter.limit);
    });
  }

  result<std::vector<job_event>> job_events(std::string_view id, std::uint64_t after_seq, std::size_t limit) override {
    auto job = load_job(id);
    if (!job)
      return job.error();
    return attempt("job_events", [&]() -> result<std::vector<job_event>> {
      std::vector<job_event> events;
      running row{select_events_, stream_of(*job->info), after_seq, sql::page_size(limit)};
      while (row.next())
        events.push_back(sql::read_event(row, job->info));
      return events;
    });
  }

  result<std::uint64_t> head() override {
    return attempt("head", [&]() -> result<std::uint64_t> { return read_head(); });
  }

  result<api_key> find_api_key(std::string_view key_hash) override {
    return attempt("find_api_key", [&]() -> result<api_key> {
      running row{select_api_key_, key_hash};
      if (!row.next())
        return errc::not_found;
      return api_key{row.text(0), row.text(1), row.integer(2)};
    });
  }

  result<void> put_api_key(std::string_view key_hash, const api_key& key) override {
    return attempt("put_api_key", [&]() -> result<void> {
      require_own_file();
      running{upsert_api_key_, key_hash, key.name, key.scope, key.created_at}.exec();
      return {};
    });
  }

  bool is_writable() override {
    return attempt("is_writable",
                   [&]() -> result<void> {
                     require_own_file();
                     if (sqlite3_db_readonly(db_.getHandle(), "main") != 0 || !has_free_space(db_.getFilename()))
                       return errc::store_unavailable;
                     read_head();
                     return {};
                   })
      .has_value();
  }

private:
  /// Runs a call; whatever the engine throws is logged and answered as store_unavailable.
  template <class Call>
  auto attempt(const char* name, Call call) -> decltype(call()) {
    try {
      return call();
    } catch (const std::exception& error) {
      complaint_.say(name, error.what());
      return errc::store_unavailable;
    }
  }

  /// SQLite goes on writing to a file that was removed under it; nobody would find those rows again.
  void require_own_file() {
    auto moved = 0;
    sqlite3_file_control(db_.getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved != 0)
      throw std::runtime_error{"the database file was moved or removed"};
  }

  std::uint64_t read_head() {
    running row{select_head_};
    if (!row.next())
      throw std::runtime_error{"log_head has no row"};
    return static_cast<std::uint64_t>(row.integer(0));
  }

  row_marks marks_of(std::span<const job_write> batch) {
    row_marks marks;
    for (auto id : jobs_of(batch)) {
      running row{select_mark_, id};
      if (row.next())
        marks[id] = {static_cast<std::uint64_t>(row.integer(0)), static_cast<std::uint64_t>(row.integer(1))};
    }
    return marks;
  }

  void write_row(const folded_row& row) {
    const auto& job = *row.after;
    const auto& about = *job.info;
    const auto& view = job.view;
    auto attempt_number = std::int64_t{view.attempt};
    auto changed =
      row.expected_seq == 0
        ? running{insert_job_,
                  about.id,
                  std::int64_t{about.id_is_number},
                  about.user_id,
                  about.project_id,
                  about.batch_id,
                  about.type,
                  about.tags,
                  about.metadata,
                  throttle_text(about.throttle),
                  about.created_at,
                  to_string(view.status),
                  view.progress,
                  view.message,
                  view.stage,
                  view.result,
                  error_text(view.error),
                  attempt_number,
                  view.started_at,
                  view.ended_at,
                  job.seq,
                  row.position,
                  job.output_bytes,
                  job.updated_at}
            .exec()
        : running{update_job_,     to_string(view.status), view.progress,    view.message,    view.stage,
                  view.result,     error_text(view.error), attempt_number,   view.started_at, view.ended_at,
                  job.seq,         row.position,           job.output_bytes, job.updated_at,  about.id,
                  row.expected_seq}
            .exec();
    if (changed != 1)
      throw std::logic_error{"a job's row changed inside our own transaction"};
  }

  void write_log(const folded_batch& batch) {
    auto position = batch.head_before;
    for (const auto& event : batch.events) {
      const auto& about = *event->info;
      running{insert_event_,          ++position,         stream_of(about), event->seq,
              to_string(event->kind), event->id,          about.project_id, about.batch_id,
              about.user_id,          event_body(*event), event->time}
        .exec();
    }
    running{update_head_, position}.exec();
  }

  SQLite::Database db_;
  complaint complaint_{"sqlite"};
  SQLite::Statement select_head_{db_, sql::select_head};
  SQLite::Statement select_mark_{db_, "SELECT seq, position FROM jobs WHERE id = $1"};
  SQLite::Statement select_job_{db_, sql::select_job};
  SQLite::Statement select_events_{db_, sql::select_events};
  SQLite::Statement select_api_key_{db_, sql::select_api_key};
  SQLite::Statement upsert_api_key_{db_, sql::upsert_api_key};
  SQLite::Statement update_head_{db_, "UPDATE log_head SET position = $1"};
  SQLite::Statement insert_job_{db_, "INSERT INTO jobs (" HEADWAY_JOB_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                                     "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"};
  SQLite::Statement update_job_{db_, "UPDATE jobs SET status = ?, progress = ?, message = ?, stage = ?, result = ?, "
                                     "error = ?, attempt = ?, started_at = ?, ended_at = ?, seq = ?, position = ?, "
                                     "output_bytes = ?, updated_at = ? WHERE id = ? AND seq = ?"};
  SQLite::Statement insert_event_{db_, "INSERT INTO log (position, stream, seq, kind, event_id, project_id, batch_id, "
                                       "user_id, body, time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"};
};

} // namespace

std::unique_ptr<store> open_sqlite_store(const std::string& path) {
  try {
    auto db = connect(path);
    require_current(sqlite_migrations(), read_schema(db));
    use_wal(db);
    return std::make_unique<sqlite_store>(std::move(db));
  } catch (const SQLite::Exception& error) {
    refuse(path, error);
  }
}

int migrate_sqlite(const std::string& path) {
  make_parent_directory(path);
  make_private_file(path);
  try {
    auto db = connect(path);
    SQLite::Transaction lock{db, SQLite::TransactionBehavior::EXCLUSIVE};
    auto version = apply_migrations(sqlite_migrations(), read_schema(db), [&](const migration& step) {
      db.exec(std::string{step.sql});
      SQLite::Statement mark{db, "INSERT INTO headway_schema (version, name) VALUES (?, ?)"};
      mark.bind(1, step.version);
      mark.bind(2, std::string{step.name});
      mark.exec();
    });
    lock.commit();
    use_wal(db);
    return version;
  } catch (const SQLite::Exception& error) {
    refuse(path, error);
  }
}

} // namespace headway
