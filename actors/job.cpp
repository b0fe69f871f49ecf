#include "actors/job.hpp"

#include "core/log.hpp"

#include <memory>

namespace headway {

namespace {

using self_pointer = job_tracker::stateful_pointer<job_tracker_state>;
using phase = job_tracker_state::phase;
using request = job_tracker_state::request;

/// Lost races with another node before a worker is told to try again.
constexpr int max_tries = 5;

/// The handlers' common ground; judgement about jobs is core/job's, about pace core/throttle's.
class tracker {
public:
  tracker(self_pointer self, std::string id, job_surroundings around)
    : self_{self}, s_{self->state}, id_{std::move(id)}, around_{std::move(around)} {}

  void on_request(request r) {
    touch();
    if (s_.now != phase::live && !(r.creation && s_.now == phase::unknown)) {
      s_.stash.push_back(std::move(r));
      load_when_quiet();
    } else
      handle(std::move(r));
  }

  void on_written(const job_written& msg) {
    for (const auto& outcome : msg.results) {
      auto write = std::move(s_.in_flight.front());
      s_.in_flight.pop_front();
      if (outcome.error != errc{})
        fail(std::move(write.origin), outcome.error);
      else
        settle(write.origin, outcome);
    }
    load_when_quiet();
    quit_when_done();
  }

  void on_tick_due(std::uint64_t generation) {
    if (generation == s_.timer_generation)
      flush_held();
  }

  void on_idle_check() {
    s_.idle_check_armed = false;
    auto idle = self_->clock().now() - s_.last_used >= around_.options.linger;
    if (!idle || !s_.in_flight.empty() || s_.held)
      arm_idle_check();
    else
      around_.ask_to_retire(self_->address());
  }

  void leave() {
    s_.leaving = true;
    flush_held();
    quit_when_done();
  }

private:
  void touch() {
    s_.last_used = self_->clock().now();
    arm_idle_check();
  }

  void arm_idle_check() {
    if (s_.idle_check_armed)
      return;
    s_.idle_check_armed = true;
    self_->delayed_send(self_, around_.options.linger, idle_check{});
  }

  // -- reading the job -----------------------------------------------------------------------------------------

  void load_when_quiet() {
    auto wanted = s_.now == phase::unknown || s_.now == phase::failed;
    if (!wanted || !s_.in_flight.empty())
      return;
    if (s_.lost_tick)
      s_.lost.push_back(std::move(*s_.lost_tick));
    s_.lost_tick.reset();
    auto lost = std::exchange(s_.lost, {});
    s_.stash.insert(s_.stash.begin(), std::make_move_iterator(lost.begin()), std::make_move_iterator(lost.end()));
    if (s_.stash.empty())
      return;
    s_.now = phase::loading;
    self_->request(around_.reader, caf::infinite, load_job{id_})
      .then([this](job_loaded& msg) { loaded(std::move(msg.state)); },
            [this](const caf::error& e) { refuse_stash(to_errc(e)); });
  }

  void loaded(job_state state) {
    s_.committed_seq = state.seq;
    s_.committed_position = state.position;
    go_live(std::move(state));
    for (auto& r : std::exchange(s_.stash, {}))
      on_request(std::move(r));
    quit_when_done();
  }

  void go_live(job_state state) {
    s_.now = phase::live;
    s_.state = std::move(state);
    s_.chain = std::make_shared<write_chain>();
    if (!s_.facts)
      s_.facts.emplace(around_.options.facts_per_second, around_.options.facts_burst);
  }

  void refuse_stash(errc why) {
    s_.now = phase::unknown;
    auto waiting = std::exchange(s_.stash, {});
    while (!waiting.empty()) {
      auto r = std::move(waiting.front());
      waiting.pop_front();
      if (r.creation && why == errc::not_found) {
        handle(std::move(r));
        break; // what follows finds the job
      }
      r.refuse(why);
    }
    for (auto& r : waiting)
      on_request(std::move(r));
    if (s_.now == phase::unknown && why == errc::not_found)
      around_.ask_to_retire(self_->address());
    quit_when_done();
  }

  // -- updates -------------------------------------------------------------------------------------------------

  void handle(request r) {
    if (const auto* limit = around_.gate->full_of()) {
      around_.counters->limit_exceeded(limit).Increment();
      r.refuse(errc::overloaded);
    } else if (r.creation)
      create_one(std::move(r));
    else
      apply_one(std::move(r));
  }

  void create_one(request r) {
    if (s_.now == phase::live) {
      r.refuse(errc::job_exists);
      return;
    }
    auto now = around_.options.wall_clock();
    auto info = std::make_shared<job_info>(*r.creation);
    info->created_at = now;
    go_live({}); // the store knows whether it exists
    write(create(std::move(info), now), std::move(r));
  }

  throttle& pace() {
    if (!s_.pace)
      s_.pace.emplace(s_.state.info->throttle.value_or(around_.options.throttle));
    return *s_.pace;
  }

  void apply_one(request r) {
    auto base = s_.state;
    if (s_.held)
      base.view = s_.held->after.view; // a tick merges with the one that is held; a fact comes after it
    auto next = apply(base, r.update, around_.options.wall_clock());
    if (!next)
      r.refuse(next.error());
    else if (!next->changed)
      answer_as_is(std::move(r));
    else if (!is_tick(r.update.verb))
      apply_fact(std::move(*next), std::move(r));
    else if (s_.state.view.status == job_status::queued) {
      pace().on_flush(self_->clock().now(), next->after.view.progress); // it starts the job: a fact goes with it
      write(std::move(*next), std::move(r));
    } else
      apply_tick(std::move(*next), std::move(r));
  }

