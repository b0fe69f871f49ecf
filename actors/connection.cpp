#include "actors/connection.hpp"

#include "core/log.hpp"
#include "core/random.hpp"

#include <atomic>

namespace headway {

namespace {

using self_pointer = connection_actor::stateful_pointer<connection_state>;
using engineio::close_reason;

std::uint64_t next_connection_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::string first_text(const json& args, std::string_view key) {
  const auto* text = find_text(args, key);
  return text ? *text : std::string{};
}

class watcher {
public:
  watcher(self_pointer self, worker_surroundings around) : self_{self}, s_{self->state}, around_{std::move(around)} {}

  engineio_peer& peer() { return *s_.peer; }
  steady_time now() const { return self_->clock().now(); }

  /// After every input: handles what was received, writes what is to be written, sets the timer.
  void pump() {
    s_.peer->flush();
    for (auto received = s_.peer->take_received(); !received.empty(); received = s_.peer->take_received()) {
      for (const auto& message : received)
        on_message(message);
      s_.peer->flush();
    }
    if (s_.ended)
      quit_after_lingering();
    else
      arm_timer();
  }

  void on_wake(std::uint64_t generation) {
    if (generation != s_.timer_generation)
      return;
    s_.armed.reset();
    s_.peer->on_time(now());
    if (!s_.ended && !s_.socketio->on_time(now()))
      s_.peer->close(close_reason::forced_close, now());
    pump();
  }

  /// The session is over; the peer may still come for its last answer.
  void on_end() {
    if (std::exchange(s_.ended, true))
      return;
    for (auto& [name, member] : s_.rooms)
      self_->send(member.room, leave_room{s_.id, {}});
    s_.rooms.clear();
    s_.requests.clear();
    self_->send(around_.lane, connection_gone{s_.id});
    quit_after_lingering();
  }

private:
  // -- Socket.IO -----------------------------------------------------------------------------------------------

  void on_message(const engineio::message& message) {
    std::vector<socketio::outgoing> replies;
    auto commands = s_.socketio->on_message(message, replies, now());
    for (const auto& reply : replies)
      send(reply);
    if (!commands) {
      log::info("connection.bad_packet", {{"code", name(commands.error())}, {"bytes", message.data.size()}});
      s_.peer->close(close_reason::parse_error, now());
      return;
    }
    for (auto& command : *commands)
      std::visit([this](auto& c) { on_command(c); }, command);
  }

  void on_command(socketio::connect_command& c) {
    auto who = verify_jwt(first_text(c.auth, "token"), around_.options->jwt, around_.options->wall_clock());
    if (!who) {
      around_.counters->auth_failures.Increment();
      send(s_.socketio->refuse(c.nsp, text(who.error()), json{{"code", name(who.error())}}));
      return;
    }
    s_.who = std::make_shared<const principal>(std::move(*who));
    s_.stats.sid = random_name();
    s_.stats.user_id = s_.who->user_id;
    s_.stats.user_id_is_number = s_.who->user_id_is_number;
    s_.stats.connected_at = around_.options->wall_clock();
    around_.counters->connects.Increment();
    send(s_.socketio->accept(c.nsp, s_.stats.sid));
    for (const auto* d : dialects())
      emit(d->hello(*s_.who, around_.options->wall_clock()));
    tell_stats();
  }

  void on_command(socketio::event_command& c) {
    s_.requests.push_back(std::move(c));
    next_request();
  }

  void on_command(socketio::ack_command&) {} // we ask for none

  void on_command(socketio::disconnect_command&) {
    for (auto& [room, member] : s_.rooms)
      self_->send(member.room, leave_room{s_.id, {}});
    s_.rooms.clear();
    s_.requests.clear();
    s_.who.reset();
    self_->send(around_.lane, connection_gone{s_.id});
  }

  // -- requests ------------------------------------------------------------------------------------------------

  void next_request() {
    while (!s_.busy && !s_.requests.empty()) {
      auto c = std::move(s_.requests.front());
      s_.requests.pop_front();
      on_request(c);
    }
  }

  void on_request(const socketio::event_command& c) {
    auto index = dialect_of(c.name);
    if (!index) {
      acknowledge(c, json{{"ok", false}, {"code", "unknown_event"}});
      return;
    }
    const auto& dialect = *dialects()[*index];
    auto request = dialect.decode(c.name, c.args);
    if (!request) {
      emit({request.error()});
      acknowledge(c, json{{"ok", false}, {"code", name(errc::invalid_field)}});
      return;
    }
    auto format = wire_format{*index, request->ids};
    switch (request->what) {
      case dialect_request::kind::ping:
        emit({dialect.pong(around_.options->wall_clock())});
        acknowledge(c, json{{"ok", true}});
        break;
      case dialect_request::kind::join: join(c, request->room, format); break;
      case dialect_request::kind::leave: leave(c, request->room, format); break;
    }
  }

  static std::optional<dialect_index> dialect_of(std::string_view event) {
    for (std::size_t i = 0; i < dialects().size(); ++i)
      if (dialects()[i]->speaks(event))
        return static_cast<dialect_index>(i);
    return std::nullopt;
  }

