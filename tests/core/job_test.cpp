#include "core/job.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace headway {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr epoch_ms t0 = 1'795'230'720'000;

std::shared_ptr<const job_info> some_info() {
  auto info = std::make_shared<job_info>();
  info->id = "42";
  info->user_id = "anna";
  info->created_at = t0;
  return info;
}

job_update update(job_verb verb) {
  job_update u;
  u.verb = verb;
  return u;
}

job_update progress(double value) {
  auto u = update(job_verb::progress);
  u.progress = value;
  return u;
}

job_update increment(double value) {
  auto u = update(job_verb::increment);
  u.progress = value;
  return u;
}

job_update output(std::string chunk) {
  auto u = update(job_verb::output);
  u.chunk = std::move(chunk);
  return u;
}

/// A valid update of each verb.
job_update valid(job_verb verb) {
  switch (verb) {
    case job_verb::progress: return progress(10);
    case job_verb::increment: return increment(10);
    case job_verb::output: return output("text");
    case job_verb::stage: {
      auto u = update(verb);
      u.stage = "loading";
      return u;
    }
    default: return update(verb);
  }
}

job_state new_job() { return create(some_info(), t0).after; }

/// A job that went from queued to `status`.
job_state job_in(job_status status) {
  auto state = new_job();
  switch (status) {
    case job_status::queued: return state;
    case job_status::running: return apply(state, update(job_verb::start), t0 + 1).value().after;
    case job_status::completed: return apply(state, update(job_verb::complete), t0 + 1).value().after;
    case job_status::failed: return apply(state, update(job_verb::fail), t0 + 1).value().after;
    case job_status::cancelled: return apply(state, update(job_verb::cancel), t0 + 1).value().after;
    case job_status::blocked: return apply(state, update(job_verb::block), t0 + 1).value().after;
  }
  return state;
}

std::vector<event_kind> kinds(const job_transition& t) {
  std::vector<event_kind> out;
  for (const auto& event : t.events)
    out.push_back(event.kind);
  return out;
}

/// Applies one update after the other; all must be legal.
job_state after(job_state state, const std::vector<job_update>& updates) {
  for (const auto& u : updates)
    state = apply(state, u, t0 + 5).value().after;
  return state;
}

} // namespace

// --- the state machine as a table

struct transition_row {
  job_status from;
  job_verb verb;
  std::string_view events; ///< "409": refused as ended; "": nothing to tell
  job_status to;
};

class job_transition_table : public testing::TestWithParam<transition_row> {};

TEST_P(job_transition_table, every_status_times_every_verb) {
  const auto& row = GetParam();
  auto before = job_in(row.from);
  auto t = apply(before, valid(row.verb), t0 + 10);
  if (row.events == "409") {
    ASSERT_FALSE(t);
    EXPECT_EQ(t.error(), errc::job_ended);
    return;
  }
  ASSERT_TRUE(t);
  std::string told;
  for (const auto& event : t->events)
    told += (told.empty() ? "" : " ") + std::string{to_string(event.kind)};
  EXPECT_EQ(told, row.events);
  EXPECT_EQ(t->after.view.status, row.to);
  EXPECT_EQ(t->after.seq, before.seq + t->events.size());
  if (!t->events.empty()) {
    EXPECT_EQ(t->events.back().view, t->after.view) << "the last event holds the state after it";
  } else {
    EXPECT_EQ(t->after.view, before.view) << "what is not told does not change";
  }
}

