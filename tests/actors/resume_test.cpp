#include "tests/actors/actor_test.hpp"

namespace headway::test {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// RESUME  joining by a position: what came after it, then what comes; nothing lost, nothing twice.
class resume_test : public actor_test {
protected:
  resume_test() { jobs.throttle.min_interval_ms = 0; }

  /// A watcher of the core's vocabulary, on its way into the room.
  member follow(const std::string& job, std::optional<std::uint64_t> after, std::size_t lane = 0) {
    auto who = new_member();
    who.format = {core_dialect(), id_type::text, framing::plain};
    follow_also(who, job, after, lane);
    return who;
  }
  void follow_also(member& who, const std::string& job, std::optional<std::uint64_t> after, std::size_t lane = 0) {
    join_room request{
      {room_kind::job, job}, {who.id, who.out, who.format, after}, lanes[lane], user("u1"), who.connection.address()};
    who.joined = ask<room_joined>(home, std::move(request));
  }
  void tick(const std::string& job, double value) {
    update(job, progress(value));
    run();
  }

  static std::vector<json> messages(const member& who) {
    std::vector<json> all;
    for (const auto& text : who.texts())
      all.push_back(json::parse(text));
    return all;
  }
  static std::vector<std::string> types(const member& who) {
    std::vector<std::string> all;
    for (const auto& message : messages(who))
      all.push_back(message["type"].get<std::string>());
    return all;
  }
  /// Of events, in the order in which they came.
  static std::vector<std::uint64_t> positions(const member& who) {
    std::vector<std::uint64_t> all;
    for (const auto& message : messages(who))
      if (message.contains("seq"))
        all.push_back(message["position"].get<std::uint64_t>());
    return all;
  }
  std::vector<std::uint64_t> logged_after(const std::string& job, std::uint64_t position) {
    std::vector<std::uint64_t> all;
    for (const auto& event : log_of(job))
      if (event.position > position)
        all.push_back(event.position);
    return all;
  }
  std::uint64_t newest(const std::string& job) { return stored(job).position; }
};

TEST_F(resume_test, what_was_missed_comes_in_order_and_then_what_is_new) {
  start_job("1");
  for (int i = 1; i <= 5; ++i)
    tick("1", i);
  auto who = follow("1", 3);
  run();
  tick("1", 6);
  EXPECT_THAT(types(who), ElementsAre("resumed", "progress", "progress", "progress", "progress", "progress"));
  EXPECT_EQ(messages(who)[0]["position"], 3);
  EXPECT_THAT(positions(who), ElementsAre(4, 5, 6, 7, 8));
}

TEST_F(resume_test, position_zero_is_the_whole_life_of_the_job) {
  start_job("1");
  auto who = follow("1", 0);
  run();
  EXPECT_THAT(types(who), ElementsAre("resumed", "created", "status"));
}

TEST_F(resume_test, who_missed_nothing_is_only_told_that_it_goes_on) {
  start_job("1");
  tick("1", 10);
  auto who = follow("1", newest("1"));
  run();
  EXPECT_THAT(types(who), ElementsAre("resumed"));
  tick("1", 20);
  EXPECT_THAT(positions(who), ElementsAre(4));
}

TEST_F(resume_test, commits_at_any_moment_of_the_join_are_neither_lost_nor_doubled) {
  for (auto others : {false, true}) // who is in the room already makes its lane know the room
    for (std::size_t lane : {0U, 1U})
      for (std::size_t steps = 0; steps < 30; ++steps) {
        auto id = std::to_string(steps) + (others ? "a" : "b") + std::to_string(lane);
        start_job(id);
        for (int i = 1; i <= 4; ++i)
          tick(id, i);
        auto seen = newest(id) - 2;
        std::optional<member> other;
        if (others) {
          other = follow(id, {}, 0);
          run();
        }
        auto who = follow(id, seen, lane);
        for (std::size_t i = 0; i < steps && sched.has_job(); ++i)
          sched.run_once();
        update(id, progress(10));
        run_without(source); // its reading comes late
        update(id, progress(20));
        run_without(source);
        step(source); // one of its readings is done, another is not
        run_without(source);
        update(id, progress(30));
        run_without(lanes[lane]); // the lane hears of it late
        run();
        tick(id, 40);
        ASSERT_TRUE(who.joined->value);
        EXPECT_EQ(types(who)[0], "resumed") << id;
        EXPECT_EQ(positions(who), logged_after(id, seen)) << id;
      }
}

TEST_F(resume_test, many_who_missed_different_events_get_each_its_own) {
  start_job("1");
  for (int i = 1; i <= 8; ++i)
    tick("1", i);
  std::vector<member> all;
  for (std::uint64_t after = 0; after <= 10; ++after)
    all.push_back(follow("1", after, after % 2));
  auto fresh = follow("1", {});
  run();
  tick("1", 9);
  for (std::uint64_t after = 0; after <= 10; ++after)
    EXPECT_EQ(positions(all[after]), logged_after("1", after)) << after;
  EXPECT_THAT(types(fresh), ElementsAre("state", "progress"));
}

TEST_F(resume_test, state_that_is_ahead_of_the_lane_waits_for_its_place) {
  start_job("1");
  auto seen = newest("1");
  update("1", progress(10));
  run_without(lanes[0]); // stored, but the lane has not heard of it
  auto who = follow("1", seen);
  run_without(lanes[0]);
  update("1", progress(20));
  run();
  EXPECT_THAT(types(who), ElementsAre("resumed", "progress", "progress"));
  EXPECT_EQ(positions(who), logged_after("1", seen));
}

TEST_F(resume_test, one_position_serves_all_rooms) {
  // Its number is of the log, so it may be newer than anything in the room it goes on in.
  start_job("1");
  start_job("2");
  tick("2", 10);
  auto seen = newest("2");
  ASSERT_GT(seen, newest("1"));
  auto who = follow("1", seen);
  follow_also(who, "2", seen);
  run();
  EXPECT_THAT(types(who), ElementsAre("resumed", "resumed"));
  tick("1", 20);
  tick("2", 20);
  EXPECT_THAT(positions(who), ElementsAre(seen + 1, seen + 2));
}

TEST_F(resume_test, position_beyond_the_log_starts_anew) {
  start_job("1");
  auto who = follow("1", newest("1") + 1);
  run();
  ASSERT_THAT(types(who), ElementsAre("state"));
  EXPECT_EQ(messages(who)[0]["reset"], true);
  EXPECT_EQ(messages(who)[0]["position"], newest("1"));
  tick("1", 10);
  EXPECT_THAT(positions(who), ElementsAre(newest("1")));
}

TEST_F(resume_test, first_join_says_nothing_of_a_reset) {
  start_job("1");
  auto who = follow("1", {});
  run();
  EXPECT_FALSE(messages(who)[0].contains("reset"));
}

TEST_F(resume_test, joining_again_by_position_is_one_membership) {
  start_job("1");
  auto who = follow("1", {});
  run();
  tick("1", 10);
  follow_also(who, "1", newest("1"));
  run();
  tick("1", 20);
  EXPECT_THAT(types(who), ElementsAre("state", "progress", "resumed", "progress"));
  EXPECT_EQ(counters.subscriptions.Value(), 1);
}

TEST_F(resume_test, room_that_has_ended_is_resumed_too) {
  start_job("1");
  auto seen = newest("1");
  update("1", said(job_verb::complete));
  run();
  auto who = follow("1", seen);
  run();
  EXPECT_THAT(types(who), ElementsAre("resumed", "completed"));
}

TEST_F(resume_test, nobody_resumes_what_it_may_not_read) {
  start_job("1", "u2");
  auto who = follow("1", 0);
  run();
  EXPECT_EQ(who.joined->error, errc::not_found);
  EXPECT_THAT(who.texts(), IsEmpty());
}

class short_replay_test : public resume_test {
protected:
  short_replay_test() { replay_max = 5; }
};

TEST_F(short_replay_test, as_many_as_allowed_are_replayed_and_one_more_starts_anew) {
  start_job("1");
  for (int i = 1; i <= 10; ++i)
    tick("1", i);
  auto head = newest("1");
  auto near = follow("1", head - 5);
  auto far = follow("1", head - 6);
  run();
  EXPECT_EQ(positions(near), logged_after("1", head - 5));
  ASSERT_THAT(types(far), ElementsAre("state"));
  EXPECT_EQ(messages(far)[0]["reset"], true);
  tick("1", 20);
  EXPECT_THAT(positions(far), ElementsAre(head + 1));
}

class no_replay_test : public resume_test {
protected:
  no_replay_test() { replay_max = 0; }
};

TEST_F(no_replay_test, only_who_missed_nothing_goes_on) {
  start_job("1");
  tick("1", 10);
  auto current = follow("1", newest("1"));
  auto late = follow("1", newest("1") - 1);
  run();
  EXPECT_THAT(types(current), ElementsAre("resumed"));
  EXPECT_THAT(types(late), ElementsAre("state"));
}

TEST_F(resume_test, long_absence_is_read_in_a_longer_page) {
  start_job("1");
  for (int i = 1; i <= 90; ++i)
    tick("1", i);
  auto brief = follow("1", newest("1") - 1);
  auto absent = follow("1", 2);
  run();
  EXPECT_EQ(positions(brief), logged_after("1", newest("1") - 1));
  EXPECT_EQ(positions(absent), logged_after("1", 2));
}

} // namespace

} // namespace headway::test
