#include "actors/socketio_watcher.hpp"
#include "tests/actors/actor_test.hpp"
#include "tests/actors/ports.hpp"

namespace headway::test {

namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr std::string_view secret = "a secret of thirty-two bytes, no less";

class connection_test : public actor_test {
protected:
  struct peer {
    connection_actor actor;
    std::shared_ptr<recording_websocket> port;

    const std::vector<std::string>& texts() const { return port->texts; }
    std::vector<std::string> names() const { return event_names(port->texts); }
    std::vector<std::uint64_t> seqs() const { return update_seqs(port->texts); }
  };

  connection_test() {
    jobs.throttle.min_interval_ms = 0;
    namespaces = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"/", "/jobs"});
  }

  void SetUp() override {
    actor_test::SetUp();
    options.jwt.secret = secret;
    options.wall_clock = jobs.wall_clock;
    around.sessions = std::make_shared<session_table>();
    around.queue_bytes_max = 100'000;
    around.counters = &counters;
  }

  void TearDown() override {
    for (const auto& [sid, session] : session_table{*around.sessions})
      caf::anon_send(session.actor, release{});
    run();
    EXPECT_THAT(*around.sessions, IsEmpty());
    EXPECT_EQ(counters.connections_websocket.Value() + counters.connections_polling.Value(), 0);
    around = {};
    actor_test::TearDown();
  }

  std::string token(const std::string& who = "u1", std::int64_t lives_s = 3600) const {
    return sign_jwt(json{{"sub", who}, {"exp", wall / 1000 + lives_s}}, secret);
  }

  connection_actor open(engineio::transport first) {
    watch_surroundings watch;
    watch.options = std::make_shared<const watch_options>(options);
    watch.namespaces = namespaces;
    watch.directory = shards;
    watch.lane = lanes[0];
    watch.counters = &counters;
    return open_engineio(sys, around, {}, first, socketio_watchers(socketio, watch));
  }

  /// A WebSocket whose Engine.IO session is open.
  peer dial() {
    peer p{open(engineio::transport::websocket), std::make_shared<recording_websocket>()};
    caf::anon_send(p.actor, websocket_opened{p.port, false});
    run();
    return p;
  }
  /// Returns whether the next frame may be read.
  std::shared_ptr<bool> say(const peer& p, std::string frame) {
    auto taken = std::make_shared<bool>(false);
    caf::anon_send(p.actor, frame_arrived{p.port, std::move(frame), false, [taken] { *taken = true; }});
    return taken;
  }
  peer connected(const std::string& who = "u1", std::int64_t lives_s = 3600) {
    auto p = dial();
    say(p, R"(40{"token":")" + token(who, lives_s) + "\"}");
    run();
    p.port->texts.clear();
    return p;
  }
  bool is_alive(const peer& p) const {
    for (const auto& [sid, session] : *around.sessions)
      if (session.actor == p.actor)
        return true;
    return false;
  }
  std::size_t listed() {
    auto list = ask<connection_list>(lanes[0], get_connections{});
    run();
    return list->value->connections.size();
  }
  std::size_t subscriptions() const { return static_cast<std::size_t>(counters.subscriptions.Value()); }

  watch_options options;
  socketio::session_options socketio;
  engineio_surroundings around;
};

// -- CONNECT ------------------------------------------------------------------------------------------------------

TEST_F(connection_test, open_packet_comes_first) {
  auto p = dial();
  ASSERT_THAT(p.texts(), SizeIs(1));
  EXPECT_THAT(p.texts()[0], AllOf(StartsWith("0{\"sid\":"), HasSubstr("\"pingInterval\":25000")));
}

TEST_F(connection_test, valid_token_is_greeted) {
  auto p = dial();
  auto taken = say(p, R"(40{"token":")" + token() + "\"}");
  run();
  EXPECT_TRUE(*taken);
  ASSERT_THAT(p.texts(), SizeIs(3));
  EXPECT_THAT(p.texts()[1], StartsWith(R"(40{"sid":")"));
  EXPECT_EQ(read_event(p.texts()[2])->name, "connected");
  EXPECT_EQ(read_event(p.texts()[2])->payload["user_id"], "u1");
  EXPECT_EQ(listed(), 1U);
}

