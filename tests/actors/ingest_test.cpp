#include "tests/actors/actor_test.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

namespace headway::test {

namespace {

using testing::ElementsAre;

// INGEST  a C++ service in the same process, which has nothing but CAF messages.
class ingest_test : public actor_test {
protected:
  template <class T>
  T through_the_network(const T& message) {
    caf::binary_serializer::container_type bytes;
    caf::binary_serializer out{sys, bytes};
    EXPECT_EQ(out(message), caf::none);
    caf::binary_deserializer in{sys, bytes};
    T copy;
    EXPECT_EQ(in(copy), caf::none);
    return copy;
  }
};

/// Reports a job from beginning to end and keeps what it was answered.
caf::behavior service(caf::event_based_actor* self, directory_shards_ptr shards, bool by_find_job,
                      std::shared_ptr<std::vector<job_ack>> acks) {
  auto keep = [acks](const job_ack& ack) { acks->push_back(ack); };
  auto report = [self, keep](const auto& to, job_verb verb) {
    auto what = said(verb);
    if (verb == job_verb::progress)
      what.progress = 50;
    self->request(to, caf::infinite, update_job{"a-1", std::move(what)}).then(keep);
  };
  const auto& shard = shards->of("a-1");
  create_job creation;
  creation.info.id = "a-1";
  creation.info.user_id = "u1";
  self->request(shard, caf::infinite, creation).then(keep);
  if (by_find_job)
    self->request(shard, caf::infinite, find_job{"a-1"}).then([report](const job_found& found) {
      report(found.job, job_verb::progress);
      report(found.job, job_verb::complete);
    });
  else {
    report(shard, job_verb::progress);
    report(shard, job_verb::complete);
  }
  return {};
}

TEST_F(ingest_test, whole_job_is_reported_by_messages_to_its_shard) {
  auto acks = std::make_shared<std::vector<job_ack>>();
  sys.spawn(service, shards, false, acks);
  run();
  ASSERT_EQ(acks->size(), 3U);
  EXPECT_THAT((std::vector{(*acks)[0].seq, (*acks)[1].seq, (*acks)[2].seq}), ElementsAre(1, 3, 4));
  EXPECT_EQ(acks->back().position, 4U);
  EXPECT_EQ(stored("a-1").view.status, job_status::completed);
}

TEST_F(ingest_test, whole_job_is_reported_by_messages_to_its_actor) {
  auto acks = std::make_shared<std::vector<job_ack>>();
  sys.spawn(service, shards, true, acks);
  run();
  ASSERT_EQ(acks->size(), 3U);
  EXPECT_THAT((std::vector{(*acks)[0].seq, (*acks)[1].seq, (*acks)[2].seq}), ElementsAre(1, 3, 4));
  EXPECT_EQ(stored("a-1").view.progress, 100);
}

TEST_F(ingest_test, full_creation_survives_the_network) {
  create_job sent;
  sent.info = {"42", true, "u1", "p1", "b1", "render", R"(["a","b"])", R"({"k":1})", throttle_policy{250, 1.5}, 1234};
  auto got = through_the_network(sent).info;
  EXPECT_EQ(got.id, "42");
  EXPECT_TRUE(got.id_is_number);
  EXPECT_EQ(got.user_id, "u1");
  EXPECT_EQ(got.project_id, "p1");
  EXPECT_EQ(got.batch_id, "b1");
  EXPECT_EQ(got.type, "render");
  EXPECT_EQ(got.tags, R"(["a","b"])");
  EXPECT_EQ(got.metadata, R"({"k":1})");
  EXPECT_EQ(got.throttle, (throttle_policy{250, 1.5}));
  EXPECT_EQ(got.created_at, 1234);
}

TEST_F(ingest_test, bare_creation_survives_the_network) {
  auto got = through_the_network(create_job{}).info;
  EXPECT_EQ(got.id, "");
  EXPECT_FALSE(got.id_is_number);
  EXPECT_FALSE(got.throttle);
}

TEST_F(ingest_test, full_update_survives_the_network) {
  update_job sent{"42", {}, true};
  sent.update = {job_verb::fail, 12.5,    "message", "stage", R"({"r":1})", job_error{"text", "code", false},
                 "chunk",        "stderr"};
  auto got = through_the_network(sent);
  EXPECT_EQ(got.job_id, "42");
  EXPECT_TRUE(got.wait_durable);
  EXPECT_EQ(got.update.verb, job_verb::fail);
  EXPECT_EQ(got.update.progress, 12.5);
  EXPECT_EQ(got.update.message, "message");
  EXPECT_EQ(got.update.stage, "stage");
  EXPECT_EQ(got.update.result, R"({"r":1})");
  EXPECT_EQ(got.update.error, (job_error{"text", "code", false}));
  EXPECT_EQ(got.update.chunk, "chunk");
  EXPECT_EQ(got.update.chunk_type, "stderr");
}

TEST_F(ingest_test, bare_update_survives_the_network) {
  update_job sent{"1", {}, false};
  sent.update.error = job_error{};
  auto got = through_the_network(sent);
  EXPECT_FALSE(got.update.progress);
  EXPECT_FALSE(got.update.message);
  EXPECT_FALSE(got.update.stage);
  ASSERT_TRUE(got.update.error);
  EXPECT_FALSE(got.update.error->retryable);
  sent.update.error.reset();
  EXPECT_FALSE(through_the_network(sent).update.error);
}

TEST_F(ingest_test, acknowledgement_survives_the_network) {
  auto got = through_the_network(job_ack{"7", true, 1ULL << 60U, 9, true});
  EXPECT_EQ(got.job_id, "7");
  EXPECT_TRUE(got.id_is_number);
  EXPECT_EQ(got.seq, 1ULL << 60U);
  EXPECT_EQ(got.position, 9U);
  EXPECT_TRUE(got.held);
}

TEST_F(ingest_test, message_survives_with_its_type) {
  caf::message sent = caf::make_message(update_job{"1", progress(5), true});
  auto got = through_the_network(sent);
  ASSERT_TRUE(got.match_elements<update_job>());
  EXPECT_EQ(got.get_as<update_job>(0).update.progress, 5);
}

} // namespace

} // namespace headway::test
