// What a commit costs: our store, and the same rows written by a bare libpqxx loop.
//
//   store_commit_bench [updates per batch = 64] [jobs = 64] [seconds per run = 3]
//
// An update is one log row and one change of a job's row. The bare loop sends each column as one array too, but takes
// no lock, checks no guard, escapes nothing, and is given its JSON bodies for free. Only the time inside the commit is
// counted. Runs alternate, three of each; the figure is the middle one. PostgreSQL is a private one with default
// durability, in the temporary folder.
#include "storage/event_body.hpp"
#include "storage/make_store.hpp"
#include "tests/support/postgres.hpp"

#include <pqxx/pqxx>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace headway;
using clock_type = std::chrono::steady_clock;

struct settings {
  std::size_t batch = 64;
  std::size_t jobs = 64;
  double seconds = 3;
};

struct score {
  double rows = 0;
  double commits = 0;
  double seconds = 0;

  double rows_per_second() const { return rows / seconds; }
};

/// Makes batches of progress updates, round and round over its jobs.
class workload {
public:
  workload(const settings& how, const std::string& prefix) : how_{how} {
    for (std::size_t i = 0; i < how.jobs; ++i) {
      auto about = std::make_shared<job_info>();
      about->id = prefix + std::to_string(i);
      about->user_id = "user-1";
      about->project_id = "project-1";
      about->created_at = 1'763'694'000'000;
      jobs_.push_back({about, {}, 0, 0, 0, 0});
    }
  }

  std::vector<job_write> first() {
    std::vector<job_write> out;
    job_update start;
    start.verb = job_verb::start;
    for (auto& job : jobs_) {
      out.push_back(write(0, create(job.info, job.info->created_at)));
      job = out.back().after;
      out.push_back(write(job.seq, apply(job, start, job.info->created_at).value()));
      job = out.back().after;
    }
    return out;
  }

  std::vector<job_write> next() {
    std::vector<job_write> out;
    for (std::size_t i = 0; i < how_.batch; ++i) {
      auto& job = jobs_[turn_++ % jobs_.size()];
      job_update update;
      update.verb = job_verb::progress;
      update.progress = static_cast<double>(job.seq % 1000) / 10;
      update.message = "Processing record " + std::to_string(job.seq) + " of 1000 in shard 7";
      update.stage = "transform";
      out.push_back(write(job.seq, apply(job, update, job.updated_at + 1).value()));
      job = out.back().after;
    }
    return out;
  }

private:
  static job_write write(std::uint64_t expected_seq, job_transition transition) {
    job_write out{expected_seq, std::move(transition.after), {}};
    for (auto& event : transition.events)
      out.events.push_back(std::make_shared<job_event>(std::move(event)));
    return out;
  }

  settings how_;
  std::vector<job_state> jobs_;
  std::size_t turn_ = 0;
};

/// Commits for so long; counts the time inside `commit` alone.
score run(const settings& how, workload& work, const std::function<void(std::vector<job_write>&)>& commit) {
  score out;
  while (out.seconds < how.seconds) {
    auto batch = work.next();
    auto start = clock_type::now();
    commit(batch);
    out.seconds += std::chrono::duration<double>(clock_type::now() - start).count();
    out.rows += static_cast<double>(batch.size());
    out.commits += 1;
  }
  return out;
}

void commit_or_die(store& to, std::vector<job_write>& batch) {
  auto results = to.commit(batch);
  if (!results || std::ranges::any_of(*results, [](const auto& r) { return r.error != errc{}; }))
    std::abort();
}

/// Columns as array literals, nothing escaped: our texts need it not.
class columns {
public:
  void add(std::size_t column, const std::string& value, bool quoted = false) {
    auto& text = texts_.at(column);
    text += text.empty() ? "{" : ",";
    text += quoted ? "\"" + value + "\"" : value;
  }
  std::vector<std::string> take() {
    std::vector<std::string> out;
    for (auto& text : texts_)
      if (!text.empty())
        out.push_back(text + "}");
    return out;
  }

private:
  std::array<std::string, 16> texts_;
};

class bare_loop {
public:
  explicit bare_loop(const std::string& url) : connection_{url} {
    connection_.prepare("jobs",
                        "UPDATE jobs SET progress = u.progress, message = u.message, stage = u.stage, seq = u.seq, "
                        "position = u.position, updated_at = u.updated_at FROM unnest($1::text[], $2::float8[], "
                        "$3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) "
                        "AS u (id, progress, message, stage, seq, position, updated_at) WHERE jobs.id = u.id");
    connection_.prepare("log", "INSERT INTO log (position, stream, seq, kind, event_id, project_id, batch_id, user_id, "
                               "body, time) SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], "
                               "$5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[])");
    connection_.prepare("head", "UPDATE log_head SET position = $1");
    pqxx::nontransaction read{connection_};
    position_ = read.exec1("SELECT position FROM log_head")[0].as<std::uint64_t>();
  }