TEST_F(connection_test, each_namespace_has_its_own_rooms_and_its_own_events) {
  auto p = dial();
  say(p, R"(40/jobs,{"token":")" + token() + "\"}");
  run();
  ASSERT_THAT(p.texts(), SizeIs(3));
  EXPECT_THAT(p.texts()[1], StartsWith(R"(40/jobs,{"sid":")"));
  EXPECT_THAT(p.texts()[2], StartsWith(R"(42/jobs,["connected")"));
  say(p, R"(40/other,{"token":"x"})");
  run();
  EXPECT_EQ(p.texts().back(), R"(44/other,{"message":"Invalid namespace"})");
  create("7");
  run();
  p.port->texts.clear();
  say(p, R"(42/jobs,["join_job",{"job_id":"7"}])");
  run();
  EXPECT_THAT(p.texts(), testing::Each(StartsWith("42/jobs,[\"job_")));
  EXPECT_THAT(p.texts(), SizeIs(2));
}

TEST_F(connection_test, bad_tokens_are_refused_with_a_code) {
  const std::vector<std::pair<std::string, std::string>> table{
    {"40", "auth_missing"},
    {"40{}", "auth_missing"},
    {R"(40{"token":""})", "auth_missing"},
    {R"(40{"token":5})", "auth_missing"},
    {R"(40{"token":"x.y.z"})", "auth_invalid"},
    {R"(40{"token":")" + token("u1", -31) + "\"}", "auth_expired"},
    {R"(40{"token":")" + sign_jwt(json{{"sub", "u1"}, {"exp", wall}}, "another secret of thirty-two bytes") + "\"}",
     "auth_invalid"},
  };
  for (const auto& [frame, code] : table) {
    auto p = dial();
    say(p, frame);
    run();
    ASSERT_THAT(p.texts(), SizeIs(2)) << frame;
    ASSERT_THAT(p.texts()[1], StartsWith("44")) << frame;
    EXPECT_EQ(json::parse(p.texts()[1].substr(2))["data"]["code"], code) << frame;
  }
  EXPECT_EQ(counters.auth_failures.Value(), static_cast<double>(table.size()));
  EXPECT_EQ(listed(), 0U);
}

TEST_F(connection_test, refused_peer_may_try_again) {
  auto p = dial();
  say(p, R"(40{"token":"x"})");
  say(p, R"(40{"token":")" + token() + "\"}");
  run();
  ASSERT_THAT(p.texts(), SizeIs(4));
  EXPECT_THAT(p.texts()[2], StartsWith("40{"));
}

TEST_F(connection_test, who_never_connects_is_closed) {
  auto p = dial();
  advance(11s);
  EXPECT_TRUE(p.port->closed);
  EXPECT_FALSE(is_alive(p));
}

TEST_F(connection_test, event_before_connect_ends_the_connection) {
  auto p = dial();
  say(p, R"(42["join_job",{"job_id":"1"}])");
  run();
  EXPECT_TRUE(p.port->closed);
  EXPECT_FALSE(is_alive(p));
}

// -- requests -----------------------------------------------------------------------------------------------------

TEST_F(connection_test, join_is_answered_and_updates_follow) {
  start_job("1");
  auto p = connected();
  say(p, R"(42["join_job",{"job_id":"1"}])");
  run();
  update("1", progress(10));
  run();
  EXPECT_THAT(p.names(), ElementsAre("job_status", "job_update", "job_update"));
  EXPECT_THAT(p.seqs(), ElementsAre(2, 3));
}

TEST_F(connection_test, id_comes_back_in_the_type_it_was_joined_with) {
  start_job("42");
  auto p = connected();
  say(p, R"(42["join_job",{"job_id":42}])");
  run();
  EXPECT_EQ(read_event(p.texts().back())->payload["job_id"], 42);
}

