#include "core/job.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <random>

namespace headway {

namespace {

constexpr std::array<std::string_view, 6> statuses{"queued", "running", "completed", "failed", "cancelled", "blocked"};
constexpr std::array<std::string_view, 9> kinds{"created", "status",    "progress", "output", "completed",
                                                "failed",  "cancelled", "blocked",  "custom"};
constexpr std::array<std::string_view, 10> verbs{"start",    "progress", "increment", "stage", "output",
                                                 "complete", "fail",     "cancel",    "block", "heartbeat"};

template <class Enum, std::size_t N>
std::optional<Enum> find_name(const std::array<std::string_view, N>& names, std::string_view text) {
  auto it = std::ranges::find(names, text);
  if (it == names.end())
    return std::nullopt;
  return static_cast<Enum>(it - names.begin());
}

/// The status a verb ends a job with; running for verbs that end nothing.
job_status ending_of(job_verb verb) {
  switch (verb) {
    case job_verb::complete: return job_status::completed;
    case job_verb::fail: return job_status::failed;
    case job_verb::cancel: return job_status::cancelled;
    case job_verb::block: return job_status::blocked;
    default: return job_status::running;
  }
}

event_kind ending_event(job_status status) {
  switch (status) {
    case job_status::completed: return event_kind::completed;
    case job_status::failed: return event_kind::failed;
    case job_status::cancelled: return event_kind::cancelled;
    default: return event_kind::blocked;
  }
}

/// Sums of decimals without their dust: 0.1 + 0.2 is 0.3.
double rounded(double value) {
  constexpr double grain = 1e9;
  return std::round(value * grain) / grain;
}

/// Builds a transition event by event.
class transition_builder {
public:
  transition_builder(const job_state& before, epoch_ms now) : now_{now} {
    out_.after = before;
    out_.after.updated_at = now;
  }

  job_view& view() { return out_.after.view; }
  job_state& state() { return out_.after; }

  job_event& add(event_kind kind) {
    auto& event = out_.events.emplace_back();
    event.seq = ++out_.after.seq;
    event.kind = kind;
    event.time = now_;
    event.id = make_event_id(now_);
    event.info = out_.after.info;
    event.view = out_.after.view;
    return event;
  }

  void start() {
    view().status = job_status::running;
    view().started_at = now_;
    add(event_kind::status);
  }

  job_transition take() { return std::move(out_); }

private:
  epoch_ms now_;
  job_transition out_;
};

void end_view(job_view& view, job_status ending, const job_update& update, epoch_ms now) {
  view.status = ending;
  view.ended_at = now;
  view.message = update.message.value_or(""); // what it last was at is no longer true
  if (ending == job_status::completed) {
    view.progress = 100;
    view.result = update.result;
  }
  if (ending == job_status::failed || ending == job_status::blocked)
    view.error = update.error.value_or(job_error{});
}

errc check(const job_update& update) {
  auto wants_progress = update.verb == job_verb::progress || update.verb == job_verb::increment;
  if (wants_progress && !update.progress)
    return errc::invalid_field;
  if (update.verb == job_verb::stage && !update.stage)
    return errc::invalid_field;
  if (update.verb == job_verb::output && update.chunk.empty())
    return errc::invalid_field;
  if (update.progress && !(*update.progress >= 0 && *update.progress <= 100)) // also refuses NaN
    return errc::out_of_range;
  return errc{};
}

} // namespace

std::string_view to_string(job_status status) noexcept { return statuses[static_cast<std::size_t>(status)]; }
std::string_view to_string(event_kind kind) noexcept { return kinds[static_cast<std::size_t>(kind)]; }
std::string_view to_string(job_verb verb) noexcept { return verbs[static_cast<std::size_t>(verb)]; }

std::optional<job_status> job_status_from(std::string_view text) noexcept {
  return find_name<job_status>(statuses, text);
}
std::optional<event_kind> event_kind_from(std::string_view text) noexcept { return find_name<event_kind>(kinds, text); }
std::optional<job_verb> job_verb_from(std::string_view text) noexcept { return find_name<job_verb>(verbs, text); }

bool is_tick(job_verb verb) noexcept {
  return verb == job_verb::progress || verb == job_verb::increment || verb == job_verb::stage;
}

bool is_job_id(std::string_view text) noexcept {
  constexpr std::size_t max_length = 128;
  auto allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c == ':' || c == '-'; };
  return !text.empty() && text.size() <= max_length && std::ranges::all_of(text, allowed);
}

event_id make_event_id(epoch_ms now) {
  thread_local std::mt19937_64 random{[] {
    std::random_device seed;
    std::seed_seq words{seed(), seed(), seed(), seed()};
    return std::mt19937_64{words};
  }()};
  event_id id;
  for (std::size_t i = 0; i < 6; ++i)
    id[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(now) >> (8 * (5 - i)));
  auto low = random();
  auto high = random();
  for (std::size_t i = 6; i < 8; ++i)
    id[i] = static_cast<std::uint8_t>(high >> (8 * (i - 6)));
  for (std::size_t i = 8; i < 16; ++i)
    id[i] = static_cast<std::uint8_t>(low >> (8 * (i - 8)));
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0FU) | 0x70U); // version 7
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3FU) | 0x80U); // variant of RFC 9562
  return id;
}

std::string to_string(const event_id& id) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      out += '-';
    out += digits[id[i] >> 4U];
    out += digits[id[i] & 0x0FU];
  }
  return out;
}

std::string stream_of(const job_info& info) { return "job:" + info.id; }

job_transition create(std::shared_ptr<const job_info> info, epoch_ms now) {
  job_state fresh;
  fresh.info = std::move(info);
  transition_builder build{fresh, now};
  build.add(event_kind::created);
  return build.take();
}

result<job_transition> apply(const job_state& before, const job_update& update, epoch_ms now) {
  if (auto wrong = check(update); wrong != errc{})
    return wrong;
  auto ending = ending_of(update.verb);
  if (is_ending(before.view.status)) {
    if (before.view.status != ending)
      return errc::job_ended;
    return job_transition{before, {}, false};
  }

  transition_builder build{before, now};
  auto& view = build.view();
  if (update.verb == job_verb::start && view.status == job_status::running && !update.message && !update.stage)
    return job_transition{before, {}, false};
  auto was_queued = view.status == job_status::queued;
  if (was_queued && update.verb != job_verb::start)
    build.start();
  if (update.message && update.verb != job_verb::heartbeat) // a heartbeat tells nothing, so it must change nothing
    view.message = *update.message;
  if (update.stage && update.verb != job_verb::heartbeat)
    view.stage = *update.stage;

  switch (update.verb) {
    case job_verb::start:
      if (was_queued)
        build.start();
      else
        build.add(event_kind::status);
      break;
    case job_verb::progress:
    case job_verb::stage:
      view.progress = std::max(view.progress, update.progress.value_or(0));
      build.add(event_kind::progress);
      break;
    case job_verb::increment:
      view.progress = std::clamp(rounded(view.progress + update.progress.value_or(0)), view.progress, 100.0);
      build.add(event_kind::progress);
      break;
    case job_verb::output: {
      auto& event = build.add(event_kind::output);
      event.chunk = update.chunk;
      event.chunk_type = update.chunk_type;
      event.chunk_offset = before.output_bytes;
      build.state().output_bytes += update.chunk.size();
      break;
    }
    case job_verb::complete:
    case job_verb::fail:
    case job_verb::cancel:
    case job_verb::block:
      end_view(view, ending, update, now);
      build.add(ending_event(ending));
      break;
    case job_verb::heartbeat: break;
  }
  return build.take();
}

} // namespace headway
