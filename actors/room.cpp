#include "actors/room.hpp"

#include <algorithm>

namespace headway {

namespace {

using self_pointer = room_actor::stateful_pointer<room_state>;
using pending_join = room_state::pending_join;

class audience {
public:
  audience(self_pointer self, room_name which, room_surroundings around)
    : self_{self}, s_{self->state}, which_{std::move(which)}, around_{std::move(around)} {}

  /// Nobody stands at a lane who may not: a lane asks no more, and may know the job from an earlier room of this name.
  void join(pending_join join) {
    if (which_.kind != room_kind::job) { // the others come with their own rules of who may join
      join.promise.deliver(make_error(errc::not_found));
      retire_if_empty();
    } else if (!s_.info) {
      s_.before_info.push_back(std::move(join));
      find_out();
    } else if (may_read(*join.request.who, *s_.info))
      attach(std::move(join));
    else {
      join.promise.deliver(make_error(errc::not_found));
      retire_if_empty();
    }
  }

  void leave(const leave_room& msg) {
    auto it = s_.members.find(msg.member_id);
    if (it == s_.members.end())
      return;
    self_->send(it->second.lane, detach_member{which_, msg.member_id, msg.answer});
    remove(it);
  }

  void connection_down(const caf::actor_addr& connection) {
    for (auto id = s_.ids.find(connection); id != s_.ids.end(); id = s_.ids.find(connection)) {
      auto it = s_.members.find(id->second);
      self_->send(it->second.lane, detach_member{which_, it->first, {}});
      remove(it);
    }
  }

  void forgotten() {
    s_.forgotten = true;
    retire_if_empty();
  }

private:
  void add(const join_room& request) {
    auto [it, fresh] =
      s_.members.try_emplace(request.member.id, room_state::membership{request.lane, request.connection});
    if (!fresh)
      return;
    if (!s_.ids.contains(request.connection))
      self_->monitor(request.connection);
    s_.ids.emplace(request.connection, request.member.id);
    around_.counters->subscriptions.Increment();
  }

  void remove(std::unordered_map<std::uint64_t, room_state::membership>::iterator it) {
    auto connection = it->second.connection;
    auto [begin, end] = s_.ids.equal_range(connection);
    s_.ids.erase(std::find_if(begin, end, [it](const auto& entry) { return entry.second == it->first; }));
    if (!s_.ids.contains(connection))
      self_->demonitor(connection);
    s_.members.erase(it);
    around_.counters->subscriptions.Decrement();
    retire_if_empty();
  }

  /// Whose job is it?
  void find_out() {
    if (std::exchange(s_.finding_out, true))
      return;
    self_->request(around_.reader, caf::infinite, load_job{which_.id})
      .then(
        [this](job_loaded& msg) {
          s_.info = std::move(msg.state.info);
          found_out({});
        },
        [this](const caf::error& e) { found_out(to_errc(e)); });
  }

  void found_out(errc wrong) {
    for (auto& join : std::exchange(s_.before_info, {})) {
      if (s_.info)
        this->join(std::move(join));
      else
        join.promise.deliver(make_error(wrong));
    }
    s_.finding_out = false; // now: one that was refused must not make the room retire
    retire_if_empty();
  }

  void attach(pending_join join) {
    add(join.request);
    self_->request(join.request.lane, caf::infinite, attach_member{which_, join.request.member})
      .then(
        [this, join](const lane_attached& at) mutable {
          if (!at.needs_state) {
            join.promise.deliver(room_joined{room_actor{self_}});
            return;
          }
          s_.unseeded.push_back(std::move(join));
          load();
        },
        [join](const caf::error& e) mutable { join.promise.deliver(make_error(to_errc(e))); });
  }

  /// Reads the state for all who are attached by now; who comes later waits for the next reading.
  void load() {
    if (s_.loading)
      return;
    s_.loading = true;
    auto joins = std::make_shared<std::vector<pending_join>>(std::exchange(s_.unseeded, {}));
    self_->request(around_.reader, caf::infinite, load_job{which_.id})
      .then(
        [this, joins](job_loaded& msg) {
          auto names_position = [](const pending_join& join) { return join.request.member.after.has_value(); };
          if (std::ranges::any_of(*joins, names_position))
            load_missed(joins, std::move(msg.state), 64);
          else
            seed(*joins, msg.state, nullptr);
        },
        [this, joins](const caf::error& e) { refuse_all(*joins, to_errc(e)); });
  }