namespace {

using enum job_status;

constexpr transition_row transition_table[] = {
  {queued, job_verb::start, "status", running},
  {queued, job_verb::progress, "status progress", running},
  {queued, job_verb::increment, "status progress", running},
  {queued, job_verb::stage, "status progress", running},
  {queued, job_verb::output, "status output", running},
  {queued, job_verb::complete, "status completed", completed},
  {queued, job_verb::fail, "status failed", failed},
  {queued, job_verb::cancel, "status cancelled", cancelled},
  {queued, job_verb::block, "status blocked", blocked},
  {queued, job_verb::heartbeat, "status", running},

  {running, job_verb::start, "", running},
  {running, job_verb::progress, "progress", running},
  {running, job_verb::increment, "progress", running},
  {running, job_verb::stage, "progress", running},
  {running, job_verb::output, "output", running},
  {running, job_verb::complete, "completed", completed},
  {running, job_verb::fail, "failed", failed},
  {running, job_verb::cancel, "cancelled", cancelled},
  {running, job_verb::block, "blocked", blocked},
  {running, job_verb::heartbeat, "", running},

  {completed, job_verb::start, "409", completed},
  {completed, job_verb::progress, "409", completed},
  {completed, job_verb::increment, "409", completed},
  {completed, job_verb::stage, "409", completed},
  {completed, job_verb::output, "409", completed},
  {completed, job_verb::complete, "", completed},
  {completed, job_verb::fail, "409", completed},
  {completed, job_verb::cancel, "409", completed},
  {completed, job_verb::block, "409", completed},
  {completed, job_verb::heartbeat, "409", completed},

  {failed, job_verb::start, "409", failed},
  {failed, job_verb::progress, "409", failed},
  {failed, job_verb::increment, "409", failed},
  {failed, job_verb::stage, "409", failed},
  {failed, job_verb::output, "409", failed},
  {failed, job_verb::complete, "409", failed},
  {failed, job_verb::fail, "", failed},
  {failed, job_verb::cancel, "409", failed},
  {failed, job_verb::block, "409", failed},
  {failed, job_verb::heartbeat, "409", failed},

  {cancelled, job_verb::start, "409", cancelled},
  {cancelled, job_verb::progress, "409", cancelled},
  {cancelled, job_verb::increment, "409", cancelled},
  {cancelled, job_verb::stage, "409", cancelled},
  {cancelled, job_verb::output, "409", cancelled},
  {cancelled, job_verb::complete, "409", cancelled},
  {cancelled, job_verb::fail, "409", cancelled},
  {cancelled, job_verb::cancel, "", cancelled},
  {cancelled, job_verb::block, "409", cancelled},
  {cancelled, job_verb::heartbeat, "409", cancelled},

  {blocked, job_verb::start, "409", blocked},
  {blocked, job_verb::progress, "409", blocked},
  {blocked, job_verb::increment, "409", blocked},
  {blocked, job_verb::stage, "409", blocked},
  {blocked, job_verb::output, "409", blocked},
  {blocked, job_verb::complete, "409", blocked},
  {blocked, job_verb::fail, "409", blocked},
  {blocked, job_verb::cancel, "409", blocked},
  {blocked, job_verb::block, "", blocked},
  {blocked, job_verb::heartbeat, "409", blocked},
};

} // namespace

INSTANTIATE_TEST_SUITE_P(all, job_transition_table, testing::ValuesIn(transition_table), [](const auto& row) {
  return std::string{to_string(row.param.from)} + "_" + std::string{to_string(row.param.verb)};
});

// --- life of a job

TEST(job_create, is_event_number_one) {
  auto t = create(some_info(), t0);
  ASSERT_THAT(kinds(t), ElementsAre(event_kind::created));
  EXPECT_EQ(t.events[0].seq, 1U);
  EXPECT_EQ(t.events[0].time, t0);
  EXPECT_EQ(t.after.seq, 1U);
  EXPECT_EQ(t.after.view.status, job_status::queued);
  EXPECT_EQ(t.after.view.progress, 0);
  EXPECT_EQ(t.after.view.attempt, 1U);
  EXPECT_EQ(t.after.view.started_at, 0);
}

TEST(job_start, any_update_on_a_queued_job_starts_it_in_the_same_commit) {
  auto u = progress(5);
  u.message = "halfway";
  auto t = apply(new_job(), u, t0 + 7);
  ASSERT_TRUE(t);
  ASSERT_THAT(kinds(*t), ElementsAre(event_kind::status, event_kind::progress));
  EXPECT_EQ(t->events[0].seq, 2U);
  EXPECT_EQ(t->events[1].seq, 3U);
  EXPECT_EQ(t->events[0].view.status, job_status::running);
  EXPECT_EQ(t->events[0].view.progress, 0) << "the start itself moves no bar";
  EXPECT_EQ(t->events[0].view.message, "");
  EXPECT_EQ(t->events[1].view.progress, 5);
  EXPECT_EQ(t->events[1].view.message, "halfway");
  EXPECT_EQ(t->after.view.started_at, t0 + 7);
}

TEST(job_start, keeps_the_time_of_the_first_start) {
  auto state = apply(new_job(), update(job_verb::start), t0 + 1).value().after;
  auto again = update(job_verb::start);
  again.message = "still here";
  auto t = apply(state, again, t0 + 9);
  ASSERT_TRUE(t);
  EXPECT_THAT(kinds(*t), ElementsAre(event_kind::status));
  EXPECT_EQ(t->after.view.started_at, t0 + 1);
  EXPECT_EQ(t->after.view.message, "still here");
}

