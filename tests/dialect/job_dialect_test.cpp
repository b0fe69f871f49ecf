#include "net/dialect/job.hpp"
#include "tests/dialect/golden.hpp"

#include <gtest/gtest.h>

namespace headway {
namespace {

constexpr epoch_ms now = 1'795'230'720'123;
const job_dialect dialect_a;

std::string said(const std::vector<wire_event>& events) {
  std::string out;
  for (auto& event : events)
    out += event.name + ' ' + dump_json(event.payload) + '\n';
  return out;
}

job_event event_of(event_kind kind, job_status status, const std::string& id = "42") {
  auto info = std::make_shared<job_info>();
  info->id = id;
  job_event event;
  event.info = std::move(info);
  event.kind = kind;
  event.seq = 7;
  event.time = now;
  event.view.status = status;
  event.view.progress = 42.5;
  return event;
}

struct scene {
  std::string what;
  job_event event;
};

/// Every kind of event, with and without what it may carry.
std::vector<scene> scenes() {
  std::vector<scene> all;
  auto add = [&all](std::string what, event_kind kind, job_status status) -> job_event& {
    return all.emplace_back(std::move(what), event_of(kind, status)).event;
  };
  add("created", event_kind::created, job_status::queued).view.progress = 0;
  add("started", event_kind::status, job_status::running).view.progress = 0;
  add("progress", event_kind::progress, job_status::running);
  add("progress, whole", event_kind::progress, job_status::running).view.progress = 42;
  add("progress, message", event_kind::progress, job_status::running).view.message = "Crunching";
  add("progress, stage", event_kind::progress, job_status::running).view.stage = "Drafting";
  auto& both = add("progress, stage and message", event_kind::progress, job_status::running);
  both.view.stage = "Drafting";
  both.view.message = "Page 3";
  add("output", event_kind::output, job_status::running).chunk = "hello";
  add("completed", event_kind::completed, job_status::completed).view.progress = 100;
  auto& rich = add("completed, result and message", event_kind::completed, job_status::completed);
  rich.view.progress = 100;
  rich.view.result = R"({"z":1,"a":[1.5,null,"ä"]})";
  rich.view.message = "All done";
  rich.view.stage = "Polishing";
  add("completed, broken result", event_kind::completed, job_status::completed).view.result = "{";
  add("failed", event_kind::failed, job_status::failed).view.error = job_error{"out of memory", "oom", true};
  auto& failed = add("failed, earlier message", event_kind::failed, job_status::failed);
  failed.view.error = job_error{"out of memory", {}, {}};
  failed.view.message = "Crunching";
  add("failed, no error", event_kind::failed, job_status::failed);
  add("failed, empty error", event_kind::failed, job_status::failed).view.error = job_error{};
  add("cancelled", event_kind::cancelled, job_status::cancelled);
  add("cancelled, message", event_kind::cancelled, job_status::cancelled).view.message = "Not needed any more";
  add("blocked", event_kind::blocked, job_status::blocked).view.error = job_error{"quota exceeded", {}, {}};
  add("custom", event_kind::custom, job_status::running);
  return all;
}

job_state state_of(const job_event& event) { return {event.info, event.view, event.seq, 99, 0, event.time}; }

TEST(job_dialect, says_what_its_golden_file_says) {
  golden_file golden{"job.jsonl"};
  principal person;
  person.user_id = "7";
  golden.add("hello, text sub", dialect_a.hello(person, now));
  person.user_id_is_number = true;
  golden.add("hello, number sub", dialect_a.hello(person, now));
  golden.add("pong", {dialect_a.pong(now)});
  for (auto ids : {id_type::text, id_type::number}) {
    std::string type = ids == id_type::text ? ", text id" : ", number id";
    for (auto& [what, event] : scenes()) {
      golden.add("render " + what + type, dialect_a.render(event, ids));
      golden.add("first join " + what + type, dialect_a.joined(state_of(event), ids, {}));
    }
    golden.add("rejoin" + type, dialect_a.joined(state_of(scenes().front().event), ids, {.first = false}));
    golden.add("left" + type, dialect_a.left({room_kind::job, "42"}, ids));
  }
  golden.add("refused", dialect_a.refused({room_kind::job, "42"}, errc::not_found));
  golden.check();
}

TEST(job_dialect, is_in_the_table) {
  ASSERT_FALSE(dialects().empty());
  EXPECT_EQ(dialects()[core_dialect()]->name(), "core");
  EXPECT_EQ(dialects()[0]->name(), "job");
}

TEST(job_dialect, speaks_its_three_events_only) {
  for (auto* event : {"join_job", "leave_job", "ping"})
    EXPECT_TRUE(dialect_a.speaks(event));
  for (auto* event : {"", "join_room", "subscribe:job", "JOIN_JOB", "job_update", "disconnect"})
    EXPECT_FALSE(dialect_a.speaks(event));
}

TEST(job_dialect, requests_name_a_job_in_their_own_id_type) {
  struct row {
    std::string job_id;
    std::string id;
    id_type ids;
  };
  for (auto& [job_id, id, ids] : std::vector<row>{
         {"42", "42", id_type::number},
         {"0", "0", id_type::number},
         {"42.0", "42", id_type::number},
         {"18446744073709551615", "18446744073709551615", id_type::number},
         {R"("42")", "42", id_type::text},
         {R"("a.B_c:d-9")", "a.B_c:d-9", id_type::text},
         {'"' + std::string(128, 'x') + '"', std::string(128, 'x'), id_type::text},
       }) {
    auto args = parse_json(R"([{"job_id":)" + job_id + "}]").value();
    auto join = dialect_a.decode("join_job", args);
    auto leave = dialect_a.decode("leave_job", args);
    ASSERT_TRUE(join && leave) << job_id;
    EXPECT_EQ(join->what, dialect_request::kind::join);
    EXPECT_EQ(join->room, (room_name{room_kind::job, id}));
    EXPECT_EQ(join->ids, ids) << job_id;
    EXPECT_EQ(leave->what, dialect_request::kind::leave);
    EXPECT_EQ(leave->room.id, id);
  }
}

TEST(job_dialect, ping_takes_anything) {
  for (auto* args : {"[]", "[null]", "[{}]", "[[[]]]", "[1,2,3]"}) {
    auto request = dialect_a.decode("ping", parse_json(args).value());
    ASSERT_TRUE(request) << args;
    EXPECT_EQ(request->what, dialect_request::kind::ping);
  }
}

TEST(job_dialect, a_missing_job_id_is_said_to_be_required) {
  for (auto* args :
       {"[]", "[null]", "[{}]", "[42]", R"(["42"])", "[[]]", R"([[{"job_id":42}]])", R"([{"job_id":null}])",
        R"([{"job_id":""}])", R"([{"jobId":42}])", "[true]", "{}", "null", R"({"job_id":42})", "7"})
    for (auto* event : {"join_job", "leave_job"}) {
      auto request = dialect_a.decode(event, parse_json(args).value());
      ASSERT_FALSE(request) << args;
      EXPECT_EQ(said({request.error()}), R"(error {"message":"job_id is required"})"
                                         "\n")
        << args;
    }
}

TEST(job_dialect, an_impossible_job_id_is_refused_like_an_unknown_one) {
  struct row {
    std::string job_id;
    std::string shown;
  };
  for (auto& [job_id, shown] : std::vector<row>{
         {"-1", "-1"},
         {"1.5", "1.5"},
         {"1e300", "1e+300"},
         {"true", "?"},
         {"[]", "?"},
         {"[42]", "?"},
         {R"({"job_id":42})", "?"},
         {std::string(30, '[') + std::string(30, ']'), "?"},
         {R"("a/b")", "a/b"},
         {R"("a b")", "a b"},
         {R"("' OR 1=1")", "' OR 1=1"},
         {R"("42\n")", "42\n"},
         {'"' + std::string(200, 'x') + '"', std::string(64, 'x')},
         {"\"x" + std::string(199, ' ') + '"', "x" + std::string(63, ' ')},
         {R"("xÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ")", "xÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ"},
       }) {
    auto request = dialect_a.decode("join_job", parse_json(R"([{"job_id":)" + job_id + "}]").value());
    ASSERT_FALSE(request) << job_id;
    EXPECT_EQ(request.error().name, "error");
    EXPECT_EQ(*find_text(request.error().payload, "message"), "Job " + shown + " not found or access denied") << job_id;
  }
}

TEST(job_dialect, not_yours_and_not_there_are_the_same) {
  room_name room{room_kind::job, "42"};
  EXPECT_EQ(said(dialect_a.refused(room, errc::not_found)), said(dialect_a.refused(room, errc::forbidden)));
  EXPECT_NE(said(dialect_a.refused(room, errc::not_found)), said(dialect_a.refused(room, errc::rate_limited)));
}

TEST(job_dialect, an_id_that_is_no_plain_number_stays_a_text) {
  for (std::string id : {"042", "a", "4 2", "-1", "99999999999999999999", "4:2", "4x"}) {
    auto events = dialect_a.render(event_of(event_kind::progress, job_status::running, id), id_type::number);
    EXPECT_EQ(dump_json(*find(events.at(0).payload, "job_id")), '"' + id + '"');
  }
}

TEST(job_dialect, every_update_has_what_its_clients_need) {
  for (auto& [what, event] : scenes())
    for (auto& update : dialect_a.render(event, id_type::number))
      for (auto* key : {"job_id", "status", "progress", "seq", "timestamp"})
        EXPECT_TRUE(find(update.payload, key)) << what << ' ' << key;
}

} // namespace
} // namespace headway