  /// The job's last events, more of them where some member missed more than these. One beyond what may be missed: by it
  /// is known that none lies between.
  void load_missed(const std::shared_ptr<std::vector<pending_join>>& joins, job_state state, std::size_t page) {
    auto most = around_.replay_max + 1;
    page = std::min(page, most);
    auto from = state.seq > page ? state.seq - page : 0;
    self_->request(around_.reader, caf::infinite, load_events{which_.id, from, page})
      .then(
        [this, joins, state = std::move(state), page, most](events_loaded& msg) {
          replay known;
          known.is_whole = state.seq <= page;
          for (auto& event : msg.events)
            if (event.position <= state.position)
              known.events.push_back(std::make_shared<const job_event>(std::move(event)));
          auto goes_back_far_enough = [&known](const pending_join& join) { return known.covers(join.request.member); };
          if (page < most && !std::ranges::all_of(*joins, goes_back_far_enough))
            load_missed(joins, state, most);
          else
            seed(*joins, state, &known);
        },
        [this, joins](const caf::error& e) { refuse_all(*joins, to_errc(e)); });
  }

  /// The end of a job's log, as far as it was read.
  struct replay {
    std::vector<job_event_ptr> events;
    bool is_whole = false; ///< from the first event on

    bool covers(const lane_member& member) const {
      return !member.after || is_whole || (!events.empty() && events.front()->position <= *member.after);
    }
    missed_events for_member(const lane_member& member) const {
      missed_events missed{member.id, {}, covers(member)};
      for (const auto& event : events)
        if (missed.complete && event->position > *member.after)
          missed.events.push_back(event);
      return missed;
    }
  };

  void seed(std::vector<pending_join>& joins, const job_state& state, const replay* known) {
    for (auto& join : joins) {
      seed_room msg{which_, state, {}};
      if (join.request.member.after)
        msg.missed.push_back(known->for_member(join.request.member));
      self_->send(join.request.lane, std::move(msg));
      join.promise.deliver(room_joined{room_actor{self_}});
    }
    go_on();
  }

  void refuse_all(std::vector<pending_join>& joins, errc why) {
    for (auto& join : joins)
      refuse(join, why);
    go_on();
  }

  void go_on() {
    s_.loading = false;
    if (!s_.unseeded.empty())
      load();
    retire_if_empty();
  }

  void refuse(pending_join& join, errc why) {
    auto it = s_.members.find(join.request.member.id);
    if (it != s_.members.end()) {
      self_->send(it->second.lane, detach_member{which_, it->first, {}});
      remove(it);
    }
    join.promise.deliver(make_error(why));
  }

  void retire_if_empty() {
    if (!s_.members.empty() || s_.loading || s_.finding_out || !s_.before_info.empty())
      return;
    if (s_.forgotten)
      self_->quit();
    else if (!std::exchange(s_.asked_to_retire, true))
      around_.ask_to_retire(self_->address());
  }

  self_pointer self_;
  room_state& s_;
  room_name which_;
  room_surroundings around_;
};

} // namespace

room_actor::behavior_type room(self_pointer self, room_name which, room_surroundings around) {
  survive_errors(self, *around.counters);
  around.counters->rooms.Increment();
  self->attach_functor([m = around.counters] { m->rooms.Decrement(); });
  auto a = std::make_shared<audience>(self, std::move(which), std::move(around));
  self->set_down_handler([a](const caf::down_msg& msg) { a->connection_down(msg.source); });
  return {
    [self, a](join_room& msg) {
      auto promise = self->make_response_promise<room_joined>();
      a->join({std::move(msg), promise});
      return promise;
    },
    [a](const leave_room& msg) { a->leave(msg); },
    [a](const retired&) { a->forgotten(); },
    [self](const stop&) { self->quit(); },
  };
}

} // namespace headway
