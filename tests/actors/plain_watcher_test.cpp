#include "actors/plain_watcher.hpp"

#include "tests/actors/actor_test.hpp"
#include "tests/actors/ports.hpp"

namespace headway::test {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view secret = "a secret of thirty-two bytes, no less";

// PLAIN WATCHER  a peer that speaks JSON on a WebSocket, from its token to its end.
class plain_watcher_test : public actor_test {
protected:
  struct peer {
    connection_actor actor;
    std::shared_ptr<recording_websocket> port;

    std::vector<json> messages() const {
      std::vector<json> all;
      for (const auto& text : port->texts)
        all.push_back(json::parse(text));
      return all;
    }
    json last() const { return port->texts.empty() ? json{} : json::parse(port->texts.back()); }
    std::vector<std::string> types() const {
      std::vector<std::string> all;
      for (const auto& message : messages())
        all.push_back(message["type"].get<std::string>());
      return all;
    }
    /// Of the errors, in order.
    std::vector<std::string> codes() const {
      std::vector<std::string> all;
      for (const auto& message : messages())
        if (message["type"] == "error")
          all.push_back(message["code"].get<std::string>());
      return all;
    }
    std::vector<std::uint64_t> seqs() const {
      std::vector<std::uint64_t> all;
      for (const auto& message : messages())
        if (message.contains("seq"))
          all.push_back(message["seq"].get<std::uint64_t>());
      return all;
    }
  };

  plain_watcher_test() { jobs.throttle.min_interval_ms = 0; }

  void SetUp() override {
    actor_test::SetUp();
    watching.jwt.secret = secret;
    watching.wall_clock = jobs.wall_clock;
    watching.queue_bytes_max = 100'000;
    connections = std::make_shared<connection_table>();
  }

  void TearDown() override {
    for (const auto& [address, actor] : connection_table{*connections})
      caf::anon_send(actor, release{});
    run();
    EXPECT_THAT(*connections, IsEmpty());
    EXPECT_EQ(counters.connections_plain.Value(), 0);
    EXPECT_EQ(counters.subscriptions.Value(), 0);
    EXPECT_EQ(counters.rooms.Value(), 0);
    actor_test::TearDown();
  }

  std::string auth(const std::string& who = "u1", std::int64_t lives_s = 3600) const {
    auto token = sign_jwt(json{{"sub", who}, {"exp", wall / 1000 + lives_s}}, secret);
    return json{{"type", "auth"}, {"token", token}}.dump();
  }
  static std::string to_join(const std::string& job) { return R"({"type":"join","room":"job:)" + job + R"("})"; }
  static std::string to_join(const std::string& job, std::uint64_t after) {
    return R"({"type":"join","room":"job:)" + job + R"(","after":)" + std::to_string(after) + "}";
  }
  static std::string to_leave(const std::string& job) { return R"({"type":"leave","room":"job:)" + job + R"("})"; }

  /// An open WebSocket that has not said a word.
  peer dial() {
    watch_surroundings around;
    around.options = std::make_shared<const watch_options>(watching);
    around.namespaces = namespaces;
    around.directory = shards;
    around.lane = lanes[0];
    around.connections = connections;
    around.counters = &counters;
    peer p{open_plain(sys, options, around, {}), std::make_shared<recording_websocket>()};
    caf::anon_send(p.actor, websocket_opened{p.port, false});
    run();
    return p;
  }
  std::shared_ptr<bool> say(const peer& p, std::string text, bool is_binary = false) {
    auto taken = std::make_shared<bool>(false);
    caf::anon_send(p.actor, frame_arrived{p.port, std::move(text), is_binary, [taken] { *taken = true; }});
    return taken;
  }
  /// One with a token; what was said until then is forgotten.
  peer known(const std::string& who = "u1", std::int64_t lives_s = 3600) {
    auto p = dial();
    say(p, auth(who, lives_s));
    run();
    EXPECT_EQ(p.last()["type"], "authenticated");
    p.port->texts.clear();
    return p;
  }
  peer watching_job(const std::string& job) {
    auto p = known();
    say(p, to_join(job));
    run();
    return p;
  }
  void tick(const std::string& job, double value) {
    update(job, progress(value));
    run();
  }
  bool is_alive(const peer& p) const { return connections->contains(p.actor.address()); }
  double ended_by(const std::string& reason) { return counters.disconnects(reason).Value(); }

