#include "net/api/api.hpp"

#include "net/protocol/jwt.hpp"
#include "tests/actors/actor_test.hpp"

namespace headway::test {

namespace {

/// Keeps the answer.
class recording_port : public http_port {
public:
  void answer(http_answer&& a) override { given = std::move(a); }
  stream_port_ptr stream(http_answer&&, std::function<void()>) override { return nullptr; }
  int status() const { return given ? given->status : 0; }

  std::optional<http_answer> given;
};

class api_test : public actor_test {
protected:
  void SetUp() override {
    actor_test::SetUp();
    key = make_api_key();
    ASSERT_TRUE(node_b->put_api_key(hash_api_key(key), {"worker", std::string{ingest_scope}, wall}));
    auto around = std::make_shared<api_surroundings>();
    around->directory = shards;
    around->reader = source;
    around->counters = &counters;
    around->wall_clock = jobs.wall_clock;
    around->jwt.secret = std::string(32, 's');
    api = spawn_api(sys, {}, around);
    run();
  }

  void TearDown() override {
    ask<stopped>(api, stop{});
    api = nullptr;
    actor_test::TearDown();
  }

  std::shared_ptr<recording_port> post(std::string path, std::string body) {
    http_request request;
    request.method = "POST";
    request.path = "/api/v1/jobs" + std::move(path);
    request.body = std::move(body);
    request.content_type = "application/json";
    request.authorization = "Bearer " + key;
    auto port = std::make_shared<recording_port>();
    caf::anon_send(api, http_call{std::move(request), port});
    return port;
  }

  std::string key;
  api_actor api;
};

} // namespace

TEST_F(api_test, pipelined_updates_keep_their_order) {
  auto created = post("", R"({"id":"a","user_id":"u1"})");
  auto moved = post("/a/progress", R"({"progress":10})");
  auto completed = post("/a/complete", "");
  run();
  EXPECT_EQ(created->status(), 201);
  EXPECT_EQ(moved->status(), 200);
  EXPECT_EQ(completed->status(), 200);
}

TEST_F(api_test, nothing_overtakes_a_call_whose_key_is_looked_up) {
  start_job("a");
  auto first = post("/a/progress", R"({"progress":10})");
  auto second = post("/a/progress", R"({"progress":20})");
  step(api);
  step(api);    // both want the key
  step(source); // it is found for the first
  step(api);    // and known from here on
  auto last = post("/a/complete", "");
  step(api);
  run();
  EXPECT_EQ(first->status(), 200);
  EXPECT_EQ(second->status(), 202) << "held behind the first, in front of the ending";
  EXPECT_EQ(last->status(), 200);
  EXPECT_EQ(stored("a").view.status, job_status::completed);
}

TEST_F(api_test, a_key_that_is_not_ours_is_refused_and_changes_nothing) {
  key = make_api_key();
  auto answer = post("", R"({"id":"a","user_id":"u1"})");
  run();
  EXPECT_EQ(answer->status(), 401);
  EXPECT_TRUE(published.empty());
}

TEST_F(api_test, without_a_token_nothing_is_asked_of_the_store) {
  key.clear();
  auto loads = faults->loads;
  auto answer = post("", R"({"id":"a","user_id":"u1"})");
  run();
  EXPECT_EQ(answer->status(), 401);
  EXPECT_EQ(faults->loads, loads);
}

} // namespace headway::test
