#include "actors/connection.hpp"

#include <algorithm>

namespace headway {

namespace {

connection_actor::behavior_type behavior(connection_self self, metrics* m, const connection_factory& make) {
  survive_errors(self, *m);
  self->state.kind = make(self);
  // What a handler throws costs this connection, and nothing else.
  auto walled_off = [self, m](const auto& handle) {
    if (!walled(*m, "connection", [&] { handle(*self->state.kind); }))
      self->quit(caf::exit_reason::unhandled_exception);
  };
  return {
    [=](const poll_arrived& msg) { walled_off([&](connection& kind) { kind.on_poll(msg); }); },
    [=](const poll_aborted& msg) { walled_off([&](connection& kind) { kind.on_poll_aborted(msg); }); },
    [=](const post_begun& msg) { walled_off([&](connection& kind) { kind.on_post_begun(msg); }); },
    [=](const post_arrived& msg) { walled_off([&](connection& kind) { kind.on_post(msg); }); },
    [=](const post_aborted& msg) { walled_off([&](connection& kind) { kind.on_post_aborted(msg); }); },
    [=](const websocket_opened& msg) { walled_off([&](connection& kind) { kind.on_websocket(msg); }); },
    [=](const frame_arrived& msg) {
      walled_off([&](connection& kind) { kind.on_frame(msg); });
      msg.taken();
    },
    [=](const pong_arrived& msg) { walled_off([&](connection& kind) { kind.on_pong(msg); }); },
    [=](const websocket_ended& msg) { walled_off([&](connection& kind) { kind.on_websocket_ended(msg); }); },
    [=](const wake& msg) {
      if (msg.generation != self->state.timer_generation)
        return;
      self->state.armed.reset();
      walled_off([](connection& kind) { kind.on_time(); });
    },
    [=](const outbound_changed&) { walled_off([](connection& kind) { kind.on_outbound_changed(); }); },
    [=](const release&) { walled_off([](connection& kind) { kind.on_release(); }); },
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
