#include "tests/actors/actor_test.hpp"

namespace headway::test {

namespace {

using testing::ElementsAre;

class job_test : public actor_test {
protected:
  /// Kinds of a job's events, in order.
  std::vector<std::string> kinds(const std::string& id) {
    std::vector<std::string> out;
    for (const auto& event : log_of(id))
      out.emplace_back(to_string(event.kind));
    return out;
  }
  static std::uint64_t seq(const reply_ptr<job_ack>& r) { return r->value ? r->value->seq : 0; }
  static bool is_held(const reply_ptr<job_ack>& r) { return r->value && r->value->held; }
};

// -- the throttle -------------------------------------------------------------------------------------------------

TEST_F(job_test, first_tick_is_committed_at_once) {
  start_job("1");
  auto tick = update("1", progress(10));
  run();
  EXPECT_EQ(seq(tick), 3U);
  EXPECT_EQ(tick->value->position, 3U);
  EXPECT_EQ(stored("1").view.progress, 10);
}

TEST_F(job_test, tick_in_the_window_is_answered_as_held) {
  start_job("1");
  update("1", progress(10));
  run();
  auto tick = update("1", progress(20));
  run();
  ASSERT_TRUE(tick->value);
  EXPECT_TRUE(tick->value->held);
  EXPECT_EQ(tick->value->seq, 0U);
  EXPECT_EQ(tick->value->position, 0U);
  EXPECT_EQ(stored("1").view.progress, 10) << "held, not written";
}

TEST_F(job_test, latest_held_tick_is_committed_when_its_window_ends) {
  start_job("1");
  update("1", progress(10));
  update("1", progress(20));
  update("1", progress(30));
  advance(99ms);
  EXPECT_EQ(stored("1").view.progress, 10);
  advance(1ms);
  EXPECT_EQ(stored("1").view.progress, 30);
  EXPECT_EQ(stored("1").seq, 4U) << "two ticks were merged to one";
  EXPECT_EQ(counters.ticks_merged.Value(), 1);
}

TEST_F(job_test, timer_of_an_older_tick_is_ignored) {
  start_job("1");
  update("1", progress(10));
  update("1", progress(20)); // due at 100 ms
  advance(50ms);
  update("1", said(job_verb::output)); // takes it along; the next window lasts until 150 ms
  update("1", progress(30));
  advance(99ms);
  EXPECT_EQ(stored("1").view.progress, 20);
  advance(1ms);
  EXPECT_EQ(stored("1").view.progress, 30);
}

TEST_F(job_test, fact_commits_the_held_tick_first) {
  start_job("1");
  update("1", progress(10));
  auto tick = update("1", progress(40));
  auto output = update("1", said(job_verb::output));
  run();
  EXPECT_TRUE(is_held(tick));
  EXPECT_EQ(seq(output), 5U);
  EXPECT_THAT(kinds("1"), ElementsAre("created", "status", "progress", "progress", "output"));
  EXPECT_EQ(log_of("1")[3].view.progress, 40);
}

TEST_F(job_test, ending_comes_behind_the_held_tick) {
  start_job("1");
  update("1", progress(10));
  update("1", progress(40));
  auto end = update("1", said(job_verb::fail));
  run();
  EXPECT_EQ(seq(end), 5U);
  EXPECT_THAT(kinds("1"), ElementsAre("created", "status", "progress", "progress", "failed"));
  EXPECT_EQ(stored("1").view.progress, 40);
  advance(200ms);
  EXPECT_EQ(stored("1").seq, 5U) << "no timer brings the tick again";
}

TEST_F(job_test, wait_durable_is_answered_by_the_commit_that_carries_it) {
  start_job("1");
  update("1", progress(10));
  auto first = update("1", progress(20), true);
  auto second = update("1", progress(30), true);
  advance(99ms);
  EXPECT_TRUE(first->is_open());
  EXPECT_TRUE(second->is_open());
  advance(1ms);
  EXPECT_EQ(seq(first), 4U);
  EXPECT_EQ(seq(second), 4U);
}

TEST_F(job_test, wait_durable_is_answered_by_the_tick_before_a_fact) {
  start_job("1");
  update("1", progress(10));
  auto tick = update("1", progress(20), true);
  update("1", said(job_verb::complete));
  run();
  EXPECT_EQ(seq(tick), 4U);
}

TEST_F(job_test, without_an_interval_every_tick_is_committed) {
  jobs.throttle.min_interval_ms = 0;
  start_job("1");
  std::vector<reply_ptr<job_ack>> ticks;
  for (int i = 1; i <= 10; ++i)
    ticks.push_back(update("1", progress(i)));
  run();
  for (std::size_t i = 0; i < ticks.size(); ++i)
    EXPECT_EQ(seq(ticks[i]), i + 3);
}

TEST_F(job_test, job_brings_its_own_throttle) {
  job_info info;
  info.id = "1";
  info.user_id = "u1";
  info.throttle = throttle_policy{.min_interval_ms = 1000, .min_delta = 0};
  create(info);
  run();
  update("1", said(job_verb::start));
  update("1", progress(10));
  update("1", progress(20));
  advance(999ms);
  EXPECT_EQ(stored("1").view.progress, 10);
  advance(1ms);
  EXPECT_EQ(stored("1").view.progress, 20);
}

TEST_F(job_test, small_step_waits_for_its_trailing_edge) {
  jobs.throttle.min_delta = 5;
  start_job("1");
  update("1", progress(10));
  advance(200ms);
  auto small = update("1", progress(11));
  run();
  EXPECT_TRUE(is_held(small));
  advance(100ms);
  EXPECT_EQ(stored("1").view.progress, 11);
}

TEST_F(job_test, held_increments_add_up) {
  start_job("1");
  update("1", increment(10));
  update("1", increment(10));
  update("1", increment(10));
  advance(100ms);
  EXPECT_EQ(stored("1").view.progress, 30);
}

// -- the rate limit -----------------------------------------------------------------------------------------------

TEST_F(job_test, rate_limit_refuses_facts_and_merges_ticks) {
  jobs.facts_burst = 3;
  jobs.facts_per_second = 10;
  start_job("1"); // takes one
  advance(1s);
  std::vector<reply_ptr<job_ack>> facts;
  for (int i = 0; i < 4; ++i)
    facts.push_back(update("1", said(job_verb::output)));
  auto leading = update("1", progress(10));
  auto tick = update("1", progress(20));
  run();
  EXPECT_TRUE(facts[2]->value);
  EXPECT_EQ(facts[3]->error, errc::rate_limited);
  EXPECT_TRUE(leading->value);
  EXPECT_TRUE(is_held(tick));
  EXPECT_EQ(counters.rate_limited.Value(), 1);
  advance(100ms);
  auto later = update("1", said(job_verb::output));
  run();
  EXPECT_TRUE(later->value) << "a tenth of a second is one more fact";
}

TEST_F(job_test, refused_fact_leaves_the_held_tick_alone) {
  jobs.facts_burst = 1;
  jobs.facts_per_second = 0.001;
  start_job("1");
  update("1", progress(10));
  update("1", progress(20));
  auto refused = update("1", said(job_verb::output));
  run();
  EXPECT_EQ(refused->error, errc::rate_limited);
  EXPECT_EQ(stored("1").view.progress, 10);
  advance(100ms);
  EXPECT_EQ(stored("1").view.progress, 20);
}

// -- the life of a job --------------------------------------------------------------------------------------------

TEST_F(job_test, any_update_starts_a_queued_job_in_the_same_commit) {
  create("1");
  run();
  auto tick = update("1", progress(25));
  run();
  EXPECT_EQ(seq(tick), 3U);
  EXPECT_THAT(kinds("1"), ElementsAre("created", "status", "progress"));
  EXPECT_EQ(published.size(), 2U);
  EXPECT_EQ(published.back()->events.size(), 2U);
}

TEST_F(job_test, same_ending_twice_answers_with_the_first) {
  start_job("1");
  auto first = update("1", said(job_verb::complete));
  run();
  create("2");
  run(); // the log goes on
  auto again = update("1", said(job_verb::complete));
  run();
  ASSERT_TRUE(again->value);
  EXPECT_EQ(again->value->seq, first->value->seq);
  EXPECT_EQ(again->value->position, first->value->position);
  EXPECT_EQ(log_of("1").size(), 3U);
}

TEST_F(job_test, same_ending_while_the_first_is_on_its_way_waits_for_it) {
  start_job("1");
  auto first = update("1", said(job_verb::complete));
  auto again = update("1", said(job_verb::complete));
  run_without(writer);
  EXPECT_TRUE(first->is_open());
  EXPECT_TRUE(again->is_open()) << "not durable yet";
  run();
  EXPECT_EQ(seq(first), 3U);
  EXPECT_EQ(seq(again), 3U);
}

TEST_F(job_test, update_after_the_end_is_refused) {
  start_job("1");
  update("1", said(job_verb::complete));
  auto tick = update("1", progress(50));
  auto other = update("1", said(job_verb::fail));
  run();
  EXPECT_EQ(tick->error, errc::job_ended);
  EXPECT_EQ(other->error, errc::job_ended);
  EXPECT_EQ(log_of("1").size(), 3U);
}

TEST_F(job_test, wrong_update_changes_nothing) {
  start_job("1");
  auto wrong = update("1", progress(101));
  run();
  EXPECT_EQ(wrong->error, errc::out_of_range);
  EXPECT_EQ(stored("1").seq, 2U);
}

TEST_F(job_test, updates_in_flight_are_answered_in_order) {
  jobs.throttle.min_interval_ms = 0;
  start_job("1");
  std::vector<reply_ptr<job_ack>> updates;
  for (int i = 0; i < 50; ++i) {
    updates.push_back(update("1", i % 3 == 0 ? said(job_verb::output) : progress(i)));
    if (i % 7 == 0)
      run_without(writer);
    if (i % 20 == 0)
      step(writer);
  }
  run();
  for (std::size_t i = 0; i < updates.size(); ++i)
    EXPECT_EQ(seq(updates[i]), i + 3);
}

TEST_F(job_test, job_is_created_once) {
  auto first = create("1");
  run();
  auto again = create("1");
  run();
  EXPECT_EQ(seq(first), 1U);
  EXPECT_EQ(again->error, errc::job_exists);
}

TEST_F(job_test, job_of_another_life_is_not_created_again) {
  create_elsewhere("1", "u1");
  auto again = create("1", "u2");
  run();
  EXPECT_EQ(again->error, errc::job_exists);
  auto tick = update("1", progress(10));
  run();
  EXPECT_EQ(seq(tick), 3U);
  EXPECT_EQ(stored("1").info->user_id, "u1");
}

TEST_F(job_test, update_behind_a_refused_creation_is_applied_to_the_job_that_exists) {
  create_elsewhere("1", "u1");
  auto again = create("1", "u2");
  run_without(writer);
  step(writer); // takes the creation; its commit comes next, without the update
  step(writer);
  auto tick = update("1", progress(10));
  run();
  EXPECT_EQ(again->error, errc::job_exists);
  EXPECT_EQ(seq(tick), 3U);
  EXPECT_EQ(log_of("1").back().info->user_id, "u1");
}

TEST_F(job_test, update_sent_behind_a_creation_that_will_be_refused_knows_the_right_owner) {
  create_elsewhere("1", "u1");
  auto actor = job_of("1");
  auto again = create("1", "u2");
  run_without(writer);
  step(writer); // has the creation, and will commit it
  auto tick = update("1", progress(10));
  step(home);
  step(actor);
  run();
  EXPECT_EQ(again->error, errc::job_exists);
  EXPECT_EQ(seq(tick), 3U);
  for (const auto& what : published)
    for (const auto& event : what->events)
      EXPECT_EQ(event->info->user_id, "u1");
}

TEST_F(job_test, unknown_job_is_not_found_and_leaves_no_actor) {
  auto lost = update("1", progress(10));
  run();
  EXPECT_EQ(lost->error, errc::not_found);
  EXPECT_EQ(jobs_alive(), 0U);
  auto made = create("1");
  auto found = update("1", progress(10));
  run();
  EXPECT_EQ(seq(made), 1U);
  EXPECT_EQ(seq(found), 3U);
}

TEST_F(job_test, creation_behind_an_update_that_came_too_early_works) {
  auto early = update("1", progress(10));
  auto made = create("1");
  auto late = update("1", progress(10));
  run();
  EXPECT_EQ(early->error, errc::not_found);
  EXPECT_EQ(seq(made), 1U);
  EXPECT_EQ(seq(late), 3U);
}

// -- idle and stop ------------------------------------------------------------------------------------------------

TEST_F(job_test, idle_job_retires_and_is_found_again) {
  jobs.linger = 500ms;
  start_job("1");
  update("1", progress(10));
  advance(100ms);
  EXPECT_EQ(jobs_alive(), 1U);
  advance(1s);
  EXPECT_EQ(jobs_alive(), 0U);
  auto tick = update("1", increment(5));
  run();
  EXPECT_EQ(seq(tick), 4U);
  EXPECT_EQ(stored("1").view.progress, 15);
}

TEST_F(job_test, job_in_use_does_not_retire) {
  jobs.linger = 500ms;
  start_job("1");
  for (int i = 0; i < 10; ++i) {
    update("1", progress(i));
    advance(300ms);
    EXPECT_EQ(jobs_alive(), 1U);
  }
}

TEST_F(job_test, stop_commits_the_held_tick) {
  start_job("1");
  update("1", progress(10));
  auto waiting = update("1", progress(20), true);
  run();
  auto done = ask<stopped>(home, stop{});
  run();
  EXPECT_TRUE(done->value);
  EXPECT_EQ(seq(waiting), 4U);
  EXPECT_EQ(stored("1").view.progress, 20);
  EXPECT_EQ(jobs_alive(), 0U);
}

TEST_F(job_test, tick_that_comes_behind_stop_is_not_held_for_ever) {
  start_job("1");
  auto actor = job_of("1");
  update_at(actor, "1", progress(10));
  update_at(actor, "1", progress(20));
  auto done = ask<stopped>(home, stop{});
  step(home);
  auto late = update_at(actor, "1", progress(30), true);
  run();
  EXPECT_TRUE(done->value);
  EXPECT_EQ(seq(late), 5U);
}

// -- where the store fails ----------------------------------------------------------------------------------------

TEST_F(job_test, full_storage_refuses_work) {
  start_job("1");
  gate->writes += writes_max;
  auto refused = update("1", said(job_verb::output));
  run();
  EXPECT_EQ(refused->error, errc::overloaded);
  gate->writes -= writes_max;
  auto taken = update("1", said(job_verb::output));
  run();
  EXPECT_EQ(seq(taken), 3U);
}

TEST_F(job_test, failed_commit_fails_what_is_behind_it_and_the_job_goes_on) {
  jobs.throttle.min_interval_ms = 0;
  start_job("1");
  faults->fail_next = errc::store_unavailable;
  auto first = update("1", progress(10));
  auto second = update("1", progress(20));
  run();
  EXPECT_EQ(first->error, errc::store_unavailable);
  EXPECT_EQ(second->error, errc::store_unavailable);
  EXPECT_EQ(stored("1").seq, 2U);
  auto third = update("1", increment(5));
  run();
  EXPECT_EQ(seq(third), 3U);
  EXPECT_EQ(stored("1").view.progress, 5) << "read anew, without what failed";
}

TEST_F(job_test, update_in_the_commit_behind_a_failed_one_is_applied_anew) {
  jobs.throttle.min_interval_ms = 0;
  start_job("1");
  auto actor = job_of("1");
  auto first = update("1", increment(10));
  run_without(writer);
  step(writer); // it has the first, and will commit that
  auto second = update("1", increment(5));
  step(home);
  step(actor);
  faults->fail_next = errc::store_unavailable;
  run();
  EXPECT_EQ(first->error, errc::store_unavailable);
  EXPECT_EQ(seq(second), 3U);
  EXPECT_EQ(stored("1").view.progress, 5);
}

TEST_F(job_test, store_that_is_down_refuses_until_it_is_back) {
  start_job("1");
  faults->is_down = true;
  auto known = update("1", said(job_verb::output));
  auto unknown = update("2", said(job_verb::output));
  run();
  EXPECT_EQ(known->error, errc::store_unavailable);
  EXPECT_EQ(unknown->error, errc::store_unavailable);
  auto still = update("1", said(job_verb::output));
  run();
  EXPECT_EQ(still->error, errc::store_unavailable);
  faults->is_down = false;
  auto back = update("1", said(job_verb::output));
  run();
  EXPECT_EQ(seq(back), 3U);
}

TEST_F(job_test, held_tick_of_a_job_whose_commit_fails_tells_who_waits_for_it) {
  start_job("1");
  update("1", progress(10));
  run();
  auto output = update("1", said(job_verb::output));
  run_without(writer);
  auto tick = update("1", progress(20), true);
  run_without(writer);
  faults->fail_next = errc::store_unavailable;
  run();
  EXPECT_EQ(output->error, errc::store_unavailable);
  advance(100ms);
  EXPECT_EQ(tick->error, errc::store_unavailable);
}

// -- two nodes ----------------------------------------------------------------------------------------------------

TEST_F(job_test, update_that_lost_to_another_node_is_applied_again) {
  jobs.throttle.min_interval_ms = 0;
  start_job("1");
  elsewhere("1", progress(40));
  auto tick = update("1", increment(5));
  run();
  EXPECT_EQ(seq(tick), 4U);
  EXPECT_EQ(stored("1").view.progress, 45);
}

TEST_F(job_test, increments_that_lost_are_added_once) {
  jobs.throttle.min_interval_ms = 0;
  start_job("1");
  update("1", increment(1));
  run();
  elsewhere("1", increment(10));
  std::vector<reply_ptr<job_ack>> all;
  for (int i = 0; i < 5; ++i)
    all.push_back(update("1", increment(2)));
  run();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(seq(all[i]), i + 5);
  EXPECT_EQ(stored("1").view.progress, 21);
}

TEST_F(job_test, update_that_lost_to_an_ending_is_refused) {
  start_job("1");
  elsewhere("1", said(job_verb::cancel));
  auto tick = update("1", progress(5));
  auto same = update("1", said(job_verb::cancel));
  run();
  EXPECT_EQ(tick->error, errc::job_ended);
  EXPECT_EQ(seq(same), 3U);
}

TEST_F(job_test, update_in_the_commit_behind_a_lost_one_does_not_slip_through) {
  jobs.throttle.min_interval_ms = 0;
  start_job("1");
  auto actor = job_of("1");
  auto first = update("1", progress(10));
  run_without(writer);
  step(writer); // it has the first, expected at 2, and will commit that
  auto second = update("1", progress(20));
  step(home);
  step(actor); // expected at 3, where the other node's ending will stand
  elsewhere("1", said(job_verb::cancel));
  run();
  EXPECT_EQ(first->error, errc::job_ended);
  EXPECT_EQ(second->error, errc::job_ended);
  EXPECT_EQ(stored("1").view.status, job_status::cancelled);
  EXPECT_THAT(kinds("1"), ElementsAre("created", "status", "cancelled"));
}

TEST_F(job_test, updates_that_lost_keep_their_order) {
  jobs.throttle.min_interval_ms = 0;
  start_job("1");
  auto actor = job_of("1");
  elsewhere("1", progress(1));
  auto text = [](std::string chunk) {
    auto update = said(job_verb::output);
    update.chunk = std::move(chunk);
    return update;
  };
  update_at(actor, "1", text("a"));
  step(actor);
  step(writer); // "a" is in the batch that will be committed
  update_at(actor, "1", text("b"));
  step(actor);
  step(writer);                     // the commit of "a": lost
  step(actor);                      // hears of it
  update_at(actor, "1", text("c")); // comes before "b" is known to be lost
  step(actor);
  run();
  std::string chunks;
  for (const auto& event : log_of("1"))
    chunks += event.chunk;
  EXPECT_EQ(chunks, "abc");
}

TEST_F(job_test, held_tick_survives_a_lost_race) {
  start_job("1");
  update("1", progress(10));
  run();
  auto output = update("1", said(job_verb::output));
  run_without(writer);
  auto tick = update("1", progress(50), true);
  run_without(writer);
  elsewhere("1", progress(20));
  run();
  EXPECT_TRUE(output->value);
  advance(200ms);
  ASSERT_TRUE(tick->value) << "refused";
  EXPECT_EQ(stored("1").view.progress, 50);
}

TEST_F(job_test, worker_is_told_to_come_again_where_the_other_node_always_wins) {
  start_job("1");
  auto actor = job_of("1");
  auto output = update_at(actor, "1", said(job_verb::output));
  for (int i = 0; i < 20 && output->is_open(); ++i) {
    run_without(writer);
    elsewhere("1", progress(i));
    step(writer);
    step(writer);
  }
  run();
  EXPECT_EQ(output->error, errc::store_unavailable);
}

} // namespace

} // namespace headway::test
