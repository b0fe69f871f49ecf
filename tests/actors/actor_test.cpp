#include "tests/actors/actor_test.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace headway::test {

namespace {

class switched_store final : public store {
public:
  switched_store(std::unique_ptr<store> real, std::shared_ptr<store_switch> faults)
    : real_{std::move(real)}, faults_{std::move(faults)} {}

  result<std::vector<write_result>> commit(std::span<job_write> batch) override {
    faults_->batches.push_back(batch.size());
    if (faults_->is_down)
      return errc::store_unavailable;
    if (auto fault = std::exchange(faults_->fail_next, errc{}); fault != errc{})
      return fault;
    return real_->commit(batch);
  }
  result<job_state> load_job(std::string_view id) override {
    ++faults_->loads;
    if (faults_->is_down)
      return errc::store_unavailable;
    return real_->load_job(id);
  }
  result<job_page> list_jobs(const job_filter& filter) override { return real_->list_jobs(filter); }
  result<std::vector<job_event>> job_events(std::string_view id, std::uint64_t after, std::size_t limit) override {
    return real_->job_events(id, after, limit);
  }
  result<std::uint64_t> head() override { return real_->head(); }
  result<api_key> find_api_key(std::string_view hash) override { return real_->find_api_key(hash); }
  result<void> put_api_key(std::string_view hash, const api_key& key) override { return real_->put_api_key(hash, key); }
  bool is_writable() override { return !faults_->is_down && real_->is_writable(); }

private:
  std::unique_ptr<store> real_;
  std::shared_ptr<store_switch> faults_;
};

std::string make_folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "headway-actors-XXXXXX").string();
  if (!mkdtemp(pattern.data()))
    throw std::runtime_error{"no folder for tests"};
  return pattern;
}

void write(store& to, std::uint64_t expected_seq, job_transition next) {
  std::vector<job_write> batch{{expected_seq, std::move(next.after), {}}};
  for (auto& event : next.events)
    batch.front().events.push_back(std::make_shared<job_event>(std::move(event)));
  auto done = to.commit(batch);
  if (!done || done->front().error != errc{})
    throw std::runtime_error{"the other node's write was refused"};
}

} // namespace

std::optional<seen_event> read_event(std::string_view frame) {
  if (!frame.starts_with("42["))
    return std::nullopt;
  auto array = json::parse(frame.substr(2));
  return seen_event{array[0].get<std::string>(), array.size() > 1 ? array[1] : json{}};
}

std::vector<std::uint64_t> update_seqs(const std::vector<std::string>& texts, std::string_view job) {
  std::vector<std::uint64_t> seqs;
  for (const auto& text : texts)
    if (auto event = read_event(text); event && event->name == "job_update")
      if (job.empty() || event->payload["job_id"] == job)
        seqs.push_back(event->payload["seq"].get<std::uint64_t>());
  return seqs;
}

std::vector<std::string> event_names(const std::vector<std::string>& texts) {
  std::vector<std::string> names;
  for (const auto& text : texts)
    if (auto event = read_event(text))
      names.push_back(event->name);
  return names;
}

std::shared_ptr<const principal> user(std::string id) {
  auto who = std::make_shared<principal>();
  who->user_id = std::move(id);
  return who;
}

job_update progress(double value) {
  auto update = said(job_verb::progress);
  update.progress = value;
  return update;
}

job_update increment(double by) {
  auto update = said(job_verb::increment);
  update.progress = by;
  return update;
}

job_update said(job_verb verb) {
  job_update update;
  update.verb = verb;
  if (verb == job_verb::output)
    update.chunk = "text\n";
  return update;
}

actor_test::config::config() {
  set("scheduler.policy", caf::atom("testing"));
  add_ingest_messages(*this);
}

actor_test::actor_test()
  : sys{cfg_}, sched{dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler())}, folder_{make_folder()} {
  log::set_level("off");
  // Near the real clock, which a peer that is too slow reads.
  sched.clock().current_time = std::chrono::steady_clock::now();
  jobs.wall_clock = [this] { return wall; };
}

actor_test::~actor_test() { std::filesystem::remove_all(folder_); }

