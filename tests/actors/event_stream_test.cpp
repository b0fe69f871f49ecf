#include "actors/event_stream.hpp"

#include "tests/actors/actor_test.hpp"
#include "tests/actors/ports.hpp"

namespace headway::test {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// What an EventSource makes of a body.
struct sse_event {
  std::string id;
  std::string name;
  json data;
};
std::vector<sse_event> read_stream(std::string_view body) {
  std::vector<sse_event> all;
  sse_event next;
  while (!body.empty()) {
    auto line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(body.size(), line.size() + 1));
    auto value = std::string{line.substr(std::min(line.size(), line.find(' ') + 1))};
    if (line.starts_with("id: "))
      next.id = value;
    else if (line.starts_with("event: "))
      next.name = value;
    else if (line.starts_with("data: "))
      next.data = json::parse(value);
    else if (line.empty() && !next.name.empty())
      all.push_back(std::exchange(next, {}));
  }
  return all;
}

// EVENT STREAM  a GET that is answered for as long as its job goes on.
class event_stream_test : public actor_test {
protected:
  struct reader {
    connection_actor actor;
    std::shared_ptr<recording_http> port;

    int status() const { return port->answered ? port->answered->status : 0; }
    const std::string& body() const { return port->body->body; }
    bool is_open() const { return port->answered && !port->body->closed; }
    std::vector<std::string> names() const {
      std::vector<std::string> all;
      for (const auto& event : read_stream(body()))
        all.push_back(event.name);
      return all;
    }
    std::vector<std::string> ids() const {
      std::vector<std::string> all;
      for (const auto& event : read_stream(body()))
        all.push_back(event.id);
      return all;
    }
  };

  event_stream_test() { jobs.throttle.min_interval_ms = 0; }

  void SetUp() override {
    actor_test::SetUp();
    watching.wall_clock = jobs.wall_clock;
    watching.queue_bytes_max = 100'000;
    connections = std::make_shared<connection_table>();
  }

  void TearDown() override {
    for (const auto& [address, actor] : connection_table{*connections})
      caf::anon_send(actor, release{});
    run();
    EXPECT_THAT(*connections, IsEmpty());
    EXPECT_EQ(counters.connections_sse.Value(), 0);
    EXPECT_EQ(counters.subscriptions.Value(), 0);
    EXPECT_EQ(counters.rooms.Value(), 0);
    actor_test::TearDown();
  }

  reader ask_for(const std::string& job, std::optional<std::uint64_t> after = {}, epoch_ms expires_at = 0,
                 bool pipelined = false) {
    watch_surroundings around;
    around.options = std::make_shared<const watch_options>(watching);
    around.namespaces = namespaces;
    around.directory = shards;
    around.lane = lanes[0];
    around.connections = connections;
    around.counters = &counters;
    auto who = std::make_shared<principal>(*user("u1"));
    who->expires_at = expires_at;
    auto port = std::make_shared<recording_http>();
    port->streams = !pipelined;
    event_stream_request request{port, who, {room_kind::job, job}, after, {}};
    return {open_event_stream(sys, options, around, std::move(request)), port};
  }
  reader reading(const std::string& job, std::optional<std::uint64_t> after = {}) {
    auto r = ask_for(job, after);
    run();
    return r;
  }
  void tick(const std::string& job, double value) {
    update(job, progress(value));
    run();
  }
  bool is_alive(const reader& r) const { return connections->contains(r.actor.address()); }
  double ended_by(const std::string& reason) { return counters.disconnects(reason).Value(); }

  watch_options watching;
  event_stream_options options;
  connection_table_ptr connections;
};

TEST_F(event_stream_test, state_comes_first_and_then_every_event_with_its_position) {
  start_job("1");
  auto r = reading("1");
  EXPECT_EQ(r.status(), 200);
  EXPECT_EQ(r.port->answered->content_type, "text/event-stream");
  EXPECT_THAT(r.body(), testing::StartsWith("retry: 2000\n\n"));
  tick("1", 10);
  tick("1", 20);
  EXPECT_THAT(r.names(), ElementsAre("state", "progress", "progress"));
  EXPECT_THAT(r.ids(), ElementsAre("2", "3", "4"));
  auto events = read_stream(r.body());
  EXPECT_EQ(events[0].data["job"]["status"], "running");
  EXPECT_EQ(events[2].data["position"], 4);
  EXPECT_EQ(events[2].data["progress"], 20);
  EXPECT_TRUE(r.is_open());
}

