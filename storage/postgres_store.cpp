#include "storage/postgres_store.hpp"

#include "storage/migrate.hpp"
#include "storage/pg_text.hpp"
#include "storage/postgres_batch.hpp"
#include "storage/postgres_link.hpp"
#include "storage/sql.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>
#include <utility>

namespace headway {

namespace {

/// How long a commit whose answer was lost is looked for.
constexpr std::chrono::seconds in_doubt_max{5};
/// Between two tries of that.
constexpr std::chrono::milliseconds in_doubt_pause{100};

struct pg_row {
  const pqxx::row& row;

  std::string text(int column) const {
    auto field = row[column];
    return {field.c_str(), field.size()};
  }
  std::int64_t integer(int column) const { return number<std::int64_t>(column); }
  double real(int column) const { return number<double>(column); }
  event_id id(int column) const {
    event_id out{};
    std::string digits = text(column);
    std::erase(digits, '-');
    for (std::size_t i = 0; i < out.size() && 2 * i + 2 <= digits.size(); ++i)
      std::from_chars(digits.data() + 2 * i, digits.data() + 2 * i + 2, out[i], 16);
    return out;
  }

private:
  template <class Number>
  Number number(int column) const {
    auto field = row[column];
    Number out{};
    std::from_chars(field.c_str(), field.c_str() + field.size(), out);
    return out;
  }
};

void prepare(pqxx::connection& connection) {
  prepare_batch_statements(connection);
  connection.prepare("select_job", sql::select_job);
  connection.prepare("select_events", sql::select_events);
  connection.prepare("select_head", sql::select_head);
  connection.prepare("select_api_key", sql::select_api_key);
  connection.prepare("upsert_api_key", sql::upsert_api_key);
}

schema_state read_schema(pqxx::transaction_base& transaction) {
  auto setting = transaction.exec1("SELECT current_setting('server_encoding'), coalesce(current_schema(), '')");
  if (setting[0].as<std::string>() != "UTF8")
    throw store_open_error{"The PostgreSQL database has encoding " + setting[0].as<std::string>() +
                           ", it must be UTF8."};
  if (setting[1].as<std::string>().empty())
    throw store_open_error{"The PostgreSQL user has no schema to make tables in."};
  schema_state out;
  for (const auto& row : transaction.exec("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') "
                                          "AND relnamespace = current_schema()::regnamespace"))
    out.tables.push_back(row[0].as<std::string>());
  if (std::ranges::find(out.tables, schema_table) != out.tables.end())
    out.version = transaction.exec1("SELECT coalesce(max(version), 0) FROM headway_schema")[0].as<int>();
  return out;
}

class postgres_store final : public store {
public:
  explicit postgres_store(const std::string& url) : link_{url, prepare} {
    pqxx::nontransaction read{*link_.get()};
    require_current(postgres_migrations(), read_schema(read));
  }

  result<std::vector<write_result>> commit(std::span<job_write> batch) override {
    if (batch.empty())
      return std::vector<write_result>{};
    folded_batch folded;
    auto in_doubt = false;
    auto answer = attempt("commit", [&](pqxx::connection& connection) -> result<void> {
      pqxx::work transaction{connection};
      auto head = lock_log(transaction);
      folded = fold(batch, read_marks(transaction, batch), head);
      if (folded.rows.empty())
        return {}; // rolled back: nobody won
      write_rows(transaction, folded);
      write_log(transaction, folded);
      try {
        transaction.commit();
      } catch (const pqxx::in_doubt_error&) {
        in_doubt = true;
        throw;
      }
      return {};
    });
    if (!answer && !(in_doubt && was_committed(folded)))
      return answer.error();
    set_positions(folded);
    return std::move(folded.results);
  }

  result<job_state> load_job(std::string_view id) override {
    return attempt("load_job", [&](pqxx::connection& connection) -> result<job_state> {
      pqxx::nontransaction read{connection};
      return load(read, id);
    });
  }

  result<job_page> list_jobs(const job_filter& filter) override {
    auto query = sql::select_jobs(filter);
    if (!query)
      return query.error();
    std::vector<std::string> parameters;
    for (const auto& value : query->parameters)
      parameters.push_back(std::visit([](const auto& v) { return as_parameter(v); }, value));
    return attempt("list_jobs", [&](pqxx::connection& connection) -> result<job_page> {
      pqxx::nontransaction read{connection};
      std::vector<job_state> jobs;
      for (const auto& row : read.exec_params(query->text, pqxx::prepare::make_dynamic_params(parameters)))
        jobs.push_back(sql::read_job(pg_row{row}));
      return sql::make_page(std::move(jobs), filter.limit);
    });
  }