  void join(const socketio::event_command& c, const room_name& room, wire_format format) {
    s_.busy = true;
    join_room request{room, {s_.id, s_.peer, format}, around_.lane, s_.who, self_->address()};
    self_->request(around_.directory->of(room), caf::infinite, std::move(request))
      .then(
        [this, c, room, format](const room_joined& msg) {
          if (!s_.who || s_.ended)
            self_->send(msg.room, leave_room{s_.id, {}}); // it left meanwhile
          else {
            s_.rooms[room] = {msg.room, format};
            acknowledge(c, json{{"ok", true}});
            tell_stats();
          }
          finish_request();
        },
        [this, c, room, format](const caf::error& e) {
          emit(dialects()[format.dialect]->refused(room, to_errc(e)));
          acknowledge(c, json{{"ok", false}, {"code", name(to_errc(e))}});
          finish_request();
        });
  }

  void leave(const socketio::event_command& c, const room_name& room, wire_format format) {
    auto it = s_.rooms.find(room);
    if (it == s_.rooms.end())
      emit(dialects()[format.dialect]->left(room, format.ids));
    else {
      self_->send(it->second.room, leave_room{s_.id, format}); // the lane answers, behind the last event
      s_.rooms.erase(it);
      tell_stats();
    }
    acknowledge(c, json{{"ok", true}});
  }

  void finish_request() {
    s_.busy = false;
    if (!s_.ended)
      next_request();
    pump();
  }

  // -- writing -------------------------------------------------------------------------------------------------

  void emit(const std::vector<wire_event>& events) {
    for (const auto& event : events)
      s_.peer->send(text_frame(socketio::event_text("/", event.name, event.payload)));
  }

  void acknowledge(const socketio::event_command& c, json answer) {
    if (c.ack_id && s_.who)
      send(s_.socketio->acknowledge(c.nsp, *c.ack_id, json::array({std::move(answer)})));
  }

  void send(const socketio::outgoing& out) {
    s_.peer->send(out.is_binary ? binary_frame(out.data) : text_frame(out.data));
  }

  void tell_stats() {
    s_.stats.rooms = s_.rooms.size();
    self_->send(around_.lane, connection_is{s_.id, s_.stats});
  }

  // -- time and end --------------------------------------------------------------------------------------------

  void arm_timer() {
    auto due = std::min(s_.peer->session().wake_up(), s_.socketio->wake_up());
    if (due == steady_time::max() || (s_.armed && *s_.armed <= due))
      return; // nothing to wait for, or that timer will look again
    s_.armed = due;
    self_->delayed_send(self_, std::max(due - now(), steady_time::duration::zero()), wake{++s_.timer_generation});
  }

  void quit_after_lingering() {
    if (!s_.released && s_.peer->session().lingers(now()) && around_.sessions->contains(s_.peer->session().sid())) {
      arm_timer();
      return;
    }
    around_.sessions->erase(s_.peer->session().sid());
    self_->quit();
  }

  self_pointer self_;
  connection_state& s_;
  worker_surroundings around_;
};

connection_actor::behavior_type connection(self_pointer self, worker_surroundings around, engineio::transport first,
                                           std::string sid) {
  survive_errors(self, *around.counters);
  auto& s = self->state;
  s.id = next_connection_id();
  auto now = self->clock().now();
  // The peer outlives its actor's state where a lane still holds it: it has the actor's address, not the actor.
  auto address = self->address();
  s.peer = std::make_shared<engineio_peer>(engineio::session{around.options->engine, std::move(sid), first, now},
                                           around.options->queue_bytes_max, *around.counters, [address](close_reason) {
                                             if (auto actor = caf::actor_cast<caf::strong_actor_ptr>(address))
                                               caf::anon_send(caf::actor_cast<connection_actor>(actor), peer_ended{});
                                           });
  s.socketio.emplace(around.options->socketio, now);
  auto w = std::make_shared<watcher>(self, std::move(around));
  return {
    [w](const poll_arrived& msg) {
      w->peer().on_poll(msg.port, w->now());
      w->pump();
    },
    [w](const poll_aborted& msg) {
      w->peer().on_poll_aborted(msg.port, w->now());
      w->pump();
    },
    [w](const post_arrived& msg) {
      w->peer().on_post(msg.port, msg.body, msg.is_octet_stream, w->now());
      w->pump();
    },
    [w](const post_aborted&) {
      w->peer().on_post_aborted(w->now());
      w->pump();
    },
    [w](const websocket_opened& msg) {
      if (msg.is_probe)
        w->peer().on_probe_open(msg.port, w->now());
      else
        w->peer().on_websocket_open(msg.port);
      w->pump();
    },
    [w](const frame_arrived& msg) {
      w->peer().on_frame(msg.port.get(), msg.data, msg.is_binary, w->now());
      w->pump();
      msg.taken();
    },
    [w](const websocket_ended& msg) {
      w->peer().on_websocket_closed(msg.port.get(), msg.reason, w->now());
      w->pump();
    },
    [w](const wake& msg) { w->on_wake(msg.generation); },
    [w](const peer_ended&) { w->on_end(); },
    [self, w](const release&) {
      self->state.released = true;
      w->peer().close(close_reason::server_shutdown, w->now());
      w->pump();
      w->on_end();
    },
  };
}

/// Which worker a session lives on stands in its sid, so that any worker can pass a request on.
std::string make_sid(const worker_surroundings& around) {
  constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuvwxyz";
  auto index = around.worker ? around.worker->index() : 0;
  return random_name() + digits[index % digits.size()];
}

} // namespace

connection_actor open_connection(caf::actor_system& system, const worker_surroundings& around,
                                 engineio::transport first) {
  auto sid = make_sid(around);
  auto actor = spawn_pinned(system, around.worker, connection, around, first, sid);
  around.sessions->emplace(std::move(sid), actor);
  return actor;
}

} // namespace headway