TEST_F(event_stream_test, it_stays_open_at_whatever_step_of_its_beginning_events_come) {
  // The lane's word and the room's may come in any order, and events in between.
  for (auto others : {false, true})
    for (std::size_t steps = 0; steps < 30; ++steps) {
      auto id = std::to_string(steps) + (others ? "a" : "b");
      start_job(id);
      if (others)
        reading(id);
      auto r = ask_for(id);
      for (std::size_t i = 0; i < steps && sched.has_job(); ++i)
        sched.run_once();
      update(id, progress(10));
      run_without(r.actor); // all it is told waits for it
      update(id, progress(20));
      run_without(r.actor);
      run();
      tick(id, 30);
      ASSERT_TRUE(r.is_open()) << id;
      auto events = read_stream(r.body());
      ASSERT_FALSE(events.empty());
      ASSERT_EQ(events[0].name, "state");
      auto seq = events[0].data["job"]["seq"].get<std::uint64_t>();
      for (std::size_t i = 1; i < events.size(); ++i)
        EXPECT_EQ(events[i].data["seq"], ++seq) << id;
      EXPECT_EQ(seq, 5U) << id;
    }
}

TEST_F(event_stream_test, it_ends_behind_the_ending) {
  start_job("1");
  auto r = reading("1");
  update("1", progress(10));
  update("1", said(job_verb::complete));
  run();
  EXPECT_THAT(r.names(), ElementsAre("state", "progress", "completed"));
  EXPECT_TRUE(r.port->body->closed);
  EXPECT_FALSE(is_alive(r));
  EXPECT_EQ(ended_by("job ended"), 1);
}

TEST_F(event_stream_test, job_that_has_ended_is_told_and_the_stream_ends) {
  start_job("1");
  update("1", said(job_verb::fail));
  run();
  auto r = reading("1");
  EXPECT_EQ(r.status(), 200);
  EXPECT_THAT(r.names(), ElementsAre("state"));
  EXPECT_TRUE(r.port->body->closed);
  EXPECT_FALSE(is_alive(r));
}

TEST_F(event_stream_test, who_comes_back_behind_the_ending_is_told_to_come_no_more) {
  start_job("1");
  update("1", said(job_verb::complete));
  run();
  auto r = reading("1", stored("1").position);
  EXPECT_EQ(r.status(), 204);
  EXPECT_THAT(r.body(), IsEmpty());
  EXPECT_FALSE(is_alive(r));
}

TEST_F(event_stream_test, who_missed_the_ending_gets_it) {
  start_job("1");
  tick("1", 10);
  update("1", said(job_verb::complete));
  run();
  auto r = reading("1", stored("1").position - 2);
  EXPECT_EQ(r.status(), 200);
  EXPECT_THAT(r.names(), ElementsAre("resumed", "progress", "completed"));
  EXPECT_TRUE(r.port->body->closed);
}

TEST_F(event_stream_test, who_comes_back_gets_what_it_missed) {
  start_job("1");
  auto first = reading("1");
  tick("1", 10);
  auto seen = std::stoull(first.ids().back());
  tick("1", 20);
  auto again = reading("1", seen);
  tick("1", 30);
  EXPECT_THAT(again.names(), ElementsAre("resumed", "progress", "progress"));
  EXPECT_THAT(again.ids(), ElementsAre("3", "4", "5"));
}

TEST_F(event_stream_test, position_that_is_none_starts_anew) {
  start_job("1");
  auto r = reading("1", UINT64_MAX);
  EXPECT_THAT(r.names(), ElementsAre("state"));
  EXPECT_EQ(read_stream(r.body())[0].data["reset"], true);
  EXPECT_THAT(r.ids(), ElementsAre("2"));
}

TEST_F(event_stream_test, refused_room_is_a_problem) {
  start_job("1", "u2");
  for (const auto* job : {"1", "2"}) {
    auto r = reading(job);
    EXPECT_EQ(r.status(), 404);
    EXPECT_EQ(r.port->answered->content_type, "application/problem+json");
    EXPECT_THAT(r.port->answered->body, HasSubstr("\"not_found\""));
    EXPECT_THAT(r.body(), IsEmpty());
    EXPECT_FALSE(is_alive(r));
  }
}

