#include "actors/engineio_peer.hpp"

#include "core/log.hpp"

namespace headway {

using engineio::close_reason;

engineio_peer::engineio_peer(engineio::session session, std::size_t queue_bytes_max, const caf::actor_clock& clock,
                             metrics& m, std::function<void(close_reason)> on_end)
  : session_{std::move(session)},
    queue_bytes_max_{queue_bytes_max},
    clock_{clock},
    counters_{m},
    on_end_{std::move(on_end)} {
  count_transport();
}

engineio_peer::~engineio_peer() {
  if (counted_as_)
    counted_as_->Decrement();
}

void engineio_peer::on_poll(http_port_ptr port, steady_time now) {
  (poll_ ? second_poll_ : poll_) = std::move(port);
  session_.on_poll(now);
}

void engineio_peer::on_poll_aborted(const http_port_ptr& port, steady_time now) {
  if (poll_ != port)
    return;
  poll_.reset();
  session_.on_poll_aborted(now);
}

void engineio_peer::on_post_begun(std::function<void()> cut, steady_time now) {
  if (session_.on_post_begin(now))
    cut_post_ = std::move(cut);
}

void engineio_peer::on_post(http_port_ptr port, std::string_view body, bool is_octet_stream, steady_time now) {
  cut_post_ = nullptr;
  post_ = std::move(port);
  session_.on_post(body, is_octet_stream, now);
}

void engineio_peer::on_post_aborted(bool too_big, steady_time now) {
  cut_post_ = nullptr;
  if (too_big)
    session_.on_post_too_big(0, now);
  else
    session_.on_post_broken(now);
}

void engineio_peer::on_websocket_open(websocket_port_ptr port) { live_ = std::move(port); }

void engineio_peer::on_probe_open(websocket_port_ptr port, steady_time now) {
  if (session_.on_probe_open(now))
    probe_ = std::move(port);
  else
    port->close(0);
}

void engineio_peer::on_frame(const websocket_port* from, std::string_view data, bool is_binary, steady_time now) {
  if (from == live_.get())
    session_.on_websocket_frame(data, is_binary, now);
  else if (from == probe_.get())
    session_.on_probe_frame(data, is_binary, now);
}

void engineio_peer::on_websocket_closed(const websocket_port* which, close_reason reason, steady_time now) {
  if (which == live_.get())
    session_.on_websocket_closed(reason, now);
  else if (which == probe_.get()) {
    probe_.reset();
    session_.on_probe_closed(now);
  }
}

void engineio_peer::on_time(steady_time now) { session_.on_time(now); }

void engineio_peer::close(close_reason reason, steady_time now) { session_.close(reason, now); }

void engineio_peer::abandon() {
  on_end_ = nullptr;
  close(close_reason::internal_error, clock_.now());
  carry_out(session_.take_actions());
  poll_.reset(); // a port that nobody answered answers by itself
  second_poll_.reset();
  post_.reset();
}

void engineio_peer::send(const frame_ptr& packet) { session_.send(packet); }

void engineio_peer::flush() {
  for (auto todo = session_.take_actions(); !todo.empty(); todo = session_.take_actions())
    carry_out(std::move(todo));
  auto queued = session_.queued_bytes() + (live_ ? live_->queued_bytes() : 0);
  if (queued > queue_bytes_max_ && !session_.is_closed()) {
    counters_.limit_exceeded("queue.bytes_max").Increment();
    session_.close(close_reason::slow_consumer, clock_.now());
    carry_out(session_.take_actions());
  }
}

void engineio_peer::carry_out(engineio::actions&& todo) {
  for (auto& message : todo.received)
    received_.push_back(std::move(message));
  if (probe_) {
    for (const auto& packet : todo.to_probe)
      probe_->send(packet);
    probe_->flush();
  }
  if (todo.promote_probe) {
    live_ = std::move(probe_);
    count_transport();
  }
  if (live_ && !todo.to_websocket.empty()) {
    for (const auto& packet : todo.to_websocket) {
      if (packet->payload() == "2" && !packet->is_binary()) // a ping does not wait behind data
        live_->send_first(packet);
      else
        live_->send(packet);
    }
    live_->flush();
  }
  if (todo.poll_answer && poll_)
    std::exchange(poll_, nullptr)->answer(std::move(*todo.poll_answer));
  if (todo.second_poll_answer && second_poll_)
    std::exchange(second_poll_, nullptr)->answer(std::move(*todo.second_poll_answer));
  if (todo.post_answer && post_)
    std::exchange(post_, nullptr)->answer(std::move(*todo.post_answer));
  if (todo.cut_post && cut_post_)
    std::exchange(cut_post_, nullptr)();
  if (todo.fault != engineio::peer_fault::none)
    blame(todo.fault, todo.fault_bytes);
  if (todo.close_probe && probe_)
    std::exchange(probe_, nullptr)->close(0);
  if (todo.closed != close_reason::none)
    end(todo.closed);
}

void engineio_peer::blame(engineio::peer_fault fault, std::size_t bytes) {
  using engineio::peer_fault;
  log::info("engineio.fault", {{"what", to_string(fault)}, {"bytes", bytes}});
  counters_.dropped_events(std::string{to_string(fault)}).Increment();
  if (fault == peer_fault::too_many_packets)
    counters_.limit_exceeded("engineio.packets_per_post_max").Increment();
  if (fault == peer_fault::late_upgrade)
    counters_.limit_exceeded("engineio.upgrade_timeout_ms").Increment();
}

void engineio_peer::count_transport() {
  if (counted_as_)
    counted_as_->Decrement();
  auto is_websocket = session_.live_transport() == engineio::transport::websocket;
  counted_as_ = is_websocket ? &counters_.connections_websocket : &counters_.connections_polling;
  counted_as_->Increment();
}

namespace {

/// The WebSocket close code that tells a client what to do about it; 0: a close frame without a code, as clients know
/// it.
std::uint16_t close_code(close_reason reason) {
  switch (reason) {
    case close_reason::server_shutdown: return 1001;
    case close_reason::parse_error: return 1002;
    case close_reason::rate_limited:
    case close_reason::token_expired: return 1008;
    case close_reason::internal_error: return 1011;
    case close_reason::slow_consumer: return 1013;
    default: return 0;
  }
}

} // namespace

void engineio_peer::end(close_reason reason) {
  if (live_ && reason == close_reason::ping_timeout)
    std::exchange(live_, nullptr)->cut(); // nobody is there to shake hands with
  if (live_)
    std::exchange(live_, nullptr)->close(close_code(reason));
  if (probe_)
    std::exchange(probe_, nullptr)->close(0);
  counters_.disconnects(std::string{to_string(reason)}).Increment();
  if (auto tell = std::exchange(on_end_, nullptr))
    tell(reason);
}

} // namespace headway