TEST(job_start, twice_without_news_writes_nothing) {
  auto t = apply(job_in(job_status::running), update(job_verb::start), t0 + 9);
  ASSERT_TRUE(t);
  EXPECT_FALSE(t->changed);
}

TEST(job_progress, is_kept_as_it_was_sent) {
  EXPECT_EQ(after(new_job(), {progress(33)}).view.progress, 33);
  EXPECT_EQ(after(new_job(), {progress(33.33333333333333)}).view.progress, 33.33333333333333);
  EXPECT_EQ(after(new_job(), {progress(0)}).view.progress, 0);
  EXPECT_EQ(after(new_job(), {progress(100)}).view.progress, 100);
}

TEST(job_progress, at_100_is_not_the_ending) {
  EXPECT_EQ(after(new_job(), {progress(100)}).view.status, job_status::running);
}

TEST(job_progress, a_lower_value_keeps_the_bar_and_still_applies_message_and_stage) {
  auto lower = progress(20);
  lower.message = "second stage";
  lower.stage = "upload";
  auto t = apply(after(new_job(), {progress(60)}), lower, t0 + 9);
  ASSERT_TRUE(t);
  EXPECT_THAT(kinds(*t), ElementsAre(event_kind::progress));
  EXPECT_EQ(t->after.view.progress, 60);
  EXPECT_EQ(t->after.view.message, "second stage");
  EXPECT_EQ(t->after.view.stage, "upload");
}

TEST(job_progress, without_a_message_keeps_the_last_one) {
  auto first = progress(10);
  first.message = "loading";
  EXPECT_EQ(after(new_job(), {first, progress(20)}).view.message, "loading");
}

