#include "actors/event_stream.hpp"

#include "core/random.hpp"
#include "net/protocol/sse.hpp"

#include <algorithm>

namespace headway {

namespace {

/// Keeps what the lane sends until it is known that the stream may begin.
class stream_out : public outbound {
public:
  stream_out(std::size_t bytes_max, caf::actor_addr owner) : bytes_max_{bytes_max}, owner_{std::move(owner)} {}

  void begin(stream_port_ptr port) {
    has_begun_ = true;
    port_ = std::move(port);
    for (const auto& piece : std::exchange(early_, {}))
      port_->send(piece);
    flush();
  }
  bool has_begun() const { return has_begun_; }
  /// Something was sent since the last call.
  bool take_activity() { return std::exchange(active_, false); }
  /// Nothing came but the word that it goes on from where it was.
  bool is_only_resumed() const {
    return early_.size() == 1 && early_.front()->payload().find("event: resumed\n") != std::string_view::npos;
  }
  /// What waits for the stream to begin.
  std::size_t pieces() const { return early_.size(); }
  bool is_at_end() const { return at_end_; }
  bool was_slow() const { return was_slow_; }
  bool is_peer_gone() const { return is_peer_gone_; }
  void peer_went() {
    is_peer_gone_ = true;
    tell_owner();
  }

  void send(const frame_ptr& piece) override {
    if (is_closed_ || at_end_)
      return;
    active_ = true;
    if (port_)
      port_->send(piece);
    else
      early_.push_back(piece);
  }

  void flush() override {
    if (!port_) {
      if (!early_.empty())
        tell_owner();
      return;
    }
    port_->flush();
    if (port_->queued_bytes() > bytes_max_) {
      was_slow_ = true;
      close();
      tell_owner();
    }
  }

  void job_ended() override {
    at_end_ = true;
    tell_owner();
  }

  void close() {
    is_closed_ = true;
    early_.clear();
    if (port_)
      std::exchange(port_, nullptr)->close();
  }

private:
  void tell_owner() {
    if (auto owner = caf::actor_cast<caf::strong_actor_ptr>(owner_))
      caf::anon_send(caf::actor_cast<connection_actor>(owner), outbound_changed{});
  }

  std::size_t bytes_max_;
  caf::actor_addr owner_;
  stream_port_ptr port_;
  std::vector<frame_ptr> early_;
  bool has_begun_ = false;
  bool active_ = false;
  bool at_end_ = false;
  bool was_slow_ = false;
  bool is_peer_gone_ = false;
  bool is_closed_ = false;
};

http_answer stream_head() {
  http_answer head;
  head.content_type = "text/event-stream";
  head.headers.emplace_back("X-Accel-Buffering", "no"); // nginx passes each event on at once
  return head;
}

class event_stream : public connection {
public:
  event_stream(connection_self self, event_stream_options options, watch_surroundings around,
               event_stream_request request)
    : self_{self},
      options_{options},
      around_{std::move(around)},
      request_{std::move(request)},
      out_{std::make_shared<stream_out>(around_.options->queue_bytes_max, self->address())},
      who_{std::make_shared<watcher>(self, around_, out_, random_name(), request_.from.address)} {
    around_.counters->connections_sse.Increment();
  }
  ~event_stream() override {
    around_.connections->erase(self_->address());
    around_.counters->connections_sse.Decrement();
    who_->leave_all();
    out_->close();
  }

  void on_time() override {
    if (who_->has_expired()) {
      say("error", errc::auth_expired);
      return end("token expired");
    }
    if (now() >= beat_due_) {
      if (!out_->take_activity()) {
        out_->send(text_frame(sse::comment("heartbeat")));
        out_->take_activity();
        out_->flush();
      }
      beat_due_ = now() + options_.heartbeat;
    }
    arm();
  }

  void on_outbound_changed() override {
    if (!std::exchange(started_, true))
      return start();
    if (!out_->has_begun()) {
      if (joined_ && out_->pieces() > 0)
        begin_or_answer();
    } else if (out_->was_slow()) {
      around_.counters->limit_exceeded("queue.bytes_max").Increment();
      end("slow consumer");
    } else if (out_->is_at_end())
      end("job ended");
    else if (out_->is_peer_gone())
      end("transport close");
    // else it is late news from before the stream began
  }

  void on_release() override { end("server shutting down"); }

private:
  steady_time now() const { return self_->clock().now(); }

  void start() {
    if (auto admitted = who_->become(request_.who); !admitted)
      return refuse(admitted.error());
    wire_format format{core_dialect(), id_type::text, framing::sse};
    who_->join(request_.room, format, request_.after, [this](errc refused) {
      joined_ = true;
      if (refused != errc{})
        refuse(refused);
      else if (out_->pieces() > 0) // else the lane's first word will bring us back
        begin_or_answer();
    });
  }

  void begin_or_answer() {
    if (out_->is_at_end() && out_->is_only_resumed())
      over();
    else
      begin();
  }

  void begin() {
    auto port = request_.port->stream(stream_head(), [weak = std::weak_ptr{out_}] {
      if (auto out = weak.lock())
        out->peer_went();
    });
    if (!port)
      return refuse(errc::bad_request); // it was pipelined
    port->send(text_frame(sse::retry(options_.retry)));
    out_->begin(std::move(port));
    if (out_->is_at_end())
      return end("job ended");
    beat_due_ = now() + options_.heartbeat;
    arm();
  }

  /// The job has ended, and the client has seen it: an EventSource comes back no more after a 204.
  void over() {
    request_.port->answer({204, {}, {}, {}});
    end("job ended");
  }

  void refuse(errc why) {
    auto a = problem(why);
    if (a.status == 429 || a.status == 503)
      a.headers.emplace_back("Retry-After", "1");
    request_.port->answer(std::move(a));
    end(name(why));
  }

  void say(std::string_view event, errc code) {
    auto data = dump_json(json{{"code", name(code)}, {"message", text(code)}});
    out_->send(text_frame(sse::event(event, std::nullopt, data)));
    out_->flush();
  }

  void arm() {
    if (!ended_)
      wake_at(self_, std::min(beat_due_, who_->expires()));
  }

  void end(std::string_view reason) {
    if (std::exchange(ended_, true))
      return;
    around_.counters->disconnects(std::string{reason}).Increment();
    who_->leave_all();
    out_->close();
    request_.port.reset();
    self_->quit();
  }

  connection_self self_;
  event_stream_options options_;
  watch_surroundings around_;
  event_stream_request request_;
  std::shared_ptr<stream_out> out_;
  std::shared_ptr<watcher> who_;
  steady_time beat_due_ = steady_time::max();
  bool started_ = false;
  bool joined_ = false; ///< or refused
  bool ended_ = false;
};

} // namespace

connection_actor open_event_stream(caf::actor_system& system, const event_stream_options& options,
                                   const watch_surroundings& around, event_stream_request request) {
  auto actor = open_in_table(system, around, [options, around, request = std::move(request)](connection_self self) {
    return std::make_unique<event_stream>(self, options, around, request);
  });
  caf::anon_send(actor, outbound_changed{}); // it starts by this
  return actor;
}

} // namespace headway
