#include "actors/directory.hpp"

namespace headway {

namespace {

using self_pointer = directory_actor::stateful_pointer<directory_state>;

class registry {
public:
  registry(self_pointer self, directory_factories factories)
    : self_{self}, s_{self->state}, factories_{std::move(factories)} {}

  const job_tracker& job(const std::string& id) {
    auto [it, fresh] = s_.jobs.try_emplace(id);
    if (fresh)
      it->second = watch(factories_.job(id, directory_actor{self_}), id);
    return it->second;
  }

  const room_actor& room(const room_name& which) {
    auto [it, fresh] = s_.rooms.try_emplace(which);
    if (fresh)
      it->second = watch(factories_.room(which, directory_actor{self_}), which);
    return it->second;
  }

  template <class Map, class Key>
  void forget(Map& map, const Key& key, const caf::actor_addr& who) {
    auto it = map.find(key);
    if (it == map.end() || it->second.address() != who)
      return;
    self_->send(it->second, retired{});
    map.erase(it);
  }

  void stop_all() {
    s_.stopping = true;
    for (const auto& [id, actor] : s_.jobs)
      self_->send(actor, stop{});
    for (const auto& [name, actor] : s_.rooms)
      self_->send(actor, stop{});
    quit_when_all_ended();
  }

  void ended(const caf::actor_addr& who) {
    auto it = s_.alive.find(who);
    if (it == s_.alive.end())
      return;
    // One that ended without asking (by an exception) must not be found again.
    if (auto* id = std::get_if<std::string>(&it->second))
      erase_if_same(s_.jobs, *id, who);
    else
      erase_if_same(s_.rooms, std::get<room_name>(it->second), who);
    s_.alive.erase(it);
    quit_when_all_ended();
  }

private:
  template <class Map, class Key>
  static bool erase_if_same(Map& map, const Key& key, const caf::actor_addr& who) {
    auto it = map.find(key);
    if (it == map.end() || it->second.address() != who)
      return false;
    map.erase(it);
    return true;
  }

  template <class Handle, class Key>
  Handle watch(Handle actor, const Key& key) {
    s_.alive.emplace(actor.address(), key);
    self_->monitor(actor);
    return actor;
  }

  void quit_when_all_ended() {
    if (!s_.stopping || !s_.alive.empty())
      return;
    s_.all_ended.deliver(stopped{});
    self_->quit();
  }

  self_pointer self_;
  directory_state& s_;
  directory_factories factories_;
};

} // namespace

directory_actor::behavior_type directory(self_pointer self, directory_factories factories, metrics* m) {
  survive_errors(self, *m);
  auto r = std::make_shared<registry>(self, std::move(factories));
  self->set_down_handler([r](const caf::down_msg& msg) { r->ended(msg.source); });
  return {
    [self, r](create_job& msg) -> caf::result<job_ack> {
      if (self->state.stopping)
        return make_error(errc::shutting_down);
      const auto& actor = r->job(msg.info.id);
      return self->delegate(actor, std::move(msg));
    },
    [self, r](update_job& msg) -> caf::result<job_ack> {
      if (self->state.stopping)
        return make_error(errc::shutting_down);
      const auto& actor = r->job(msg.job_id);
      return self->delegate(actor, std::move(msg));
    },
    [self, r](const find_job& msg) -> caf::result<job_found> {
      if (self->state.stopping)
        return make_error(errc::shutting_down);
      return job_found{r->job(msg.job_id)};
    },
    [self, r](join_room& msg) -> caf::result<room_joined> {
      if (self->state.stopping)
        return make_error(errc::shutting_down);
      const auto& actor = r->room(msg.room);
      return self->delegate(actor, std::move(msg));
    },
    [self, r](const retire_job& msg) { r->forget(self->state.jobs, msg.job_id, msg.who); },
    [self, r](const retire_room& msg) { r->forget(self->state.rooms, msg.room, msg.who); },
    [self, r](const stop&) {
      self->state.all_ended = self->make_response_promise<stopped>();
      auto promise = self->state.all_ended;
      r->stop_all();
      return promise;
    },
  };
}

} // namespace headway