TEST(job_progress, outside_0_to_100_is_out_of_range) {
  for (double wrong : {-1.0, -0.0001, 100.0001, 101.0, 1e300, std::numeric_limits<double>::infinity(),
                       -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    for (const auto& u : {progress(wrong), increment(wrong)}) {
      auto t = apply(new_job(), u, t0);
      ASSERT_FALSE(t) << wrong;
      EXPECT_EQ(t.error(), errc::out_of_range) << wrong;
    }
  }
}

TEST(job_progress, minus_zero_is_zero) { EXPECT_FALSE(std::signbit(after(new_job(), {progress(-0.0)}).view.progress)); }

TEST(job_increment, adds_and_caps_at_100) {
  EXPECT_EQ(after(new_job(), {increment(30), increment(30)}).view.progress, 60);
  EXPECT_EQ(after(new_job(), {progress(95), increment(10)}).view.progress, 100);
  EXPECT_EQ(after(new_job(), {progress(95), increment(10), increment(10)}).view.progress, 100);
}

TEST(job_increment, leaves_no_decimal_dust) {
  EXPECT_EQ(after(new_job(), {increment(0.1), increment(0.2)}).view.progress, 0.3);
  auto state = new_job();
  for (int i = 0; i < 1000; ++i)
    state = apply(state, increment(0.1), t0).value().after;
  EXPECT_EQ(state.view.progress, 100);
}

TEST(job_increment, never_lowers_a_bar_with_many_decimals) {
  auto state = after(new_job(), {progress(33.333333333333336)});
  EXPECT_GE(apply(state, increment(0), t0).value().after.view.progress, state.view.progress);
}

TEST(job_stage, moves_the_bar_only_upwards) {
  auto u = valid(job_verb::stage);
  u.progress = 40;
  auto state = after(new_job(), {u});
  EXPECT_EQ(state.view.progress, 40);
  EXPECT_EQ(state.view.stage, "loading");
  u.progress = 10;
  u.stage = "saving";
  state = after(state, {u});
  EXPECT_EQ(state.view.progress, 40);
  EXPECT_EQ(state.view.stage, "saving");
}

TEST(job_output, counts_its_bytes) {
  auto first = apply(new_job(), output("hello "), t0).value();
  auto second = apply(first.after, output("world"), t0).value();
  EXPECT_EQ(first.events.back().chunk_offset, 0U);
  EXPECT_EQ(second.events.back().chunk_offset, 6U);
  EXPECT_EQ(second.events.back().chunk, "world");
  EXPECT_EQ(second.after.output_bytes, 11U);
}

TEST(job_fields, a_verb_without_its_value_is_an_invalid_field) {
  for (auto verb : {job_verb::progress, job_verb::increment, job_verb::stage, job_verb::output}) {
    auto t = apply(new_job(), update(verb), t0);
    ASSERT_FALSE(t) << to_string(verb);
    EXPECT_EQ(t.error(), errc::invalid_field) << to_string(verb);
  }
}

TEST(job_heartbeat, tells_nothing_but_is_remembered) {
  auto t = apply(job_in(job_status::running), update(job_verb::heartbeat), t0 + 99);
  ASSERT_TRUE(t);
  EXPECT_THAT(t->events, IsEmpty());
  EXPECT_TRUE(t->changed);
  EXPECT_EQ(t->after.updated_at, t0 + 99);
}

TEST(job_heartbeat, changes_nothing_that_watchers_see) {
  auto before = job_in(job_status::running);
  auto u = update(job_verb::heartbeat);
  u.message = "a message nobody would be told of";
  u.stage = "nor this";
  EXPECT_EQ(apply(before, u, t0 + 99).value().after.view, before.view);
}

// --- endings

TEST(job_ending, completion_is_100_and_holds_the_result) {
  auto u = update(job_verb::complete);
  u.result = R"({"rows":7})";
  u.message = "done";
  auto t = apply(after(new_job(), {progress(40)}), u, t0 + 50);
  ASSERT_TRUE(t);
  EXPECT_EQ(t->after.view.progress, 100);
  EXPECT_EQ(t->after.view.result, R"({"rows":7})");
  EXPECT_EQ(t->after.view.message, "done");
  EXPECT_EQ(t->after.view.ended_at, t0 + 50);
  EXPECT_FALSE(t->after.view.error);
}

TEST(job_ending, a_failure_freezes_the_bar) {
  for (auto verb : {job_verb::fail, job_verb::cancel, job_verb::block}) {
    auto u = update(verb);
    u.progress = 90;
    EXPECT_EQ(after(new_job(), {progress(40), u}).view.progress, 40) << to_string(verb);
  }
}

TEST(job_ending, a_failure_says_why) {
  auto u = update(job_verb::fail);
  u.error = job_error{"disk full", "ENOSPC", true};
  auto state = after(new_job(), {u});
  EXPECT_EQ(state.view.error, u.error);
}

TEST(job_ending, a_failure_without_a_reason_is_still_a_failure) {
  EXPECT_TRUE(after(new_job(), {update(job_verb::fail)}).view.error);
  EXPECT_TRUE(after(new_job(), {update(job_verb::block)}).view.error);
  EXPECT_FALSE(after(new_job(), {update(job_verb::cancel)}).view.error);
}

TEST(job_ending, the_same_ending_twice_changes_nothing) {
  for (auto verb : {job_verb::complete, job_verb::fail, job_verb::cancel, job_verb::block}) {
    auto once = after(new_job(), {update(verb)});
    auto again = update(verb);
    again.message = "once more";
    again.result = "1";
    auto t = apply(once, again, t0 + 99);
    ASSERT_TRUE(t) << to_string(verb);
    EXPECT_FALSE(t->changed);
    EXPECT_THAT(t->events, IsEmpty());
    EXPECT_EQ(t->after.view, once.view);
    EXPECT_EQ(t->after.seq, once.seq);
    EXPECT_EQ(t->after.updated_at, once.updated_at);
  }
}

TEST(job_ending, is_the_last_event_of_a_job) {
  for (auto verb : {job_verb::complete, job_verb::fail, job_verb::cancel, job_verb::block}) {
    auto t = apply(new_job(), update(verb), t0).value();
    EXPECT_TRUE(is_ending(t.events.back().view.status)) << to_string(verb);
    EXPECT_FALSE(is_tick(t.events.back().kind)) << to_string(verb);
  }
}

/// Random lives: what holds for all of them.
TEST(job_property, seqs_have_no_gap_the_bar_never_falls_and_the_ending_comes_last) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random{seed};
    auto pick = [&random](int low, int high) { return std::uniform_int_distribution<int>{low, high}(random); };
    auto state = new_job();
    std::vector<job_event> log;
    for (int i = 0; i < 60; ++i) {
      auto last_verb = pick(0, 9) == 0 ? static_cast<int>(job_verb::block) : static_cast<int>(job_verb::output);
      auto u = valid(static_cast<job_verb>(pick(0, last_verb)));
      if (u.progress)
        u.progress = pick(0, 10000) / 100.0;
      auto t = apply(state, u, t0 + i);
      if (!t)
        continue;
      log.insert(log.end(), t->events.begin(), t->events.end());
      state = t->after;
    }
    for (std::size_t i = 0; i < log.size(); ++i) {
      ASSERT_EQ(log[i].seq, i + 2) << "1 is the creation";
      ASSERT_TRUE(i == 0 || log[i].view.progress >= log[i - 1].view.progress);
      ASSERT_TRUE(!is_ending(log[i].view.status) || i + 1 == log.size());
    }
  }
}