TEST_F(connection_test, job_of_another_and_unknown_job_are_the_same_error) {
  start_job("1", "u2");
  auto p = connected();
  say(p, R"(421["join_job",{"job_id":"1"}])");
  say(p, R"(422["join_job",{"job_id":"2"}])");
  run();
  ASSERT_THAT(p.texts(), SizeIs(4));
  EXPECT_EQ(p.texts()[0], R"(42["error",{"message":"Job 1 not found or access denied"}])");
  EXPECT_EQ(p.texts()[1], R"(431[{"ok":false,"code":"not_found"}])");
  EXPECT_EQ(p.texts()[2], R"(42["error",{"message":"Job 2 not found or access denied"}])");
  EXPECT_EQ(p.texts()[3], R"(432[{"ok":false,"code":"not_found"}])");
}

TEST_F(connection_test, callbacks_are_called) {
  start_job("1");
  auto p = connected();
  say(p, R"(420["ping"])");
  say(p, R"(421["join_job",{"job_id":"1"}])");
  say(p, R"(422["leave_job",{"job_id":"1"}])");
  say(p, R"(423["join_job",{}])");
  say(p, R"(424["no_such_event"])");
  run();
  std::vector<std::string> acks;
  for (const auto& text : p.texts())
    if (text.starts_with("43"))
      acks.push_back(text);
  EXPECT_THAT(acks, ElementsAre(R"(430[{"ok":true}])", R"(431[{"ok":true}])", R"(432[{"ok":true}])",
                                R"(433[{"ok":false,"code":"invalid_field"}])",
                                R"(434[{"ok":false,"code":"unknown_event"}])"));
}

TEST_F(connection_test, requests_are_handled_one_at_a_time_in_order) {
  start_job("1");
  start_job("2");
  auto p = connected();
  for (const auto* request : {"join_job", "leave_job", "join_job", "leave_job"})
    say(p, std::string{R"(42[")"} + request + R"(",{"job_id":"1"}])");
  say(p, R"(42["join_job",{"job_id":"2"}])");
  say(p, R"(42["ping"])");
  run();
  EXPECT_THAT(p.names(), ElementsAre("job_status", "job_update", "job_unsubscribed", "job_status", "job_update",
                                     "job_unsubscribed", "job_status", "job_update", "pong"));
  EXPECT_EQ(subscriptions(), 1U);
}

TEST_F(connection_test, nothing_comes_after_leaving) {
  start_job("1");
  auto p = connected();
  say(p, R"(42["join_job",{"job_id":"1"}])");
  say(p, R"(42["leave_job",{"job_id":"1"}])");
  run();
  auto frames = p.texts().size();
  update("1", progress(10));
  run();
  EXPECT_EQ(p.texts().size(), frames);
  EXPECT_EQ(p.names().back(), "job_unsubscribed");
}

TEST_F(connection_test, leaving_a_room_one_is_not_in_is_answered) {
  auto p = connected();
  say(p, R"(42["leave_job",{"job_id":"9"}])");
  run();
  EXPECT_THAT(p.names(), ElementsAre("job_unsubscribed"));
}

TEST_F(connection_test, one_connection_watches_several_jobs) {
  start_job("1");
  start_job("2");
  auto p = connected();
  say(p, R"(42["join_job",{"job_id":"1"}])");
  say(p, R"(42["join_job",{"job_id":"2"}])");
  run();
  p.port->texts.clear();
  for (int i = 1; i <= 5; ++i) {
    update("1", progress(i));
    update("2", progress(i));
  }
  run();
  EXPECT_THAT(update_seqs(p.texts(), "1"), ElementsAre(3, 4, 5, 6, 7));
  EXPECT_THAT(update_seqs(p.texts(), "2"), ElementsAre(3, 4, 5, 6, 7));
}

// -- the end ------------------------------------------------------------------------------------------------------

TEST_F(connection_test, closed_connection_leaves_all_rooms_and_ends) {
  start_job("1");
  start_job("2");
  auto p = connected();
  say(p, R"(42["join_job",{"job_id":"1"}])");
  say(p, R"(42["join_job",{"job_id":"2"}])");
  run();
  ASSERT_EQ(subscriptions(), 2U);
  caf::anon_send(p.actor, websocket_ended{p.port, engineio::close_reason::transport_close});
  run();
  EXPECT_FALSE(is_alive(p));
  EXPECT_EQ(subscriptions(), 0U);
  EXPECT_EQ(counters.rooms.Value(), 0);
  EXPECT_EQ(listed(), 0U);
}

TEST_F(connection_test, connection_that_closes_while_it_joins_leaves_nothing_behind) {
  start_job("1");
  for (std::size_t steps = 0; steps < 20; ++steps) {
    auto p = connected();
    say(p, R"(42["join_job",{"job_id":"1"}])");
    for (std::size_t i = 0; i < steps && sched.has_job(); ++i)
      sched.run_once();
    caf::anon_send(p.actor, websocket_ended{p.port, engineio::close_reason::transport_error});
    run();
    EXPECT_FALSE(is_alive(p)) << "after " << steps << " steps";
    EXPECT_EQ(subscriptions(), 0U) << "after " << steps << " steps";
    EXPECT_EQ(counters.rooms.Value(), 0) << "after " << steps << " steps";
  }
}

TEST_F(connection_test, disconnect_packet_leaves_the_rooms_and_the_peer_may_connect_anew) {
  start_job("1");
  auto p = connected();
  say(p, R"(42["join_job",{"job_id":"1"}])");
  run();
  say(p, "41");
  run();
  EXPECT_EQ(subscriptions(), 0U);
  p.port->texts.clear();
  update("1", progress(10));
  run();
  EXPECT_THAT(p.texts(), IsEmpty());
  say(p, R"(40{"token":")" + token() + "\"}");
  run();
  EXPECT_THAT(p.names(), ElementsAre("connected"));
}

