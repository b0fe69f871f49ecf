#include "actors/engineio_connection.hpp"

#include "core/random.hpp"

#include <algorithm>

namespace headway {

using engineio::close_reason;

void session_table::remember_end(std::string sid, close_reason why) {
  constexpr std::size_t remembered = 256;
  ended_.push_back({std::move(sid), why});
  if (ended_.size() > remembered)
    ended_.pop_front();
}

std::string_view session_table::why_unknown(std::string_view sid) const {
  auto it = std::ranges::find(ended_, sid, &past_session::sid);
  return it == ended_.end() ? "never seen" : to_string(it->why);
}

engineio_connection::engineio_connection(connection_self self, engineio_surroundings around, handshake from,
                                         engineio::transport first, std::string sid, const application_factory& make)
  : self_{self}, around_{std::move(around)}, from_{std::move(from)} {
  // The peer outlives its actor where a lane still holds it: it has the actor's address, not the actor.
  auto address = self->address();
  auto options = around_.session;
  options.b64 = from_.b64;
  peer_ =
    std::make_shared<engineio_peer>(engineio::session{options, std::move(sid), first, now()}, around_.queue_bytes_max,
                                    self->clock(), *around_.counters, [address](close_reason) {
                                      if (auto actor = caf::actor_cast<caf::strong_actor_ptr>(address))
                                        caf::anon_send(caf::actor_cast<connection_actor>(actor), outbound_changed{});
                                    });
  application_ = make(*this);
}

/// Also when the actor was lost: nobody waits for a session that has no one behind it.
engineio_connection::~engineio_connection() {
  around_.sessions->erase(peer_->session().sid());
  peer_->abandon();
  around_.sessions->remember_end(peer_->session().sid(), peer_->session().why_closed());
}

void engineio_connection::close(close_reason reason) { peer_->close(reason, now()); }

void engineio_connection::pump() {
  peer_->flush();
  for (auto received = peer_->take_received(); !received.empty(); received = peer_->take_received()) {
    for (const auto& message : received)
      if (!ended_)
        application_->on_message(message);
    peer_->flush();
  }
  if (ended_)
    quit_after_lingering();
  else
    arm_timer();
}

void engineio_connection::on_poll(const poll_arrived& msg) {
  peer_->on_poll(msg.port, now());
  pump();
}

void engineio_connection::on_poll_aborted(const poll_aborted& msg) {
  peer_->on_poll_aborted(msg.port, now());
  pump();
}

void engineio_connection::on_post(const post_arrived& msg) {
  peer_->on_post(msg.port, msg.body, msg.is_octet_stream, now());
  pump();
}

void engineio_connection::on_post_begun(const post_begun& msg) {
  peer_->on_post_begun(msg.cut, now());
  pump();
}

void engineio_connection::on_post_aborted(const post_aborted& msg) {
  peer_->on_post_aborted(msg.too_big, now());
  pump();
}

void engineio_connection::on_websocket(const websocket_opened& msg) {
  if (msg.is_probe)
    peer_->on_probe_open(msg.port, now());
  else
    peer_->on_websocket_open(msg.port);
  pump();
}

void engineio_connection::on_frame(const frame_arrived& msg) {
  peer_->on_frame(msg.port.get(), msg.data, msg.is_binary, now());
  pump();
}

void engineio_connection::on_websocket_ended(const websocket_ended& msg) {
  peer_->on_websocket_closed(msg.port.get(), msg.reason, now());
  pump();
}

void engineio_connection::on_time() {
  peer_->on_time(now());
  if (!ended_ && now() >= application_->wake_up())
    application_->on_time();
  pump();
}

/// The peer may still come for its last answer.
void engineio_connection::on_outbound_changed() {
  if (!std::exchange(ended_, true))
    application_->on_end();
  quit_after_lingering();
}

void engineio_connection::on_release() {
  released_ = true;
  close(close_reason::server_shutdown);
  pump();
  on_outbound_changed();
}

void engineio_connection::arm_timer() { wake_at(self_, std::min(peer_->session().wake_up(), application_->wake_up())); }

void engineio_connection::quit_after_lingering() {
  const auto& sid = peer_->session().sid();
  if (!released_ && peer_->session().lingers(now()) && around_.sessions->contains(sid)) {
    wake_at(self_, peer_->session().wake_up());
    return;
  }
  around_.sessions->erase(sid);
  self_->quit();
}

namespace {

/// Which worker a session lives on stands in its sid, so that any worker can pass a request on.
std::string make_sid(const engineio_surroundings& around) {
  constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuvwxyz";
  auto index = around.worker ? around.worker->index() : 0;
  return random_name() + digits[index % digits.size()];
}

} // namespace

connection_actor open_engineio(caf::actor_system& system, const engineio_surroundings& around, handshake from,
                               engineio::transport first, application_factory make) {
  auto sid = make_sid(around);
  session_entry entry{{}, around.endpoint, from.origin, from.credentials};
  // The factory is copied: CAF's functions must be.
  auto kind = [around, from = std::move(from), first, sid, make = std::move(make)](connection_self self) {
    return std::make_unique<engineio_connection>(self, around, from, first, sid, make);
  };
  entry.actor = spawn_connection(system, around.worker, *around.counters, std::move(kind));
  auto actor = entry.actor;
  around.sessions->emplace(std::move(sid), std::move(entry));
  return actor;
}

} // namespace headway