// --- names

TEST(job_names, go_to_text_and_back) {
  for (int i = 0; i <= static_cast<int>(job_status::blocked); ++i)
    EXPECT_EQ(job_status_from(to_string(static_cast<job_status>(i))), static_cast<job_status>(i));
  for (int i = 0; i <= static_cast<int>(event_kind::custom); ++i)
    EXPECT_EQ(event_kind_from(to_string(static_cast<event_kind>(i))), static_cast<event_kind>(i));
  for (int i = 0; i <= static_cast<int>(job_verb::heartbeat); ++i)
    EXPECT_EQ(job_verb_from(to_string(static_cast<job_verb>(i))), static_cast<job_verb>(i));
}

TEST(job_names, unknown_words_are_none) {
  for (const auto* text : {"", "Running", "COMPLETED", "done", "running "}) {
    EXPECT_FALSE(job_status_from(text)) << text;
    EXPECT_FALSE(event_kind_from(text)) << text;
    EXPECT_FALSE(job_verb_from(text)) << text;
  }
}

TEST(job_names, ticks_are_progress_increment_and_stage) {
  for (int i = 0; i <= static_cast<int>(job_verb::heartbeat); ++i) {
    auto verb = static_cast<job_verb>(i);
    auto expected = verb == job_verb::progress || verb == job_verb::increment || verb == job_verb::stage;
    EXPECT_EQ(is_tick(verb), expected) << to_string(verb);
  }
}

TEST(job_id, holds_letters_digits_and_a_few_signs) {
  for (const auto* id : {"a", "42", "A-b_c.d:e", "01890a5d-ac96-774b-bcce-b302099a8057"})
    EXPECT_TRUE(is_job_id(id)) << id;
  EXPECT_TRUE(is_job_id(std::string(128, 'x')));
}

TEST(job_id, refuses_everything_else) {
  for (const auto* id : {"", " ", "a b", "a/b", "../etc", "a\n", "a%20", "ä", "a\"", "a?b", "a#b", "\x1b[31m"})
    EXPECT_FALSE(is_job_id(id)) << id;
  EXPECT_FALSE(is_job_id(std::string(129, 'x')));
  EXPECT_FALSE(is_job_id(std::string(200, 'x')));
  EXPECT_FALSE(is_job_id(std::string_view{"a\0b", 3}));
}

TEST(job_stream, is_the_name_of_its_room) { EXPECT_EQ(stream_of(*some_info()), "job:42"); }

TEST(event_ids, are_uuids_of_version_7_that_begin_with_the_time) {
  auto text = to_string(make_event_id(0x0123456789AB));
  ASSERT_EQ(text.size(), 36U);
  EXPECT_EQ(text.substr(0, 13), "01234567-89ab");
  EXPECT_EQ(text[14], '7') << text;
  EXPECT_NE(std::string_view{"89ab"}.find(text[19]), std::string_view::npos) << text;
  for (std::size_t dash : {8U, 13U, 18U, 23U})
    EXPECT_EQ(text[dash], '-') << text;
}

TEST(event_ids, are_unique_over_all_threads) {
  constexpr int per_thread = 20'000;
  std::vector<std::vector<event_id>> made(4);
  std::vector<std::thread> threads;
  for (auto& ids : made)
    threads.emplace_back([&ids] {
      for (int i = 0; i < per_thread; ++i)
        ids.push_back(make_event_id(t0));
    });
  for (auto& thread : threads)
    thread.join();
  std::set<event_id> all;
  for (const auto& ids : made)
    all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), 4U * per_thread);
}

TEST(event_ids, sort_by_time) { EXPECT_LT(to_string(make_event_id(t0)), to_string(make_event_id(t0 + 1))); }

} // namespace headway