  watch_options watching;
  plain_options options;
  connection_table_ptr connections;
};

// -- the token ----------------------------------------------------------------------------------------------------

TEST_F(plain_watcher_test, token_is_answered_with_who_one_is) {
  auto p = dial();
  EXPECT_THAT(p.port->texts, IsEmpty()) << "the client speaks first";
  auto taken = say(p, auth());
  run();
  EXPECT_TRUE(*taken);
  EXPECT_THAT(p.types(), ElementsAre("authenticated"));
  EXPECT_EQ(p.last()["user_id"], "u1");
  EXPECT_TRUE(p.last()["expires_at"].is_string());
}

TEST_F(plain_watcher_test, wrong_token_is_an_error_and_another_may_be_tried) {
  auto p = dial();
  say(p, R"({"type":"auth","token":"x.y.z"})");
  say(p, R"({"type":"auth","token":""})");
  say(p, auth("u1", -1));
  say(p, auth());
  run();
  EXPECT_THAT(p.types(), ElementsAre("error", "error", "error", "authenticated"));
  EXPECT_THAT(p.codes(), ElementsAre("auth_invalid", "auth_missing", "auth_expired"));
  EXPECT_FALSE(p.port->closed);
  EXPECT_EQ(counters.auth_failures.Value(), 3);
}

TEST_F(plain_watcher_test, nothing_is_joined_or_left_without_a_token) {
  start_job("1");
  auto p = dial();
  say(p, to_join("1"));
  say(p, to_leave("1"));
  run();
  EXPECT_THAT(p.codes(), ElementsAre("auth_missing", "auth_missing"));
  EXPECT_EQ(p.last()["room"], "job:1");
  EXPECT_EQ(counters.subscriptions.Value(), 0);
  EXPECT_FALSE(p.port->closed);
}

TEST_F(plain_watcher_test, who_brings_no_token_in_time_is_told_so_and_closed) {
  auto p = dial();
  advance(9'999ms);
  say(p, R"({"type":"ping"})"); // does not help
  run();
  EXPECT_FALSE(p.port->closed);
  advance(1ms);
  EXPECT_THAT(p.types(), ElementsAre("pong", "error"));
  EXPECT_EQ(p.last()["code"], "auth_missing");
  EXPECT_EQ(p.port->closed, 1008);
  EXPECT_FALSE(is_alive(p));
}

TEST_F(plain_watcher_test, refused_by_the_limit_of_its_user_is_an_error) {
  watching.admit_user = [](std::string_view) -> result<std::shared_ptr<void>> { return errc::rate_limited; };
  auto p = dial();
  say(p, auth());
  say(p, to_join("1"));
  run();
  EXPECT_THAT(p.codes(), ElementsAre("rate_limited", "auth_missing"));
}

TEST_F(plain_watcher_test, token_that_expires_is_told_and_closes) {
  start_job("1");
  auto p = known("u1", 5);
  say(p, to_join("1"));
  auto expires = wall - wall % 1000 + 5000;
  advance(std::chrono::milliseconds{expires - wall - 1});
  EXPECT_THAT(p.types(), ElementsAre("state"));
  advance(1ms);
  EXPECT_THAT(p.types(), ElementsAre("state", "error"));
  EXPECT_EQ(p.last()["code"], "auth_expired");
  EXPECT_EQ(p.port->closed, 1008);
  EXPECT_FALSE(is_alive(p));
  EXPECT_EQ(ended_by("token expired"), 1);
}

TEST_F(plain_watcher_test, clock_that_was_set_forward_expires_the_token_by_the_hour) {
  options.ping_interval = std::chrono::hours{1};
  auto p = known("u1", 86'400 * 2);
  wall += 86'400'000 * 3;
  advance(2ms);
  EXPECT_FALSE(p.port->closed) << "nobody looks yet";
  say(p, R"({"type":"ping"})");
  run();
  sched.advance_time(std::chrono::hours{1});
  run();
  EXPECT_EQ(p.last()["code"], "auth_expired");
}

TEST_F(plain_watcher_test, second_token_of_the_same_user_extends_and_another_users_is_forbidden) {
  auto p = known("u1", 5);
  say(p, auth("u2", 3600));
  run();
  EXPECT_THAT(p.codes(), ElementsAre("forbidden"));
  say(p, auth("u1", 20));
  run();
  EXPECT_EQ(p.last()["type"], "authenticated");
  advance(6s);
  EXPECT_FALSE(p.port->closed);
  advance(15s);
  EXPECT_EQ(p.last()["code"], "auth_expired");
  EXPECT_EQ(p.port->closed, 1008);
}

TEST_F(plain_watcher_test, renewal_keeps_the_rooms) {
  start_job("1");
  auto p = watching_job("1");
  say(p, auth());
  run();
  tick("1", 10);
  EXPECT_THAT(p.types(), ElementsAre("state", "authenticated", "progress"));
}

// -- requests -----------------------------------------------------------------------------------------------------

TEST_F(plain_watcher_test, join_is_answered_by_the_state_and_every_event_follows_once) {
  start_job("1");
  auto p = watching_job("1");
  ASSERT_THAT(p.types(), ElementsAre("state"));
  EXPECT_EQ(p.last()["room"], "job:1");
  EXPECT_EQ(p.last()["position"], 2);
  EXPECT_EQ(p.last()["job"]["status"], "running");
  EXPECT_EQ(p.last()["job"]["seq"], 2);
  EXPECT_FALSE(p.last().contains("reset"));
  for (int i = 1; i <= 5; ++i)
    tick("1", i);
  update("1", said(job_verb::output));
  update("1", said(job_verb::complete));
  run();
  EXPECT_THAT(p.seqs(), ElementsAre(3, 4, 5, 6, 7, 8, 9));
  EXPECT_EQ(p.messages()[6]["type"], "output");
  EXPECT_EQ(p.messages()[6]["chunk"], "text\n");
  EXPECT_EQ(p.last()["type"], "completed");
  EXPECT_EQ(p.last()["status"], "completed");
}

TEST_F(plain_watcher_test, chunk_says_its_type_beside_that_of_the_message) {
  start_job("1");
  auto p = watching_job("1");
  auto chunk = said(job_verb::output);
  chunk.chunk_type = "stderr";
  update("1", chunk);
  run();
  EXPECT_EQ(p.last()["type"], "output");
  EXPECT_EQ(p.last()["chunk_type"], "stderr");
}

TEST_F(plain_watcher_test, job_of_another_and_unknown_job_are_the_same_error) {
  start_job("1", "u2");
  auto p = known();
  say(p, to_join("1"));
  say(p, to_join("2"));
  run();
  ASSERT_THAT(p.codes(), ElementsAre("not_found", "not_found"));
  auto first = p.messages()[0];
  auto second = p.messages()[1];
  EXPECT_EQ(first["room"], "job:1");
  EXPECT_EQ(first["message"], second["message"]);
}

TEST_F(plain_watcher_test, leave_is_answered_behind_the_last_event) {
  start_job("1");
  auto p = watching_job("1");
  update("1", progress(10));
  say(p, to_leave("1"));
  run();
  tick("1", 20);
  auto types = p.types();
  ASSERT_FALSE(types.empty());
  EXPECT_EQ(types.back(), "left");
  EXPECT_EQ(p.last()["room"], "job:1");
  EXPECT_EQ(counters.subscriptions.Value(), 0);
}

TEST_F(plain_watcher_test, leave_of_a_room_it_is_not_in_is_answered_the_same) {
  auto p = known();
  say(p, to_leave("9"));
  run();
  EXPECT_THAT(p.types(), ElementsAre("left"));
  EXPECT_EQ(p.last()["room"], "job:9");
}

TEST_F(plain_watcher_test, requests_are_handled_one_at_a_time_in_order) {
  start_job("1");
  start_job("2");
  auto p = known();
  for (const auto& request : {to_join("1"), to_leave("1"), to_join("1"), to_leave("1"), to_join("2")})
    say(p, request);
  run();
  EXPECT_THAT(p.types(), ElementsAre("state", "left", "state", "left", "state"));
  EXPECT_EQ(counters.subscriptions.Value(), 1);
}

TEST_F(plain_watcher_test, ping_is_answered_by_the_servers_time) {
  auto p = known();
  say(p, R"({"type":"ping"})");
  run();
  EXPECT_THAT(p.types(), ElementsAre("pong"));
  EXPECT_TRUE(p.last()["time"].is_string());
}

TEST_F(plain_watcher_test, mistakes_are_answered_and_forgiven) {
  auto p = known();
  for (const auto* text : {"", "{", "[]", "42", "{}", R"({"type":"dance"})", R"({"type":"join"})",
                           R"({"type":"join","room":"job:"})", R"({"type":"join","room":"job:1","after":-1})"})
    say(p, text);
  run();
  EXPECT_THAT(p.codes(), SizeIs(9));
  EXPECT_FALSE(p.port->closed);
  EXPECT_TRUE(is_alive(p));
}

TEST_F(plain_watcher_test, binary_frame_closes) {
  auto p = known();
  say(p, R"({"type":"ping"})", true);
  run();
  EXPECT_EQ(p.port->closed, 1003);
  EXPECT_FALSE(is_alive(p));
}

TEST_F(plain_watcher_test, connection_that_says_too_much_is_warned_three_times_and_closed) {
  watching.events_burst = 10;
  auto p = known();
  for (int i = 0; i < 9; ++i) // the token was one
    say(p, R"({"type":"ping"})");
  run();
  EXPECT_THAT(p.codes(), IsEmpty());
  p.port->texts.clear();
  for (int i = 0; i < 3; ++i)
    say(p, R"({"type":"ping"})");
  run();
  EXPECT_THAT(p.types(), ElementsAre("error", "error", "error"));
  EXPECT_FALSE(p.port->closed);
  say(p, R"({"type":"ping"})");
  run();
  EXPECT_THAT(p.codes(), ElementsAre("rate_limited", "rate_limited", "rate_limited", "rate_limited"));
  EXPECT_EQ(p.port->closed, 1008);
  EXPECT_FALSE(is_alive(p));
}

TEST_F(plain_watcher_test, room_beyond_the_limit_is_refused_until_one_is_left) {
  watching.events_per_second = 0;
  auto p = known();
  for (int i = 1; i <= 129; ++i) {
    create(std::to_string(i));
    run();
    say(p, to_join(std::to_string(i)));
    run();
  }
  EXPECT_THAT(p.codes(), ElementsAre("too_many_subscriptions"));
  EXPECT_EQ(p.last()["room"], "job:129");
  EXPECT_EQ(counters.subscriptions.Value(), 128);
  say(p, to_join("128"));
  run();
  EXPECT_EQ(p.last()["type"], "state") << "joining again is no second room";
  say(p, to_leave("1"));
  say(p, to_join("129"));
  run();
  EXPECT_EQ(p.last()["room"], "job:129");
  EXPECT_EQ(p.last()["type"], "state");
}

TEST_F(plain_watcher_test, join_by_position_goes_on_from_there) {
  start_job("1");
  auto first = watching_job("1");
  tick("1", 10);
  tick("1", 20);
  auto seen = first.messages()[1]["position"].get<std::uint64_t>();
  auto second = known();
  say(second, to_join("1", seen));
  run();
  tick("1", 30);
  EXPECT_THAT(second.types(), ElementsAre("resumed", "progress", "progress"));
  EXPECT_EQ(second.messages()[0]["position"], seen);
  EXPECT_EQ(second.messages()[0]["room"], "job:1");
  EXPECT_THAT(second.seqs(), ElementsAre(4, 5));
}

// -- heartbeat ----------------------------------------------------------------------------------------------------

TEST_F(plain_watcher_test, peer_that_answers_no_ping_is_cut) {
  auto p = known();
  advance(24'999ms);
  EXPECT_EQ(p.port->pings, 0);
  advance(1ms);
  EXPECT_EQ(p.port->pings, 1);
  advance(19'999ms);
  EXPECT_FALSE(p.port->closed);
  advance(1ms);
  EXPECT_EQ(p.port->closed, 0);
  EXPECT_FALSE(is_alive(p));
  EXPECT_EQ(ended_by("ping timeout"), 1);
}

TEST_F(plain_watcher_test, pong_or_any_frame_keeps_it) {
  auto p = known();
  advance(25s);
  ASSERT_EQ(p.port->pings, 1);
  advance(19s);
  caf::anon_send(p.actor, pong_arrived{p.port});
  run();
  advance(25s);
  ASSERT_EQ(p.port->pings, 2);
  advance(19s);
  say(p, R"({"type":"ping"})");
  run();
  advance(24s);
  EXPECT_EQ(p.port->pings, 2);
  EXPECT_FALSE(p.port->closed);
  advance(1s);
  EXPECT_EQ(p.port->pings, 3);
}

// -- the end ------------------------------------------------------------------------------------------------------

TEST_F(plain_watcher_test, slow_consumer_is_closed_and_nobody_waits_for_it) {
  start_job("1");
  auto slow = watching_job("1");
  auto other = watching_job("1");
  slow.port->queued = 100'001;
  tick("1", 10);
  EXPECT_EQ(slow.port->closed, 1013);
  EXPECT_FALSE(is_alive(slow));
  EXPECT_EQ(ended_by("slow consumer"), 1);
  EXPECT_EQ(counters.limit_exceeded("queue.bytes_max").Value(), 1);
  tick("1", 20);
  EXPECT_THAT(other.seqs(), ElementsAre(3, 4));
}

TEST_F(plain_watcher_test, release_closes_and_the_actor_ends) {
  start_job("1");
  auto p = watching_job("1");
  caf::anon_send(p.actor, release{});
  run();
  EXPECT_EQ(p.port->closed, 1001);
  EXPECT_FALSE(is_alive(p));
  EXPECT_EQ(counters.subscriptions.Value(), 0);
  auto texts = p.port->texts.size();
  tick("1", 10);
  EXPECT_EQ(p.port->texts.size(), texts);
}

TEST_F(plain_watcher_test, connection_that_ends_while_it_joins_leaves_nothing_behind) {
  start_job("1");
  for (std::size_t steps = 0; steps < 20; ++steps) {
    auto p = known();
    say(p, to_join("1", 1));
    for (std::size_t i = 0; i < steps && sched.has_job(); ++i)
      sched.run_once();
    caf::anon_send(p.actor, websocket_ended{p.port, engineio::close_reason::transport_error});
    run();
    EXPECT_FALSE(is_alive(p)) << "after " << steps << " steps";
    EXPECT_EQ(counters.subscriptions.Value(), 0) << "after " << steps << " steps";
    EXPECT_EQ(counters.rooms.Value(), 0) << "after " << steps << " steps";
  }
}

TEST_F(plain_watcher_test, what_another_socket_says_is_not_its_own) {
  auto p = known();
  auto other = std::make_shared<recording_websocket>();
  caf::anon_send(p.actor, websocket_ended{other, engineio::close_reason::transport_close});
  caf::anon_send(p.actor, frame_arrived{other, R"({"type":"ping"})", false, [] {}});
  run();
  EXPECT_TRUE(is_alive(p));
  EXPECT_THAT(p.port->texts, IsEmpty());
}

} // namespace

} // namespace headway::test
