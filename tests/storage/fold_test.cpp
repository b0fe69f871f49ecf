#include "storage/fold.hpp"

#include "tests/storage/sample.hpp"

#include <gtest/gtest.h>

namespace headway::test {

namespace {

TEST(fold, a_row_is_guarded_by_the_first_expected_seq_and_holds_the_last_state) {
  sample_job job{"a"};
  job.create();
  auto batch = writes{job.progress(1), job.progress(2), job.progress(3)};
  auto folded = fold(batch, {{"a", {1, 10}}}, 50);
  ASSERT_EQ(folded.rows.size(), 1U);
  EXPECT_EQ(folded.rows[0].expected_seq, 1U);
  EXPECT_EQ(folded.rows[0].after, &batch[2].after);
  EXPECT_EQ(folded.rows[0].position, 54U);
  EXPECT_EQ(folded.head_after(), 54U);
  set_positions(folded);
  EXPECT_EQ(batch[0].events[0]->position, 51U);
  EXPECT_EQ(batch[2].events[0]->position, 54U);
}

TEST(fold, a_break_in_the_middle_keeps_what_came_before) {
  sample_job job{"a"};
  auto first = job.create();
  job.progress(1); // not in the batch
  auto batch = writes{std::move(first), job.progress(2), job.progress(3)};
  auto folded = fold(batch, {}, 0);
  EXPECT_EQ(folded.results[0].error, errc{});
  EXPECT_EQ(folded.results[1].error, errc::stale_seq);
  EXPECT_EQ(folded.results[2].error, errc::stale_seq);
  ASSERT_EQ(folded.rows.size(), 1U);
  EXPECT_EQ(folded.rows[0].after, &batch[0].after);
  EXPECT_EQ(folded.rows[0].expected_seq, 0U);
  EXPECT_EQ(folded.head_after(), 1U);
}

TEST(fold, positions_follow_the_order_of_the_batch_over_all_jobs) {
  sample_job a{"a"};
  sample_job b{"b"};
  auto batch = writes{a.create(), b.create(), a.progress(1), b.heartbeat(), b.progress(1)};
  auto folded = fold(batch, {}, 7);
  set_positions(folded);
  EXPECT_EQ(folded.results[0].position, 8U);
  EXPECT_EQ(folded.results[1].position, 9U);
  EXPECT_EQ(folded.results[2].position, 11U);
  EXPECT_EQ(batch[4].events.back()->position, folded.head_after());
  EXPECT_EQ(jobs_of(batch), (std::vector<std::string_view>{"a", "b"}));
}

TEST(fold, a_write_without_events_stands_where_its_row_stands) {
  sample_job job{"a"};
  job.create();
  job.progress(1);
  auto batch = writes{job.heartbeat()};
  auto folded = fold(batch, {{"a", {3, 33}}}, 50);
  EXPECT_EQ(folded.results[0].position, 33U);
  EXPECT_EQ(folded.rows[0].position, 33U);
  EXPECT_EQ(folded.head_after(), 50U);
}

} // namespace

} // namespace headway::test