  result<std::vector<job_event>> job_events(std::string_view id, std::uint64_t after_seq, std::size_t limit) override {
    return attempt("job_events", [&](pqxx::connection& connection) -> result<std::vector<job_event>> {
      pqxx::nontransaction read{connection};
      auto job = load(read, id);
      if (!job)
        return job.error();
      std::vector<job_event> events;
      for (const auto& row :
           read.exec_prepared("select_events", stream_of(*job->info), sql::to_bigint(after_seq), sql::page_size(limit)))
        events.push_back(sql::read_event(pg_row{row}, job->info));
      return events;
    });
  }

  result<std::uint64_t> head() override {
    return attempt("head", [&](pqxx::connection& connection) -> result<std::uint64_t> {
      pqxx::nontransaction read{connection};
      return read.exec_prepared1("select_head")[0].as<std::uint64_t>();
    });
  }

  result<api_key> find_api_key(std::string_view key_hash) override {
    return attempt("find_api_key", [&](pqxx::connection& connection) -> result<api_key> {
      pqxx::nontransaction read{connection};
      auto rows = read.exec_prepared("select_api_key", pg_text(key_hash));
      if (rows.empty())
        return errc::not_found;
      pg_row row{rows[0]};
      return api_key{row.text(0), row.text(1), row.integer(2)};
    });
  }

  result<void> put_api_key(std::string_view key_hash, const api_key& key) override {
    return attempt("put_api_key", [&](pqxx::connection& connection) -> result<void> {
      pqxx::nontransaction write{connection};
      write.exec_prepared("upsert_api_key", pg_text(key_hash), pg_text(key.name), pg_text(key.scope), key.created_at);
      return {};
    });
  }

  bool is_writable() override {
    auto answer = attempt("is_writable", [&](pqxx::connection& connection) -> result<void> {
      pqxx::nontransaction read{connection};
      if (read.exec1("SHOW transaction_read_only")[0].as<std::string>() != "off") // also on in recovery
        return errc::store_unavailable;
      return {};
    });
    return answer.has_value();
  }

private:
  static std::string as_parameter(const std::string& text) { return pg_text(text); }
  static std::string as_parameter(std::int64_t number) { return std::to_string(number); }

  /// Runs a call; whatever the engine throws is logged and answered as store_unavailable.
  template <class Call>
  auto attempt(const char* name, Call call) -> decltype(call(std::declval<pqxx::connection&>())) {
    try {
      if (auto* connection = link_.get())
        return call(*connection);
    } catch (const std::exception& error) {
      complaint_.say(name, first_line(error));
      link_.after(error);
    }
    return errc::store_unavailable;
  }

  static result<job_state> load(pqxx::transaction_base& read, std::string_view id) {
    auto rows = read.exec_prepared("select_job", pg_text(id));
    if (rows.empty())
      return errc::not_found;
    return sql::read_job(pg_row{rows[0]});
  }

  /// The connection was lost while the server was told to commit. Locking the log first waits for the backend that may
  /// still be at it.
  bool was_committed(const folded_batch& batch) {
    if (batch.events.empty())
      return false; // a heartbeat leaves no trace to look for, and is sent again
    for (auto end = std::chrono::steady_clock::now() + in_doubt_max; std::chrono::steady_clock::now() < end;
         std::this_thread::sleep_for(in_doubt_pause)) {
      auto* connection = link_.get_now();
      if (!connection)
        continue;
      try {
        pqxx::work transaction{*connection};
        lock_log(transaction);
        return is_in_log(transaction, batch);
      } catch (const std::exception& error) {
        complaint_.say("was_committed", first_line(error));
        link_.after(error);
      }
    }
    log::error("store.in_doubt", {{"engine", "postgres"}, {"first_position", batch.head_before + 1}});
    return false;
  }

  postgres_link link_;
  complaint complaint_{"postgres"};
};

template <class Call>
auto opening(Call call) {
  try {
    return call();
  } catch (const store_open_error&) {
    throw;
  } catch (const std::exception& error) {
    throw store_open_error{"Cannot open the PostgreSQL database: " + first_line(error) + "."};
  }
}

} // namespace

std::unique_ptr<store> open_postgres_store(const std::string& url) {
  return opening([&] { return std::make_unique<postgres_store>(url); });
}

int migrate_postgres(const std::string& url) {
  constexpr auto lock_key = "5206452177135691128"; // any number, as long as every Headway takes the same
  return opening([&] {
    auto connection = connect_postgres(url);
    pqxx::work transaction{*connection};
    transaction.exec("SET LOCAL statement_timeout = 0"); // a migration may take its time, and so may the one before us
    transaction.exec("SET LOCAL lock_timeout = 0");
    transaction.exec(std::string{"SELECT pg_advisory_xact_lock("} + lock_key + ")");
    auto version = apply_migrations(postgres_migrations(), read_schema(transaction), [&](const migration& step) {
      transaction.exec(std::string{step.sql});
      transaction.exec_params("INSERT INTO headway_schema (version, name) VALUES ($1, $2)", step.version,
                              std::string{step.name});
    });
    transaction.commit();
    return version;
  });
}

} // namespace headway
