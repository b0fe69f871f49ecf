#include "actors/plain_watcher.hpp"

#include "core/log.hpp"
#include "core/random.hpp"
#include "net/protocol/plain.hpp"

#include <algorithm>

namespace headway {

namespace {

constexpr std::uint16_t normal_closure = 1000;
constexpr std::uint16_t going_away = 1001;

/// The way out of a plain WebSocket; a lane may hold it longer than its actor lives.
class websocket_out : public outbound {
public:
  websocket_out(std::size_t bytes_max, caf::actor_addr owner) : bytes_max_{bytes_max}, owner_{std::move(owner)} {}

  void open(websocket_port_ptr port) { port_ = std::move(port); }
  bool is_open() const { return port_ != nullptr; }
  const websocket_port* port() const { return port_.get(); }

  void say(std::string_view text) { send(text_frame(text)); }

  void send(const frame_ptr& packet) override {
    if (port_)
      port_->send(packet);
  }

  void flush() override {
    if (!port_)
      return;
    port_->flush();
    if (port_->queued_bytes() <= bytes_max_)
      return;
    was_slow_ = true;
    close(info(errc::overloaded).close_code);
    if (auto owner = caf::actor_cast<caf::strong_actor_ptr>(owner_))
      caf::anon_send(caf::actor_cast<connection_actor>(owner), outbound_changed{});
  }

  void close(std::uint16_t code) {
    if (port_)
      std::exchange(port_, nullptr)->close(code);
  }
  void cut() {
    if (port_)
      std::exchange(port_, nullptr)->cut();
  }
  void ping() {
    if (port_)
      port_->ping();
  }
  bool was_slow() const { return was_slow_; }

private:
  std::size_t bytes_max_;
  caf::actor_addr owner_;
  websocket_port_ptr port_;
  bool was_slow_ = false;
};

class plain_watcher : public connection {
public:
  plain_watcher(connection_self self, plain_options options, watch_surroundings around, const handshake& from)
    : self_{self},
      options_{options},
      around_{std::move(around)},
      place_{from.place},
      out_{std::make_shared<websocket_out>(around_.options->queue_bytes_max, self->address())},
      who_{std::make_shared<watcher>(self, around_, out_, random_name(), from.address)},
      pace_{*around_.options},
      due_{now() + options_.auth_timeout} {
    around_.counters->connections_plain.Increment();
  }
  ~plain_watcher() override {
    around_.connections->erase(self_->address());
    around_.counters->connections_plain.Decrement();
    who_->leave_all();
    out_->close(info(errc::internal).close_code); // where nobody has closed it: the actor was lost
  }

  void on_websocket(const websocket_opened& msg) override {
    out_->open(msg.port);
    arm();
  }

  void on_frame(const frame_arrived& msg) override {
    if (msg.port.get() != out_->port())
      return;
    if (who_->who())
      show_life();
    auto verdict = pace_.take(now());
    if (verdict != inbound_pace::verdict::fine)
      too_fast(verdict);
    else if (msg.is_binary)
      end("binary frame", info(errc::unsupported_media_type).close_code);
    else
      on_text(msg.data);
    out_->flush();
    arm();
  }

  void on_pong(const pong_arrived& msg) override {
    if (msg.port.get() == out_->port() && pinged_)
      show_life();
    arm();
  }

  void on_websocket_ended(const websocket_ended& msg) override {
    if (msg.port.get() == out_->port())
      quit(engineio::to_string(msg.reason));
  }

  void on_time() override {
    if (who_->has_expired()) {
      out_->say(plain::error_text(errc::auth_expired));
      return end("token expired", info(errc::auth_expired).close_code);
    }
    if (now() >= due_) {
      if (!who_->who()) {
        out_->say(plain::error_text(errc::auth_missing));
        return end("no token", info(errc::auth_missing).close_code);
      }
      if (pinged_) {
        out_->cut();
        return quit("ping timeout");
      }
      ping();
    }
    arm();
  }

  void on_outbound_changed() override {
    if (out_->was_slow())
      around_.counters->limit_exceeded("queue.bytes_max").Increment();
    quit(out_->was_slow() ? "slow consumer" : "transport close");
  }