void actor_test::SetUp() {
  url = {"sqlite://" + folder_ + "/test.db"};
  migrate_store(url);
  node_b = open_store(url);
  for (int i = 0; i < 2; ++i)
    lanes.push_back(spawn_pinned(sys, nullptr, lane, std::uint64_t{0}, namespaces, &counters));
  gate = std::make_shared<storage_gate>(writes_max);
  publish_function publish = [this](const commit_ptr& what) {
    published.push_back(what);
    for (const auto& one : lanes)
      caf::anon_send(one, committed{what});
  };
  writer = sys.spawn(storage, new switched_store{open_store(url), faults}, gate, publish, &counters, batch_max);
  source = sys.spawn(reader, new switched_store{open_store(url), faults}, &counters);

  directory_factories factories;
  factories.job = [this](const std::string& id, const directory_actor& at) {
    job_surroundings around{jobs, writer, gate, source, {}, &counters};
    around.ask_to_retire = [at, id](const caf::actor_addr& who) { caf::anon_send(at, retire_job{id, who}); };
    return sys.spawn(job, id, std::move(around));
  };
  factories.room = [this](const room_name& which, const directory_actor& at) {
    auto ask = [at, which](const caf::actor_addr& who) { caf::anon_send(at, retire_room{which, who}); };
    return sys.spawn(room, which, room_surroundings{source, ask, replay_max, &counters});
  };
  home = sys.spawn(directory, std::move(factories), &counters);
  shards = std::make_shared<const directory_shards>(std::vector{home});
  run();
}

/// In the server's order. A hang of ~actor_system is a failure of the test too.
void actor_test::TearDown() {
  for (auto& connection : connections_)
    caf::anon_send_exit(connection, caf::exit_reason::user_shutdown);
  connections_.clear();
  faults->is_down = false;
  ask<stopped>(home, stop{});
  run();
  ask<stopped>(writer, stop{});
  ask<stopped>(source, stop{});
  for (auto& one : lanes)
    ask<stopped>(one, stop{});
  run();
  while (sched.trigger_timeout())
    run();
  EXPECT_EQ(sys.registry().running(), 0U) << "actors that do not end";
  if (sys.registry().running() != 0)
    sys.await_actors_before_shutdown(false);
  EXPECT_EQ(counters.actors_lost.Value(), 0);
  EXPECT_EQ(gate->writes.load(), 0U);
  lanes.clear();
  writer = nullptr;
  source = nullptr;
  home = nullptr;
  shards.reset();
}

void actor_test::advance(std::chrono::milliseconds time) {
  // In steps of a millisecond each timer goes off at its own time, and sets others that go off at theirs.
  run();
  for (auto passed = 0ms; passed < time; passed += 1ms) {
    ++wall;
    sched.advance_time(1ms);
    run();
  }
}

reply_ptr<job_ack> actor_test::create(const std::string& id, std::string owner) {
  job_info info;
  info.id = id;
  info.user_id = std::move(owner);
  return create(std::move(info));
}

reply_ptr<job_ack> actor_test::create(job_info info) { return ask<job_ack>(home, create_job{std::move(info)}); }

reply_ptr<job_ack> actor_test::update(const std::string& id, job_update what, bool wait_durable) {
  return ask<job_ack>(home, update_job{id, std::move(what), wait_durable});
}

reply_ptr<job_ack> actor_test::update_at(const job_actor& actor, const std::string& id, job_update what,
                                         bool wait_durable) {
  return ask<job_ack>(actor, update_job{id, std::move(what), wait_durable});
}

void actor_test::start_job(const std::string& id, std::string owner) {
  create(id, std::move(owner));
  run();
  update(id, said(job_verb::start));
  advance(200ms);
}

job_actor actor_test::job_of(const std::string& id) {
  auto found = ask<job_found>(home, find_job{id});
  step(home);
  run();
  return found->value->job;
}

actor_test::member actor_test::new_member(id_type ids) {
  static std::uint64_t last = 0;
  member made;
  made.id = ++last;
  made.out = std::make_shared<recording_outbound>();
  made.format = {0, ids};
  made.connection = sys.spawn([](int) -> caf::behavior { return {[](caf::ok_atom) {}}; }, 0); // see `ask`
  connections_.push_back(made.connection);
  step(made.connection);
  return made;
}

void actor_test::join(member& who, const std::string& job, std::string as, std::size_t lane) {
  join_room request{{room_kind::job, job},
                    {who.id, who.out, who.format, {}},
                    lanes[lane],
                    user(std::move(as)),
                    who.connection.address()};
  who.joined = ask<room_joined>(home, std::move(request));
}

void actor_test::leave(const member& who, bool answer) {
  caf::anon_send(who.joined->value->room, leave_room{who.id, answer ? std::optional{who.format} : std::nullopt});
}

std::vector<job_event> actor_test::log_of(const std::string& id) { return node_b->job_events(id, 0, 1000).value(); }

job_state actor_test::stored(const std::string& id) { return node_b->load_job(id).value(); }

void actor_test::elsewhere(const std::string& id, const job_update& what) {
  auto state = node_b->load_job(id).value();
  auto seq = state.seq;
  write(*node_b, seq, headway::apply(state, what, ++wall).value());
}

void actor_test::create_elsewhere(const std::string& id, const std::string& owner) {
  auto info = std::make_shared<job_info>();
  info->id = id;
  info->user_id = owner;
  info->created_at = wall;
  write(*node_b, 0, headway::create(info, wall));
}

} // namespace headway::test
