#include "net/dialect/core.hpp"
#include "tests/dialect/golden.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace headway {
namespace {

constexpr epoch_ms now = 1'795'230'720'123;
const core_words words;

constexpr std::array all_kinds{event_kind::created,   event_kind::status,    event_kind::progress,
                               event_kind::output,    event_kind::completed, event_kind::failed,
                               event_kind::cancelled, event_kind::blocked,   event_kind::custom};

/// A new kind of event does not compile here: put it above, too.
job_status status_of(event_kind kind) {
  switch (kind) {
    case event_kind::created: return job_status::queued;
    case event_kind::completed: return job_status::completed;
    case event_kind::failed: return job_status::failed;
    case event_kind::cancelled: return job_status::cancelled;
    case event_kind::blocked: return job_status::blocked;
    case event_kind::status:
    case event_kind::progress:
    case event_kind::output:
    case event_kind::custom: return job_status::running;
  }
  return job_status::running;
}

job_event event_of(event_kind kind) {
  auto info = std::make_shared<job_info>();
  info->id = "42";
  info->user_id = "alice";
  info->created_at = now - 5000;
  job_event event;
  event.info = std::move(info);
  event.kind = kind;
  event.position = 99;
  event.seq = 7;
  event.time = now;
  event.view.status = status_of(kind);
  event.view.progress = 42.5;
  if (kind != event_kind::created)
    event.view.started_at = now - 4000;
  if (is_ending(event.view.status))
    event.view.ended_at = now;
  if (kind == event_kind::output)
    event.chunk = "line\n";
  return event;
}

struct scene {
  std::string what;
  job_event event;
};

/// Every kind of event, with and without what it may carry.
std::vector<scene> scenes() {
  std::vector<scene> all;
  for (auto kind : all_kinds)
    all.push_back({std::string{to_string(kind)}, event_of(kind)});
  auto add = [&all](std::string what, event_kind kind) -> job_event& {
    return all.emplace_back(std::move(what), event_of(kind)).event;
  };
  auto& both = add("progress, stage and message", event_kind::progress);
  both.view.stage = "Drafting";
  both.view.message = "Page 3";
  auto& chunk = add("output, type and offset", event_kind::output);
  chunk.chunk_type = "stderr";
  chunk.chunk_offset = 12;
  auto& done = add("completed, result", event_kind::completed);
  done.view.progress = 100;
  done.view.result = R"({"z":1,"a":[1.5,null,"ä"]})";
  add("failed, error", event_kind::failed).view.error = job_error{"out of memory", "oom", true};
  add("blocked, error", event_kind::blocked).view.error = job_error{"quota exceeded", {}, {}};
  auto number = event_of(event_kind::progress);
  auto info = *number.info;
  info.id_is_number = true;
  number.info = std::make_shared<job_info>(std::move(info));
  all.push_back({"progress, created by a number", std::move(number)});
  return all;
}

job_state state_of(const job_event& event) {
  return {event.info, event.view, event.seq, event.position, 0, event.time};
}

TEST(core_dialect, says_what_its_golden_file_says) {
  golden_file golden{"core.jsonl"};
  golden.add("hello", words.hello(principal{}, now));
  golden.add("pong", {words.pong(now)});
  for (const auto& [what, event] : scenes()) {
    golden.add("render " + what, words.render(event, id_type::text));
    golden.add("joined " + what, words.joined(state_of(event), id_type::text, {}));
  }
  const room_name room{room_kind::job, "42"};
  golden.add("reset", words.joined(state_of(event_of(event_kind::progress)), id_type::text, {.reset = true}));
  golden.add("resumed", words.resumed(room, 99));
  golden.add("left", words.left(room, id_type::text));
  for (auto why : {errc::not_found, errc::too_many_subscriptions, errc::store_unavailable})
    golden.add("refused, " + std::string{name(why)}, words.refused(room, why));
  golden.check();
}

TEST(core_dialect, is_spoken_by_no_socketio_client) {
  for (const auto* event : {"", "join", "leave", "ping", "state", "join_job"})
    EXPECT_FALSE(words.speaks(event));
}

// -- all dialects -------------------------------------------------------------------------------------------------

struct unspoken {
  std::string_view dialect;
  event_kind kind;
};
/// What a dialect's clients have no word for.
constexpr std::array left_out{unspoken{"job", event_kind::output}, unspoken{"job", event_kind::custom}};

TEST(dialects, every_kind_of_event_is_spoken_or_left_out_on_purpose) {
  for (const auto* d : dialects())
    for (auto kind : all_kinds) {
      auto is_left_out = std::ranges::any_of(
        left_out, [&](const unspoken& row) { return row.dialect == d->name() && row.kind == kind; });
      EXPECT_EQ(d->render(event_of(kind), id_type::text).empty(), is_left_out) << d->name() << ' ' << to_string(kind);
    }
}

TEST(dialects, names_are_unique) {
  std::vector<std::string_view> names;
  for (const auto* d : dialects())
    names.push_back(d->name());
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

} // namespace
} // namespace headway
