// ACTOR TEST  the house's actors without threads: nothing runs before the test says so, and time is the test's.
//
//   run()          everything that can be done now
//   advance(5s)    time passes; timers go off in their order, each at its time
//   ask<T>(...)    sends now, ahead of all that waits; the answer is there after run()
//
// The store is the real SQLite one on a file of its own. Its writer and reader run on the test's scheduler.
#pragma once

#include "actors/directory.hpp"
#include "actors/io_worker.hpp"
#include "actors/lane.hpp"
#include "storage/make_store.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace headway::test {

using namespace std::chrono_literals;

/// What became of a request.
template <class T>
struct reply {
  std::optional<T> value;
  std::optional<errc> error;

  bool is_open() const { return !value && !error; }
};
template <class T>
using reply_ptr = std::shared_ptr<reply<T>>;

/// Between the storage actor and the real store: what goes by, and what the test wants to go wrong.
struct store_switch {
  errc fail_next{};                 ///< the next commit fails as a whole
  bool is_down = false;             ///< all calls fail
  std::vector<std::size_t> batches; ///< sizes of the commits that were tried
  std::size_t loads = 0;            ///< of jobs, by the reader
};

/// A transport that keeps what was sent.
class recording_outbound : public outbound {
public:
  void send(const frame_ptr& packet) override {
    frames.push_back(packet);
    texts.emplace_back(packet->payload());
  }
  void flush() override { ++flushes; }

  std::vector<frame_ptr> frames;
  std::vector<std::string> texts;
  int flushes = 0;
};

/// The event of a frame: "42["job_update",{...}]" is {"job_update", {...}}.
struct seen_event {
  std::string name;
  json payload;
};
std::optional<seen_event> read_event(std::string_view frame);

/// `seq` of each job_update about `job`, in the order in which they came.
std::vector<std::uint64_t> update_seqs(const std::vector<std::string>& texts, std::string_view job = {});
/// Names of the events, in order.
std::vector<std::string> event_names(const std::vector<std::string>& texts);

std::shared_ptr<const principal> user(std::string id);

job_update progress(double value);
job_update increment(double by);
job_update said(job_verb verb);

class actor_test : public ::testing::Test {
protected:
  /// What a test changes, it changes in its fixture's constructor (`jobs` also before a job is first spoken to).
  job_options jobs{.throttle = {.min_interval_ms = 100, .min_delta = 0},
                   .facts_per_second = 100,
                   .facts_burst = 200,
                   .linger = 30s,
                   .wall_clock = {}};
  std::size_t batch_max = 1000;
  std::size_t writes_max = 1000;
  std::size_t replay_max = 1000;
  std::shared_ptr<const std::vector<std::string>> namespaces =
    std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"/"});

  actor_test();
  ~actor_test() override;
  void SetUp() override;
  void TearDown() override;

  // -- time and turns ------------------------------------------------------------------------------------------
  void run() { sched.run(); }
  void advance(std::chrono::milliseconds time);
  /// Runs everything but `who`.
  template <class Handle>
  void run_without(const Handle& who) {
    auto* held = dynamic_cast<caf::resumable*>(caf::actor_cast<caf::abstract_actor*>(who));
    sched.run_jobs_filtered([held](const caf::resumable* job) { return job != held; });
  }
  /// One message, if it has one.
  template <class Handle>
  bool step(const Handle& who) {
    if (!sched.prioritize(who))
      return false;
    sched.run_once();
    return true;
  }

  template <class T, class Handle, class Message>
  reply_ptr<T> ask(const Handle& to, Message message) {
    auto out = std::make_shared<reply<T>>();
    // With an argument: CAF 0.17 dereferences a null pointer to those of a function that takes none.
    auto asker = sys.spawn(
      [=](caf::event_based_actor* self, const Message& what) {
        self->request(to, caf::infinite, what)
          .then([out](T& answer) { out->value = std::move(answer); },
                [out](const caf::error& e) { out->error = to_errc(e); });
      },
      std::move(message));
    step(asker);
    return out;
  }

  // -- words of the tests --------------------------------------------------------------------------------------
  reply_ptr<job_ack> create(const std::string& id, std::string owner = "u1");
  reply_ptr<job_ack> create(job_info info);
  reply_ptr<job_ack> update(const std::string& id, job_update what, bool wait_durable = false);
  /// To a job actor, not by the directory.
  reply_ptr<job_ack> update_at(const job_actor& actor, const std::string& id, job_update what,
                               bool wait_durable = false);
  /// Creates and starts it; time passes, so that the next tick is a leading edge.
  void start_job(const std::string& id, std::string owner = "u1");
  job_actor job_of(const std::string& id);
  std::size_t jobs_alive() const { return static_cast<std::size_t>(counters.jobs_live.Value()); }

  /// A member of a room: what its lane wrote to it, and a connection actor that stands for it.
  struct member {
    std::uint64_t id = 0;
    std::shared_ptr<recording_outbound> out;
    caf::actor connection;
    reply_ptr<room_joined> joined;
    wire_format format;

    const std::vector<std::string>& texts() const { return out->texts; }
    std::vector<std::uint64_t> seqs(std::string_view job = {}) const { return update_seqs(out->texts, job); }
    std::vector<std::string> names() const { return event_names(out->texts); }
  };
  member new_member(id_type ids = id_type::text);
  void join(member& who, const std::string& job, std::string as = "u1", std::size_t lane = 0);
  void leave(const member& who, bool answer = true);

  /// The log as the store has it.
  std::vector<job_event> log_of(const std::string& id);
  job_state stored(const std::string& id);
  /// Another node on the same database: updates a job behind the actors' backs.
  void elsewhere(const std::string& id, const job_update& what);
  void create_elsewhere(const std::string& id, const std::string& owner = "u1");

private:
  struct config : caf::actor_system_config {
    config();
  };
  config cfg_;

protected:
  metrics counters; ///< outlives the actors
  caf::actor_system sys;
  caf::scheduler::test_coordinator& sched;
  epoch_ms wall = 1'790'000'000'000;

  store_url url;
  std::shared_ptr<store_switch> faults = std::make_shared<store_switch>();
  std::unique_ptr<store> node_b; ///< of the test itself
  std::vector<commit_ptr> published;

  std::vector<lane_actor> lanes;
  storage_gate_ptr gate;
  storage_actor writer;
  reader_actor source;
  directory_actor home;
  directory_shards_ptr shards;

private:
  std::string folder_;
  std::vector<caf::actor> connections_;
};

} // namespace headway::test