  void commit(const std::vector<job_write>& batch, const std::vector<std::string>& bodies) {
    columns jobs;
    columns log;
    std::map<std::string_view, const job_write*> last; // as our store: one row per job
    for (const auto& write : batch)
      last[write.after.info->id] = &write;
    for (const auto& [id, write] : last) {
      const auto& view = write->after.view;
      jobs.add(0, std::string{id});
      jobs.add(1, std::to_string(view.progress));
      jobs.add(2, view.message, true);
      jobs.add(3, view.stage, true);
      jobs.add(4, std::to_string(write->after.seq));
      jobs.add(5, std::to_string(position_ + batch.size()));
      jobs.add(6, std::to_string(write->after.updated_at));
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto& event = *batch[i].events.front();
      log.add(0, std::to_string(++position_));
      log.add(1, "job:" + event.info->id);
      log.add(2, std::to_string(event.seq));
      log.add(3, "progress");
      log.add(4, to_string(event.id));
      log.add(5, event.info->project_id);
      log.add(6, "", true);
      log.add(7, event.info->user_id);
      log.add(8, bodies[i]);
      log.add(9, std::to_string(event.time));
    }
    pqxx::work transaction{connection_};
    transaction.exec_prepared("jobs", pqxx::prepare::make_dynamic_params(jobs.take()));
    transaction.exec_prepared("log", pqxx::prepare::make_dynamic_params(log.take()));
    transaction.exec_prepared("head", std::to_string(position_));
    transaction.commit();
  }

  std::vector<std::string> bodies_of(const std::vector<job_write>& batch) const {
    std::vector<std::string> out;
    for (const auto& write : batch) {
      std::string quoted = "\"";
      for (auto c : event_body(*write.events.front())) {
        if (c == '"' || c == '\\')
          quoted += '\\';
        quoted += c;
      }
      out.push_back(quoted + "\"");
    }
    return out;
  }

private:
  pqxx::connection connection_;
  std::uint64_t position_ = 0;
};

score middle(std::vector<score> runs) {
  std::ranges::sort(runs, {}, &score::rows_per_second);
  return runs[runs.size() / 2];
}

void print(const char* name, const score& s) {
  std::printf("%-22s %9.0f rows/s  %7.0f commits/s  %6.2f ms a commit\n", name, s.rows_per_second(),
              s.commits / s.seconds, 1000 * s.seconds / s.commits);
}

} // namespace

int main(int argc, char** argv) {
  std::span arguments{argv, static_cast<std::size_t>(argc)};
  settings how;
  if (arguments.size() > 1)
    how.batch = static_cast<std::size_t>(std::atol(arguments[1]));
  if (arguments.size() > 2)
    how.jobs = static_cast<std::size_t>(std::atol(arguments[2]));
  if (arguments.size() > 3)
    how.seconds = std::atof(arguments[3]);
  std::printf("%zu updates per batch, %zu jobs\n", how.batch, how.jobs);

  test::postgres_cluster cluster;
  store_url postgres_url{cluster.make_database()};
  store_url bare_url{cluster.make_database()};
  auto folder = std::filesystem::temp_directory_path() / ("headway-bench-" + std::to_string(::getpid()));
  store_url sqlite_url{"sqlite://" + (folder / "bench.db").string()};

  std::vector<score> ours, bare, sqlite;
  workload our_work{how, "a"}, bare_work{how, "a"}, sqlite_work{how, "a"};
  auto prepare = [](const store_url& url, workload& work) {
    migrate_store(url);
    auto opened = open_store(url);
    auto batch = work.first();
    commit_or_die(*opened, batch);
    return opened;
  };
  auto our_store = prepare(postgres_url, our_work);
  auto sqlite_store = prepare(sqlite_url, sqlite_work);
  prepare(bare_url, bare_work);
  bare_loop loop{bare_url.text};

  for (auto round = 0; round < 3; ++round) {
    ours.push_back(run(how, our_work, [&](auto& batch) { commit_or_die(*our_store, batch); }));
    score timed;
    while (timed.seconds < how.seconds) { // as run(), but the bodies are made outside the measured time
      auto batch = bare_work.next();
      auto bodies = loop.bodies_of(batch);
      auto start = clock_type::now();
      loop.commit(batch, bodies);
      timed.seconds += std::chrono::duration<double>(clock_type::now() - start).count();
      timed.rows += static_cast<double>(batch.size());
      timed.commits += 1;
    }
    bare.push_back(timed);
    sqlite.push_back(run(how, sqlite_work, [&](auto& batch) { commit_or_die(*sqlite_store, batch); }));
  }
  std::filesystem::remove_all(folder);
  print("store on PostgreSQL", middle(ours));
  print("bare libpqxx loop", middle(bare));
  print("store on SQLite", middle(sqlite));
  std::printf("store / bare loop: %.2f\n", middle(ours).rows_per_second() / middle(bare).rows_per_second());
}
