#include "tests/actors/actor_test.hpp"

namespace headway::test {

namespace {

using testing::ElementsAre;

class storage_test : public actor_test {
protected:
  storage_test() {
    jobs.throttle.min_interval_ms = 0;
    batch_max = 4;
  }
  std::vector<std::uint64_t> published_positions() const {
    std::vector<std::uint64_t> positions;
    for (const auto& what : published)
      for (const auto& event : what->events)
        positions.push_back(event->position);
    return positions;
  }
};

TEST_F(storage_test, what_waits_goes_into_one_commit) {
  std::vector<reply_ptr<job_ack>> made;
  for (int i = 0; i < 3; ++i)
    made.push_back(create(std::to_string(i)));
  run();
  EXPECT_THAT(faults->batches, ElementsAre(3));
  for (const auto& one : made)
    EXPECT_TRUE(one->value);
}

TEST_F(storage_test, what_arrives_while_a_commit_is_due_goes_with_it) {
  create("1");
  run_without(writer);
  step(writer); // has the write, and will commit it behind what waits in the mailbox
  EXPECT_THAT(faults->batches, ElementsAre());
  create("2");
  run();
  EXPECT_THAT(faults->batches, ElementsAre(1, 1)) << "the second came behind";
}

TEST_F(storage_test, commit_takes_no_more_than_its_bound) {
  for (int i = 0; i < 10; ++i)
    create(std::to_string(i));
  run();
  EXPECT_THAT(faults->batches, ElementsAre(4, 4, 2));
}

TEST_F(storage_test, order_of_publishing_is_the_order_of_positions) {
  for (int i = 0; i < 10; ++i) {
    create(std::to_string(i));
    update(std::to_string(i), progress(10));
  }
  run();
  auto positions = published_positions();
  ASSERT_EQ(positions.size(), 30U);
  for (std::size_t i = 0; i < positions.size(); ++i)
    EXPECT_EQ(positions[i], i + 1);
}

TEST_F(storage_test, nothing_is_published_before_its_commit) {
  create("1");
  run_without(writer);
  EXPECT_TRUE(published.empty());
  run();
  EXPECT_THAT(published_positions(), ElementsAre(1));
}

TEST_F(storage_test, failed_commit_publishes_nothing) {
  faults->fail_next = errc::store_unavailable;
  auto lost = create("1");
  run();
  EXPECT_EQ(lost->error, errc::store_unavailable);
  EXPECT_TRUE(published.empty());
  EXPECT_EQ(counters.commit_failures.Value(), 1);
}

TEST_F(storage_test, refused_write_publishes_nothing_and_disturbs_nobody) {
  create_elsewhere("1");
  auto refused = create("1");
  auto made = create("2");
  run();
  EXPECT_EQ(refused->error, errc::job_exists);
  EXPECT_EQ(made->value->position, 2U);
  EXPECT_THAT(published_positions(), ElementsAre(2));
}

TEST_F(storage_test, heartbeat_is_answered_and_publishes_nothing) {
  start_job("1");
  auto commits = published.size();
  auto beat = update("1", said(job_verb::heartbeat));
  run();
  EXPECT_EQ(beat->value->seq, 2U);
  EXPECT_EQ(beat->value->position, 2U);
  EXPECT_EQ(published.size(), commits);
}

TEST_F(storage_test, stop_writes_what_waits) {
  std::vector<reply_ptr<job_ack>> made;
  for (int i = 0; i < 6; ++i)
    made.push_back(create(std::to_string(i)));
  run_without(writer);
  auto done = ask<stopped>(writer, stop{});
  run();
  EXPECT_TRUE(done->value);
  for (const auto& one : made)
    EXPECT_TRUE(one->value);
  EXPECT_EQ(node_b->head().value(), 6U);
}

TEST_F(storage_test, gate_counts_what_waits) {
  create("1");
  create("2");
  run_without(writer);
  EXPECT_EQ(gate->writes.load(), 2U);
  run();
  EXPECT_EQ(gate->writes.load(), 0U);
}

TEST_F(storage_test, reader_says_whether_the_store_is_there) {
  auto there = ask<store_probed>(source, probe_store{});
  run();
  faults->is_down = true;
  auto gone = ask<store_probed>(source, probe_store{});
  run();
  EXPECT_TRUE(there->value->writable);
  EXPECT_FALSE(gone->value->writable);
}

} // namespace

} // namespace headway::test