TEST_F(connection_test, heartbeat_is_sent_and_silence_ends_it) {
  auto p = connected();
  advance(25s);
  EXPECT_THAT(p.texts(), ElementsAre("2"));
  say(p, "3");
  advance(25s);
  EXPECT_THAT(p.texts(), ElementsAre("2", "2"));
  advance(21s);
  EXPECT_TRUE(p.port->closed);
  EXPECT_FALSE(is_alive(p));
  EXPECT_EQ(counters.disconnects("ping timeout").Value(), 1);
}

TEST_F(connection_test, token_that_expires_is_told_and_the_peer_is_thrown_out) {
  start_job("1");
  auto p = connected("u1", 5);
  auto expires = wall - wall % 1000 + 5000;
  say(p, R"(42["join_job",{"job_id":"1"}])");
  advance(std::chrono::milliseconds{expires - wall - 1});
  p.port->texts.clear();
  EXPECT_TRUE(is_alive(p));
  advance(1s);
  ASSERT_GE(p.texts().size(), 2U);
  auto told = read_event(p.texts()[0]);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->name, "error");
  EXPECT_EQ(told->payload["code"], "auth_expired");
  EXPECT_EQ(p.texts()[1], "41");
  EXPECT_TRUE(p.port->closed);
  EXPECT_FALSE(is_alive(p));
  EXPECT_EQ(subscriptions(), 0U);
}

