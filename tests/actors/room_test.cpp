#include "tests/actors/actor_test.hpp"

namespace headway::test {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// ROOM, LANE, DIRECTORY  from joining to leaving.
class room_test : public actor_test {
protected:
  room_test() { jobs.throttle.min_interval_ms = 0; }

  member joined(const std::string& job, id_type ids = id_type::text, std::size_t lane = 0) {
    auto who = new_member(ids);
    join(who, job, "u1", lane);
    run();
    return who;
  }
  void tick(const std::string& job, double value) {
    update(job, progress(value));
    run();
  }
  std::size_t rooms_alive() const { return static_cast<std::size_t>(counters.rooms.Value()); }
  std::size_t subscriptions() const { return static_cast<std::size_t>(counters.subscriptions.Value()); }
};

// -- joining ------------------------------------------------------------------------------------------------------

TEST_F(room_test, member_gets_the_state_and_then_every_event_once_in_order) {
  start_job("1");
  auto who = joined("1");
  EXPECT_TRUE(who.joined->value);
  EXPECT_THAT(who.names(), ElementsAre("job_status", "job_update"));
  for (int i = 1; i <= 5; ++i)
    tick("1", i);
  EXPECT_THAT(who.seqs(), ElementsAre(2, 3, 4, 5, 6, 7));
}

TEST_F(room_test, events_of_a_join_on_its_way_are_neither_lost_nor_doubled) {
  // At each step of the join (by whom, is the loop's) a commit comes in between.
  for (std::size_t steps = 0; steps < 20; ++steps) {
    auto id = std::to_string(steps);
    start_job(id);
    auto who = new_member();
    join(who, id);
    for (std::size_t i = 0; i < steps && sched.has_job(); ++i)
      sched.run_once();
    auto update_between = update(id, progress(10));
    run_without(source); // the reader's answer comes last
    run();
    tick(id, 20);
    ASSERT_TRUE(who.joined->value);
    ASSERT_TRUE(update_between->value);
    auto seqs = who.seqs();
    ASSERT_FALSE(seqs.empty());
    EXPECT_EQ(seqs.back(), 4U) << "after " << steps << " steps";
    for (std::size_t i = 1; i < seqs.size(); ++i)
      EXPECT_EQ(seqs[i], seqs[i - 1] + 1) << "after " << steps << " steps";
  }
}

TEST_F(room_test, what_was_committed_while_the_state_was_read_is_in_it) {
  start_job("1");
  auto who = new_member();
  join(who, "1");
  run_without(source); // it is known who asks
  update("1", progress(10));
  run_without(source);
  step(source);
  run_without(source); // attached; the state is still to be read
  update("1", progress(20));
  run_without(source); // comes by before the state
  EXPECT_THAT(who.texts(), IsEmpty());
  run();
  EXPECT_THAT(who.seqs(), ElementsAre(4));
  tick("1", 30);
  EXPECT_THAT(who.seqs(), ElementsAre(4, 5));
}

TEST_F(room_test, state_that_is_ahead_of_the_lane_waits_for_its_place) {
  start_job("1");
  start_job("2");
  auto who = joined("1");
  auto& lane = lanes[0];
  // A commit of job 1, then one of job 2: stored, but the lane has not heard of either.
  update("1", progress(10));
  run_without(lane);
  update("2", progress(10));
  run_without(lane);
  // The state of job 2 is read, though its commit has not come by.
  auto between = who.texts().size();
  join_room request{
    {room_kind::job, "2"}, {who.id, who.out, who.format, {}}, lane, user("u1"), who.connection.address()};
  auto second = ask<room_joined>(home, std::move(request));
  run();
  EXPECT_TRUE(second->value);
  auto texts = std::vector(who.texts().begin() + static_cast<std::ptrdiff_t>(between), who.texts().end());
  ASSERT_EQ(texts.size(), 3U);
  EXPECT_EQ(read_event(texts[0])->payload["job_id"], "1") << "position 5";
  EXPECT_EQ(read_event(texts[1])->payload["job_id"], "2") << "position 6";
  EXPECT_THAT(who.seqs("2"), ElementsAre(3));
}

TEST_F(room_test, second_member_starts_without_a_read) {
  start_job("1");
  auto first = joined("1");
  tick("1", 10);
  auto loads = faults->loads;
  auto second = joined("1");
  EXPECT_EQ(faults->loads, loads);
  EXPECT_THAT(second.names(), ElementsAre("job_status", "job_update"));
  EXPECT_THAT(second.seqs(), ElementsAre(3));
  tick("1", 20);
  EXPECT_THAT(first.seqs(), ElementsAre(2, 3, 4));
  EXPECT_THAT(second.seqs(), ElementsAre(3, 4));
}

TEST_F(room_test, members_on_two_lanes_get_the_same) {
  start_job("1");
  auto first = joined("1", id_type::text, 0);
  auto second = joined("1", id_type::text, 1);
  tick("1", 10);
  tick("1", 20);
  EXPECT_EQ(first.texts(), second.texts());
}

TEST_F(room_test, all_who_join_at_once_are_joined) {
  start_job("1");
  std::vector<member> all;
  for (std::size_t i = 0; i < 6; ++i) {
    all.push_back(new_member());
    join(all.back(), "1", "u1", i % 2);
  }
  run();
  tick("1", 10);
  for (auto& who : all) {
    EXPECT_TRUE(who.joined->value);
    EXPECT_THAT(who.seqs(), ElementsAre(2, 3));
  }
  EXPECT_EQ(subscriptions(), 6U);
}

TEST_F(room_test, joining_twice_is_one_membership) {
  start_job("1");
  auto who = joined("1");
  join(who, "1");
  run();
  EXPECT_TRUE(who.joined->value);
  EXPECT_THAT(who.names(), ElementsAre("job_status", "job_update", "job_status")) << "an answer, not a second start";
  tick("1", 10);
  EXPECT_THAT(who.seqs(), ElementsAre(2, 3));
  EXPECT_EQ(subscriptions(), 1U);
}

TEST_F(room_test, joining_after_the_end_shows_the_end) {
  start_job("1");
  update("1", said(job_verb::complete));
  run();
  auto who = joined("1");
  ASSERT_EQ(who.texts().size(), 2U);
  EXPECT_EQ(read_event(who.texts().back())->payload["status"], "completed");
}

// -- who may ------------------------------------------------------------------------------------------------------

TEST_F(room_test, unknown_job_and_job_of_another_are_refused_alike) {
  start_job("1");
  auto stranger = new_member();
  join(stranger, "1", "u2");
  auto lost = new_member();
  join(lost, "2", "u2");
  run();
  EXPECT_EQ(stranger.joined->error, errc::not_found);
  EXPECT_EQ(lost.joined->error, errc::not_found);
  EXPECT_EQ(rooms_alive(), 0U);
  EXPECT_EQ(subscriptions(), 0U);
}

TEST_F(room_test, refused_member_never_gets_a_frame) {
  start_job("1");
  for (std::size_t steps = 0; steps < 20; ++steps) {
    auto stranger = new_member();
    join(stranger, "1", "u2");
    for (std::size_t i = 0; i < steps && sched.has_job(); ++i)
      sched.run_once();
    update("1", progress(10));
    auto owner = new_member();
    join(owner, "1");
    run();
    tick("1", 20);
    EXPECT_EQ(stranger.joined->error, errc::not_found);
    EXPECT_TRUE(owner.joined->value);
    EXPECT_THAT(stranger.texts(), IsEmpty()) << "after " << steps << " steps";
    leave(owner);
    run();
  }
}

TEST_F(room_test, stranger_who_joins_while_the_owner_does_is_refused) {
  start_job("1");
  for (std::size_t steps = 0; steps < 20; ++steps) {
    auto owner = new_member();
    join(owner, "1");
    for (std::size_t i = 0; i < steps && sched.has_job(); ++i)
      sched.run_once();
    auto stranger = new_member();
    join(stranger, "1", "u2", steps % 2);
    run();
    tick("1", 10);
    EXPECT_TRUE(owner.joined->value);
    EXPECT_EQ(stranger.joined->error, errc::not_found);
    EXPECT_THAT(stranger.texts(), IsEmpty()) << "after " << steps << " steps";
    leave(owner);
    run();
  }
}

TEST_F(room_test, store_that_is_down_refuses_a_first_join_and_the_next_one_works) {
  start_job("1");
  faults->is_down = true;
  auto who = new_member();
  join(who, "1");
  run();
  EXPECT_EQ(who.joined->error, errc::store_unavailable);
  faults->is_down = false;
  join(who, "1");
  run();
  EXPECT_TRUE(who.joined->value);
  EXPECT_THAT(who.seqs(), ElementsAre(2));
}

// -- leaving ------------------------------------------------------------------------------------------------------

TEST_F(room_test, leave_is_answered_behind_the_last_event) {
  start_job("1");
  auto who = joined("1");
  update("1", progress(10));
  run_without(lanes[0]); // the event waits at the lane
  leave(who);
  run();
  tick("1", 20);
  EXPECT_THAT(who.names(), ElementsAre("job_status", "job_update", "job_update", "job_unsubscribed"));
}

TEST_F(room_test, empty_room_retires) {
  start_job("1");
  auto first = joined("1");
  auto second = joined("1");
  EXPECT_EQ(rooms_alive(), 1U);
  leave(first);
  run();
  EXPECT_EQ(rooms_alive(), 1U);
  leave(second);
  run();
  EXPECT_EQ(rooms_alive(), 0U);
  EXPECT_EQ(subscriptions(), 0U);
}

TEST_F(room_test, members_of_a_dead_connection_are_removed) {
  start_job("1");
  auto who = joined("1");
  auto other = joined("1");
  caf::anon_send_exit(who.connection, caf::exit_reason::user_shutdown);
  run();
  tick("1", 10);
  EXPECT_THAT(who.seqs(), ElementsAre(2));
  EXPECT_THAT(other.seqs(), ElementsAre(2, 3));
  EXPECT_EQ(subscriptions(), 1U);
}

TEST_F(room_test, connection_that_dies_while_it_joins_leaves_nothing_behind) {
  start_job("1");
  for (std::size_t steps = 0; steps < 20; ++steps) {
    auto who = new_member();
    join(who, "1");
    for (std::size_t i = 0; i < steps && sched.has_job(); ++i)
      sched.run_once();
    caf::anon_send_exit(who.connection, caf::exit_reason::user_shutdown);
    run();
    EXPECT_EQ(subscriptions(), 0U) << "after " << steps << " steps";
    EXPECT_EQ(rooms_alive(), 0U) << "after " << steps << " steps";
  }
}

// -- the lane -----------------------------------------------------------------------------------------------------

TEST_F(room_test, positions_never_fall_across_rooms) {
  for (const auto* id : {"1", "2", "3"})
    start_job(id);
  auto who = joined("1");
  for (const auto* id : {"2", "3"}) {
    join_room request{
      {room_kind::job, id}, {who.id, who.out, who.format, {}}, lanes[0], user("u1"), who.connection.address()};
    ask<room_joined>(home, std::move(request));
    run();
  }
  auto before = who.texts().size();
  std::vector<std::pair<std::string, std::uint64_t>> expected;
  for (int i = 0; i < 30; ++i) {
    update(std::to_string(i * 7 % 3 + 1), progress(i));
    if (i % 4 == 0)
      run();
  }
  run();
  for (const auto& what : published)
    for (const auto& event : what->events)
      if (event->kind == event_kind::progress)
        expected.emplace_back(event->info->id, event->seq);
  std::vector<std::pair<std::string, std::uint64_t>> seen;
  for (auto i = before; i < who.texts().size(); ++i) {
    auto event = read_event(who.texts()[i]);
    seen.emplace_back(event->payload["job_id"].get<std::string>(), event->payload["seq"].get<std::uint64_t>());
  }
  EXPECT_EQ(seen, expected);
}

TEST_F(room_test, event_is_encoded_once_per_format) {
  start_job("42");
  auto text_a = joined("42", id_type::text);
  auto text_b = joined("42", id_type::text);
  auto number_a = joined("42", id_type::number);
  auto number_b = joined("42", id_type::number);
  tick("42", 10);
  EXPECT_EQ(text_a.out->frames.back(), text_b.out->frames.back()) << "the same bytes, not equal ones";
  EXPECT_EQ(number_a.out->frames.back(), number_b.out->frames.back());
  EXPECT_NE(text_a.out->frames.back(), number_a.out->frames.back());
  EXPECT_EQ(read_event(text_a.texts().back())->payload["job_id"], "42");
  EXPECT_EQ(read_event(number_a.texts().back())->payload["job_id"], 42);
}

TEST_F(room_test, commit_is_flushed_once) {
  start_job("1");
  auto who = joined("1");
  auto before = who.out->flushes;
  for (int i = 1; i <= 10; ++i)
    update("1", progress(i));
  run();
  ASSERT_EQ(faults->batches.back(), 10U);
  EXPECT_EQ(who.out->flushes, before + 1);
}

// -- the directory ------------------------------------------------------------------------------------------------

TEST_F(room_test, directory_makes_one_actor_of_a_name) {
  create("1");
  run();
  auto first = job_of("1");
  EXPECT_EQ(job_of("1"), first);
  update("1", progress(10));
  run();
  EXPECT_EQ(jobs_alive(), 1U);
}

TEST_F(room_test, job_that_retires_serves_what_was_passed_on_before) {
  jobs.linger = 100ms;
  start_job("1"); // advances by 200 ms
  ASSERT_EQ(jobs_alive(), 0U);
  update("1", progress(10));
  run();
  auto old = job_of("1");
  advance(99ms);
  sched.advance_time(1ms);               // the job's idle check is in its mailbox
  auto late = update("1", progress(20)); // and this at the directory, ahead of `retire_job`
  step(old);
  auto later = update("1", progress(30)); // behind it
  run();
  ASSERT_TRUE(late->value);
  ASSERT_TRUE(later->value);
  EXPECT_EQ(late->value->seq, 4U);
  EXPECT_EQ(later->value->seq, 5U);
  EXPECT_NE(job_of("1"), old);
}

TEST_F(room_test, room_that_retires_keeps_who_was_passed_on_before) {
  start_job("1");
  auto first = joined("1");
  auto room = first.joined->value->room;
  auto second = new_member();
  join(second, "1"); // at the directory
  leave(first);
  step(room); // empty: asks to retire, behind that join
  run();
  EXPECT_TRUE(second.joined->value);
  tick("1", 10);
  EXPECT_THAT(second.seqs(), ElementsAre(2, 3));
  // The directory knows that room no more; a new one of the same name has the same members on the lane.
  auto third = joined("1");
  tick("1", 20);
  EXPECT_TRUE(third.joined->value);
  EXPECT_THAT(second.seqs(), ElementsAre(2, 3, 4));
  EXPECT_THAT(third.seqs(), ElementsAre(3, 4));
  leave(second);
  leave(third);
  run();
  EXPECT_EQ(rooms_alive(), 0U);
}

TEST_F(room_test, stranger_is_refused_also_by_a_second_room_of_the_name) {
  start_job("1");
  auto first = joined("1");
  auto second = new_member();
  join(second, "1");
  leave(first);
  step(first.joined->value->room);
  run(); // the room is forgotten, and has a member
  auto stranger = new_member();
  join(stranger, "1", "u2");
  run();
  tick("1", 10);
  EXPECT_EQ(stranger.joined->error, errc::not_found);
  EXPECT_THAT(stranger.texts(), IsEmpty());
  auto third = joined("1");
  EXPECT_TRUE(third.joined->value) << "the room goes on";
}

TEST_F(room_test, stop_ends_all_and_refuses_what_comes_then) {
  start_job("1");
  start_job("2");
  auto who = joined("1");
  auto done = ask<stopped>(home, stop{});
  auto late = update("1", progress(10));
  auto late_join = new_member();
  join(late_join, "2");
  run();
  EXPECT_TRUE(done->value);
  EXPECT_EQ(late->error, errc::shutting_down);
  EXPECT_EQ(late_join.joined->error, errc::shutting_down);
  EXPECT_EQ(jobs_alive(), 0U);
  EXPECT_EQ(rooms_alive(), 0U);
}

} // namespace

} // namespace headway::test