TEST_F(event_stream_test, store_that_is_down_is_a_problem_with_a_time_to_come_back) {
  start_job("1");
  faults->is_down = true;
  auto r = reading("1");
  EXPECT_EQ(r.status(), 503);
  EXPECT_THAT(r.port->answered->headers, ElementsAre(testing::Pair("Retry-After", "1")));
}

TEST_F(event_stream_test, user_beyond_its_limit_is_refused) {
  watching.admit_user = [](std::string_view) -> result<std::shared_ptr<void>> { return errc::rate_limited; };
  auto r = reading("1");
  EXPECT_EQ(r.status(), 429);
  EXPECT_FALSE(is_alive(r));
}

TEST_F(event_stream_test, pipelined_request_is_refused) {
  start_job("1");
  auto r = ask_for("1", {}, 0, true);
  run();
  EXPECT_EQ(r.status(), 400);
  EXPECT_FALSE(is_alive(r));
  tick("1", 10);
  EXPECT_THAT(r.body(), IsEmpty());
}

TEST_F(event_stream_test, silence_is_broken_by_comments) {
  start_job("1");
  auto r = reading("1");
  auto begun = r.body().size();
  advance(15s); // the state was sent in these
  EXPECT_EQ(r.body().size(), begun);
  advance(15s);
  EXPECT_EQ(r.body().substr(begun), ": heartbeat\n\n");
  advance(15s);
  EXPECT_EQ(r.body().substr(begun), ": heartbeat\n\n: heartbeat\n\n");
  tick("1", 10);
  auto told = r.body().size();
  advance(15s);
  EXPECT_EQ(r.body().size(), told) << "an event is a sign of life, too";
  EXPECT_THAT(r.names(), ElementsAre("state", "progress"));
}

TEST_F(event_stream_test, token_that_expires_is_told_and_ends_the_stream) {
  start_job("1");
  auto r = ask_for("1", {}, wall + 5000);
  advance(4'999ms);
  EXPECT_TRUE(r.is_open());
  advance(1ms);
  auto events = read_stream(r.body());
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[1].name, "error");
  EXPECT_EQ(events[1].data["code"], "auth_expired");
  EXPECT_EQ(events[1].id, "") << "it is no place to go on from";
  EXPECT_TRUE(r.port->body->closed);
  EXPECT_FALSE(is_alive(r));
}

TEST_F(event_stream_test, slow_consumer_is_ended_and_nobody_waits_for_it) {
  start_job("1");
  auto slow = reading("1");
  auto other = reading("1");
  slow.port->body->queued = 100'001;
  tick("1", 10);
  EXPECT_TRUE(slow.port->body->closed);
  EXPECT_EQ(counters.limit_exceeded("queue.bytes_max").Value(), 1);
  EXPECT_FALSE(is_alive(slow));
  EXPECT_EQ(ended_by("slow consumer"), 1);
  tick("1", 20);
  EXPECT_THAT(other.names(), ElementsAre("state", "progress", "progress"));
  EXPECT_THAT(slow.names(), Not(testing::Contains("completed")));
}

TEST_F(event_stream_test, release_ends_it) {
  start_job("1");
  auto r = reading("1");
  caf::anon_send(r.actor, release{});
  run();
  EXPECT_TRUE(r.port->body->closed);
  EXPECT_FALSE(is_alive(r));
  tick("1", 10);
  EXPECT_THAT(r.names(), ElementsAre("state"));
}

TEST_F(event_stream_test, peer_that_goes_away_ends_it) {
  start_job("1");
  auto r = reading("1");
  r.port->peer_goes();
  run();
  EXPECT_FALSE(is_alive(r));
  EXPECT_EQ(ended_by("transport close"), 1);
  EXPECT_EQ(counters.subscriptions.Value(), 0);
}

TEST_F(event_stream_test, release_at_any_step_of_its_beginning_leaves_nothing_behind) {
  start_job("1");
  for (std::size_t steps = 0; steps < 20; ++steps) {
    auto r = ask_for("1", 1);
    for (std::size_t i = 0; i < steps && sched.has_job(); ++i)
      sched.run_once();
    caf::anon_send(r.actor, release{});
    run();
    EXPECT_FALSE(is_alive(r)) << "after " << steps << " steps";
    EXPECT_EQ(counters.subscriptions.Value(), 0) << "after " << steps << " steps";
    EXPECT_EQ(counters.rooms.Value(), 0) << "after " << steps << " steps";
  }
}

} // namespace

} // namespace headway::test
