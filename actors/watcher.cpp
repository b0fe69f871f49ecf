#include "actors/watcher.hpp"

#include <atomic>

namespace headway {

namespace {

std::uint64_t next_watcher_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

} // namespace

connection_actor open_in_table(caf::actor_system& system, const watch_surroundings& around, connection_factory make) {
  auto actor = spawn_connection(system, around.worker, *around.counters, std::move(make));
  around.connections->emplace(actor.address(), actor);
  return actor;
}

watcher::watcher(connection_self self, watch_surroundings around, outbound_ptr out, std::string sid,
                 std::string address)
  : self_{self},
    id_{next_watcher_id()},
    around_{std::move(around)},
    out_{std::move(out)},
    address_{std::move(address)} {
  stats_.sid = std::move(sid);
}

// -- who it is

result<void> watcher::authenticate(std::string_view token) {
  const auto& options = *around_.options;
  if (options.may_log_in)
    if (auto may = options.may_log_in(address_); !may)
      return may;
  auto who = verify_jwt(token, options.jwt, wall_now());
  if (!who) {
    around_.counters->auth_failures.Increment();
    if (options.login_failed && who.error() == errc::auth_invalid)
      options.login_failed(address_);
    return who.error();
  }
  if (who_ && who_->user_id != who->user_id)
    return errc::forbidden;
  return become(std::make_shared<const principal>(std::move(*who)));
}

result<void> watcher::become(principal_ptr who) {
  if (!who_ && around_.options->admit_user) {
    auto place = around_.options->admit_user(who->user_id);
    if (!place)
      return place.error();
    place_ = std::move(*place);
  }
  auto is_new = !who_;
  who_ = std::move(who);
  look_again();
  if (is_new) {
    stats_.user_id = who_->user_id;
    stats_.user_id_is_number = who_->user_id_is_number;
    stats_.connected_at = wall_now();
    around_.counters->connects.Increment();
  }
  tell_stats();
  return {};
}

bool watcher::has_expired() {
  if (!who_ || who_->expires_at == 0)
    return false;
  look_again();
  return wall_now() >= who_->expires_at;
}

steady_time watcher::expires() const { return who_ ? expires_ : steady_time::max(); }

void watcher::look_again() {
  constexpr auto at_most = std::chrono::hours{1}; // clocks are set, too
  if (who_->expires_at == 0)
    expires_ = steady_time::max();
  else
    expires_ = self_->clock().now() +
               std::min<std::chrono::milliseconds>(at_most, std::chrono::milliseconds{who_->expires_at - wall_now()});
}

// -- its rooms

result<void> watcher::enqueue(std::function<void()> request) {
  if (requests_.size() >= around_.options->requests_max)
    return errc::overloaded;
  requests_.push_back(std::move(request));
  run_requests();
  return {};
}

void watcher::run_requests() {
  while (!joining_ && !requests_.empty()) {
    auto request = std::move(requests_.front());
    requests_.pop_front();
    request();
  }
}

void watcher::join(const room_name& room, wire_format format, std::optional<std::uint64_t> after,
                   std::function<void(errc)> answer) {
  if (!rooms_.contains(room) && rooms_.size() >= around_.options->subscriptions_max) {
    around_.counters->limit_exceeded("subscriptions.per_connection_max").Increment();
    answer(errc::too_many_subscriptions);
    return;
  }
  joining_ = true;
  join_room request{room, {id_, out_, format, after}, around_.lane, who_, self_->address()};
  self_->request(around_.directory->of(room), caf::infinite, std::move(request))
    .then(
      [this, alive = shared_from_this(), room, format, answer](const room_joined& msg) {
        joining_ = false;
        if (who_) {
          rooms_[room] = {msg.room, format};
          tell_stats();
          answer({});
        } else
          self_->send(msg.room, leave_room{id_, {}}); // it left meanwhile
        run_requests();
        out_->flush();
      },
      [this, alive = shared_from_this(), answer](const caf::error& e) {
        joining_ = false;
        if (who_)
          answer(to_errc(e));
        run_requests();
        out_->flush();
      });
}

bool watcher::leave(const room_name& room, wire_format format) {
  auto it = rooms_.find(room);
  if (it == rooms_.end())
    return false;
  self_->send(it->second.room, leave_room{id_, format});
  rooms_.erase(it);
  tell_stats();
  return true;
}

void watcher::leave_all() {
  for (const auto& [room, member] : rooms_)
    caf::anon_send(member.room, leave_room{id_, {}});
  rooms_.clear();
  requests_.clear();
  place_.reset();
  if (std::exchange(who_, nullptr))
    caf::anon_send(around_.lane, connection_gone{id_});
}

void watcher::tell_stats() {
  stats_.rooms = rooms_.size();
  self_->send(around_.lane, connection_is{id_, stats_});
}

} // namespace headway