  void on_release() override { end("server shutting down", going_away); }

private:
  steady_time now() const { return self_->clock().now(); }

  void on_text(std::string_view text) {
    auto request = plain::decode(text, options_.json);
    if (!request && request.error() == errc::json_limit)
      around_.counters->limit_exceeded("json").Increment();
    if (!request) // a mistake of its author's, who reads the answer; what floods is too fast
      return out_->say(plain::error_text(request.error()));
    std::visit([this](const auto& r) { on_request(r); }, *request);
  }

  void on_request(const plain::auth& r) {
    auto was_nobody = !who_->who();
    auto admitted = who_->authenticate(r.token);
    if (!admitted) {
      out_->say(plain::error_text(admitted.error()));
      return;
    }
    out_->say(plain::authenticated_text(*who_->who()));
    if (was_nobody)
      show_life();
  }

  void on_request(const plain::join& r) {
    if (!is_somebody(r.room))
      return;
    auto ids = r.id_is_number ? id_type::number : id_type::text;
    in_turn(r.room, [this, r, ids] {
      who_->join(r.room, {core_dialect(), ids, framing::plain}, r.after, [this, room = r.room](errc refused) {
        if (refused != errc{})
          out_->say(plain::error_text(refused, room));
      });
    });
  }

  void on_request(const plain::leave& r) {
    if (!is_somebody(r.room))
      return;
    auto format = wire_format{core_dialect(), r.id_is_number ? id_type::number : id_type::text, framing::plain};
    in_turn(r.room, [this, r, format] {
      if (!who_->leave(r.room, format)) // as if it had been there
        for (const auto& event : dialects()[format.dialect]->left(r.room, format.ids))
          out_->say(plain::event_text(event.name, event.payload));
    });
  }

  void on_request(const plain::ping&) { out_->say(plain::pong_text(who_->wall_now())); }

  bool is_somebody(const room_name& room) {
    if (!who_->who())
      out_->say(plain::error_text(errc::auth_missing, room));
    return who_->who() != nullptr;
  }

  void in_turn(const room_name& room, std::function<void()> request) {
    if (auto queued = who_->enqueue(std::move(request)); !queued)
      out_->say(plain::error_text(queued.error(), room));
  }

  void too_fast(inbound_pace::verdict verdict) {
    around_.counters->limit_exceeded("socketio.events_per_second").Increment();
    out_->say(plain::error_text(errc::rate_limited));
    if (verdict == inbound_pace::verdict::close)
      end("rate limited", info(errc::rate_limited).close_code);
  }

  // -- heartbeat: WebSocket pings; a pong or any frame shows that it lives -----------------------------------------

  void show_life() {
    pinged_ = false;
    due_ = now() + options_.ping_interval;
  }
  void ping() {
    pinged_ = true;
    due_ = now() + options_.ping_timeout;
    out_->ping();
  }
  void arm() {
    if (!ended_)
      wake_at(self_, std::min(due_, who_->expires()));
  }

  // -- the end -------------------------------------------------------------------------------------------------

  void end(std::string_view reason, std::uint16_t code) {
    out_->flush();
    out_->close(code);
    quit(reason);
  }

  void quit(std::string_view reason) {
    if (std::exchange(ended_, true))
      return;
    around_.counters->disconnects(std::string{reason}).Increment();
    who_->leave_all();
    out_->close(normal_closure);
    self_->quit();
  }

  connection_self self_;
  plain_options options_;
  watch_surroundings around_;
  std::shared_ptr<void> place_; ///< in the server's limits
  std::shared_ptr<websocket_out> out_;
  std::shared_ptr<watcher> who_;
  inbound_pace pace_;
  steady_time due_; ///< of a token, then of the next ping, then of a sign of life
  bool pinged_ = false;
  bool ended_ = false;
};

} // namespace

connection_actor open_plain(caf::actor_system& system, const plain_options& options, const watch_surroundings& around,
                            handshake from) {
  return open_in_table(system, around, [options, around, from = std::move(from)](connection_self self) {
    return std::make_unique<plain_watcher>(self, options, around, from);
  });
}

} // namespace headway
