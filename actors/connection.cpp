#include "actors/connection.hpp"

#include <algorithm>

namespace headway {

namespace {

connection_actor::behavior_type behavior(connection_self self, metrics* m, const connection_factory& make) {
  survive_errors(self, *m);
  self->state.kind = make(self);
  auto kind = [self]() -> connection& { return *self->state.kind; };
  return {
    [kind](const poll_arrived& msg) { kind().on_poll(msg); },
    [kind](const poll_aborted& msg) { kind().on_poll_aborted(msg); },
    [kind](const post_begun& msg) { kind().on_post_begun(msg); },
    [kind](const post_arrived& msg) { kind().on_post(msg); },
    [kind](const post_aborted& msg) { kind().on_post_aborted(msg); },
    [kind](const websocket_opened& msg) { kind().on_websocket(msg); },
    [kind](const frame_arrived& msg) {
      kind().on_frame(msg);
      msg.taken();
    },
    [kind](const pong_arrived& msg) { kind().on_pong(msg); },
    [kind](const websocket_ended& msg) { kind().on_websocket_ended(msg); },
    [self, kind](const wake& msg) {
      if (msg.generation != self->state.timer_generation)
        return;
      self->state.armed.reset();
      kind().on_time();
    },
    [kind](const outbound_changed&) { kind().on_outbound_changed(); },
    [kind](const release&) { kind().on_release(); },
  };
}

} // namespace

connection_actor spawn_connection(caf::actor_system& system, io_worker* worker, metrics& m, connection_factory make) {
  return spawn_pinned(system, worker, behavior, &m, std::move(make));
}

void wake_at(connection_self self, steady_time due) {
  auto& s = self->state;
  if (due == steady_time::max() || (s.armed && *s.armed <= due))
    return;
  s.armed = due;
  auto now = self->clock().now();
  self->delayed_send(self, std::max(due - now, steady_time::duration::zero()), wake{++s.timer_generation});
}

} // namespace headway