  void apply_tick(job_transition next, request r) {
    auto now = self_->clock().now();
    if (pace().on_tick(now, next.after.view.progress) == throttle::verdict::pass) {
      if (s_.held) { // it is in `next` already
        auto waiters = take_held();
        r.update = as_update(next.after.view);
        r.promises.insert(r.promises.end(), waiters.begin(), waiters.end());
      }
      write(std::move(next), std::move(r));
      return;
    }
    if (s_.held)
      around_.counters->ticks_merged.Increment();
    else {
      s_.held.emplace();
      self_->delayed_send(self_, pace().due() - now, tick_due{++s_.timer_generation});
    }
    s_.held->after = std::move(next.after);
    for (auto& promise : r.promises) {
      if (r.wait_durable)
        s_.held->waiters.push_back(std::move(promise));
      else
        promise.deliver(job_ack{id_, s_.state.info->id_is_number, 0, 0, true});
    }
  }

  void apply_fact(job_transition next, request r) {
    if (!s_.facts->take(self_->clock().now())) {
      around_.counters->rate_limited.Increment();
      r.refuse(errc::rate_limited);
      return;
    }
    if (s_.held) {
      flush_held();
      if (auto later = apply(s_.state, r.update, around_.options.wall_clock()))
        next = std::move(*later);
    }
    write(std::move(next), std::move(r));
  }

  /// Nothing to write: the answer is where the job stands, once that is committed.
  void answer_as_is(request r) {
    if (!s_.in_flight.empty()) {
      auto& last = s_.in_flight.back().origin.promises;
      last.insert(last.end(), r.promises.begin(), r.promises.end());
      return;
    }
    for (auto& promise : r.promises)
      promise.deliver(job_ack{id_, s_.state.info->id_is_number, s_.committed_seq, s_.committed_position, false});
  }

  // -- the held tick -------------------------------------------------------------------------------------------

  /// Ticks merged to one: the bar, the message and the stage as they stand.
  static job_update as_update(const job_view& view) {
    job_update merged;
    merged.verb = job_verb::progress;
    merged.progress = view.progress;
    merged.message = view.message;
    merged.stage = view.stage;
    return merged;
  }

  std::vector<ack_promise> take_held() {
    ++s_.timer_generation;
    auto waiters = s_.held ? std::move(s_.held->waiters) : std::vector<ack_promise>{};
    s_.held.reset();
    return waiters;
  }

  void flush_held() {
    if (!s_.held)
      return;
    auto merged = as_update(s_.held->after.view);
    pace().on_flush(self_->clock().now(), *merged.progress);
    auto waiters = take_held();
    if (auto next = apply(s_.state, merged, around_.options.wall_clock()))
      write(std::move(*next), request{{}, std::move(merged), true, std::move(waiters), 0});
  }

  // -- writing -------------------------------------------------------------------------------------------------

  void write(job_transition next, request origin) {
    auto what = std::make_shared<job_write>();
    what->expected_seq = s_.state.seq;
    what->after = next.after;
    what->events.reserve(next.events.size());
    for (auto& event : next.events)
      what->events.push_back(std::make_shared<job_event>(std::move(event)));
    s_.state = std::move(next.after);
    s_.in_flight.push_back({std::move(origin)});
    around_.gate->enter(text_bytes(*what));
    self_->send(around_.storage, write_job{self_, std::move(what), s_.chain});
  }

  void settle(request& origin, const write_result& outcome) {
    s_.committed_seq = outcome.seq;
    s_.committed_position = outcome.position;
    for (auto& promise : origin.promises)
      promise.deliver(job_ack{id_, s_.state.info->id_is_number, outcome.seq, outcome.position, false});
  }

  /// What was in flight behind a failed write fails as well: nothing new is written before the job is read anew.
  void fail(request origin, errc why) {
    s_.now = phase::failed;
    if (why == errc::stale_seq && s_.held) {
      auto merged = as_update(s_.held->after.view);
      s_.lost_tick = request{{}, std::move(merged), true, take_held(), 0};
    }
    for (auto& promise : take_held())
      promise.deliver(make_error(why));
    if (why != errc::stale_seq)
      origin.refuse(why);
    else if (++origin.tries > max_tries)
      origin.refuse(errc::store_unavailable);
    else
      s_.lost.push_back(std::move(origin));
  }

  void quit_when_done() {
    if (!s_.leaving)
      return;
    flush_held(); // what came behind `stop`
    if (s_.in_flight.empty() && s_.stash.empty())
      self_->quit();
  }

  self_pointer self_;
  job_tracker_state& s_;
  std::string id_;
  job_surroundings around_;
};

} // namespace

job_tracker::behavior_type job(self_pointer self, std::string id, job_surroundings around) {
  survive_errors(self, *around.counters);
  around.counters->jobs_live.Increment();
  self->attach_functor([m = around.counters] { m->jobs_live.Decrement(); });
  auto t = std::make_shared<tracker>(self, std::move(id), std::move(around));
  return {
    [self, t](create_job& msg) {
      auto promise = self->make_response_promise<job_ack>();
      t->on_request({std::move(msg.info), {}, true, {promise}, 0});
      return promise;
    },
    [self, t](update_job& msg) {
      auto promise = self->make_response_promise<job_ack>();
      t->on_request({{}, std::move(msg.update), msg.wait_durable, {promise}, 0});
      return promise;
    },
    [t](const job_written& msg) { t->on_written(msg); },
    [t](const retired&) { t->leave(); },
    [t](const tick_due& msg) { t->on_tick_due(msg.generation); },
    [t](const idle_check&) { t->on_idle_check(); },
    [t](const stop&) { t->leave(); },
  };
}

} // namespace headway