TEST_F(connection_test, token_is_renewed_by_the_event_auth) {
  start_job("1");
  auto p = connected("u1", 5);
  say(p, R"(42["join_job",{"job_id":"1"}])");
  say(p, R"(421["auth",{"token":")" + token("u1", 20) + R"("}])");
  say(p, R"(422["auth",")" + token("u2", 3600) + R"("])");
  say(p, R"(423["auth"])");
  advance(6s);
  EXPECT_THAT(p.names(), ElementsAre("job_status", "job_update", "authenticated", "auth_error", "auth_error"));
  std::vector<std::string> acks;
  for (const auto& text : p.texts())
    if (text.starts_with("43"))
      acks.push_back(text);
  EXPECT_THAT(acks, ElementsAre(R"(431[{"ok":true}])", R"(432[{"ok":false,"code":"forbidden"}])",
                                R"(433[{"ok":false,"code":"auth_missing"}])"));
  EXPECT_TRUE(is_alive(p));
  update("1", progress(10));
  run();
  EXPECT_THAT(p.seqs(), ElementsAre(2, 3)) << "it kept its rooms";
  advance(15s);
  EXPECT_FALSE(is_alive(p));
}

TEST_F(connection_test, slow_consumer_is_closed_and_nobody_waits_for_it) {
  start_job("1");
  auto slow = connected();
  auto other = connected();
  for (const auto& p : {slow, other})
    say(p, R"(42["join_job",{"job_id":"1"}])");
  run();
  slow.port->queued = 100'001;
  update("1", progress(10));
  run();
  EXPECT_EQ(slow.port->closed, 1013);
  EXPECT_FALSE(is_alive(slow));
  EXPECT_EQ(counters.disconnects("slow consumer").Value(), 1);
  update("1", progress(20));
  run();
  EXPECT_THAT(other.seqs(), ElementsAre(2, 3, 4));
  EXPECT_EQ(subscriptions(), 1U);
}

TEST_F(connection_test, released_connection_is_let_go) {
  start_job("1");
  auto p = connected();
  say(p, R"(42["join_job",{"job_id":"1"}])");
  run();
  caf::anon_send(p.actor, release{});
  run();
  EXPECT_TRUE(p.port->closed);
  EXPECT_FALSE(is_alive(p));
  EXPECT_EQ(subscriptions(), 0U);
}

TEST_F(connection_test, broken_packet_ends_this_connection_only) {
  auto p = connected();
  auto other = connected();
  say(p, "42[");
  run();
  EXPECT_TRUE(p.port->closed);
  EXPECT_FALSE(is_alive(p));
  EXPECT_TRUE(is_alive(other));
}

// -- polling ------------------------------------------------------------------------------------------------------

TEST_F(connection_test, poller_gets_what_a_websocket_would) {
  start_job("1");
  auto actor = open(engineio::transport::polling);
  auto poll = [&] {
    auto port = std::make_shared<recording_http>();
    caf::anon_send(actor, poll_arrived{port});
    run();
    return port;
  };
  auto post = [&](std::string body) {
    auto port = std::make_shared<recording_http>();
    caf::anon_send(actor, post_arrived{port, std::move(body), false});
    run();
    return port;
  };
  auto opened = poll();
  ASSERT_TRUE(opened->answered);
  EXPECT_THAT(opened->answered->body, StartsWith("0{"));
  auto held = poll();
  EXPECT_FALSE(held->answered);
  auto posted = post(R"(40{"token":")" + token() + "\"}");
  EXPECT_EQ(posted->answered->body, "ok");
  EXPECT_THAT(held->answered->body, HasSubstr("connected"));
  auto waiting = poll();
  post(R"(42["join_job",{"job_id":"1"}])");
  ASSERT_TRUE(waiting->answered);
  EXPECT_THAT(waiting->answered->body, HasSubstr("job_status"));
  update("1", progress(10));
  run();
  auto next = poll();
  ASSERT_TRUE(next->answered);
  EXPECT_THAT(next->answered->body, HasSubstr(R"("seq":3)"));
}

TEST_F(connection_test, poller_that_never_comes_back_is_forgotten) {
  auto actor = open(engineio::transport::polling);
  caf::anon_send(actor, poll_arrived{std::make_shared<recording_http>()});
  run();
  actor = nullptr;
  EXPECT_THAT(*around.sessions, SizeIs(1));
  advance(90s);
  EXPECT_THAT(*around.sessions, IsEmpty());
}

} // namespace

} // namespace headway::test
