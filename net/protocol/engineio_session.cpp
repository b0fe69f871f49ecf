#include "net/protocol/engineio_session.hpp"

#include "core/json.hpp"

#include <algorithm>
#include <utility>

namespace headway::engineio {

namespace {

using namespace std::chrono_literals;

/// While upgrading, a poll that stays empty for so long is ended: its client waits for it before it sends "5".
constexpr auto noop_after = 50ms;
/// How long a close that nobody polled for is kept.
constexpr auto linger_after_close = 30s;
/// How long a poll may be late that raced its own client's close.
constexpr auto linger_after_race = 2s;

constexpr std::string_view close_text = "1";
constexpr std::string_view noop_text = "6";

const frame_ptr& close_frame() {
  static const auto frame = text_frame(close_text);
  return frame;
}
const frame_ptr& noop_frame() {
  static const auto frame = text_frame(noop_text);
  return frame;
}
const frame_ptr& ping_frame() {
  static const auto frame = text_frame("2");
  return frame;
}
const frame_ptr& probe_pong_frame() {
  static const auto frame = text_frame("3probe");
  return frame;
}

frame_ptr open_frame(const std::string& sid, transport first, const session_options& options) {
  auto upgrades = json::array();
  if (first == transport::polling && options.upgrades)
    upgrades.push_back("websocket");
  json handshake{
    {"sid", sid},
    {"upgrades", std::move(upgrades)},
    {"pingInterval", options.ping_interval.count()},
    {"pingTimeout", options.ping_timeout.count()},
    {"maxPayload", options.max_payload_bytes},
  };
  return text_frame("0" + dump_json(handshake));
}

/// In front of everything but the open packet: a ping must not wait behind data.
template <class Queue>
void put_in_front(Queue& queue, const frame_ptr& packet) {
  auto at = queue.begin();
  if (at != queue.end() && !(*at)->is_binary() && (*at)->payload().starts_with('0'))
    ++at;
  queue.insert(at, packet);
}

std::size_t polled_size(const frame& packet) {
  auto size = packet.payload().size();
  return packet.is_binary() ? 1 + (size + 2) / 3 * 4 : size;
}

http_answer not_stored(http_answer answer) {
  answer.headers.emplace_back("Cache-Control", "no-store");
  return answer;
}

http_answer empty_answer(int status) { return not_stored({status, {}, {}, {}}); }

} // namespace

bool actions::empty() const {
  return received.empty() && to_websocket.empty() && to_probe.empty() && !poll_answer && !second_poll_answer &&
         !post_answer && !cut_post && !promote_probe && !close_probe && closed == close_reason::none &&
         fault == peer_fault::none;
}

session::session(session_options options, std::string sid, transport first, steady_time now)
  : options_{options}, sid_{std::move(sid)}, transport_{first} {
  send(open_frame(sid_, first, options_));
  await_ping(now);
}

// -- polling

void session::on_poll(steady_time now) {
  auto was_held = poll_held_;
  if (is_over(now)) {
    if (lingers(now))
      answer_poll(next_payload());
    else // the held one, if any, was told by `fail`
      (was_held ? actions_.second_poll_answer : actions_.poll_answer) = gone();
    return;
  }
  if (transport_ == transport::websocket) {
    actions_.poll_answer = handshake_refusal(handshake_error::bad_request);
    return;
  }
  if (poll_held_) {
    actions_.second_poll_answer = empty_answer(400);
    blame(peer_fault::second_poll);
    fail(close_reason::transport_error);
    return;
  }
  poll_held_ = true;
  poll_since_ = now;
  poll_beside_probe_ = probe_ != probe::none;
}

/// Came beside a WebSocket's frames, over another connection, just now: whatever is read next may have been sent first.
bool session::may_be_early(steady_time now) const { return poll_beside_probe_ && now < poll_since_ + noop_after; }

void session::on_poll_aborted(steady_time now) {
  if (!std::exchange(poll_held_, false) || is_over(now))
    return;
  blame(peer_fault::poll_aborted);
  fail(close_reason::transport_error);
}

bool session::takes_posts(steady_time now) {
  if (is_over(now))
    actions_.post_answer = gone();
  else if (transport_ == transport::websocket)
    actions_.post_answer = handshake_refusal(handshake_error::bad_request);
  else
    return true;
  return false;
}

bool session::on_post_begin(steady_time now) {
  if (!takes_posts(now))
    return false;
  if (!std::exchange(post_open_, true))
    return true;
  actions_.cut_post = true;
  actions_.post_answer = empty_answer(400);
  blame(peer_fault::second_post);
  fail(close_reason::transport_error);
  return false;
}

void session::on_post(std::string_view body, bool is_octet_stream, steady_time now) {
  post_open_ = false;
  if (!takes_posts(now))
    return;
  if (is_octet_stream) {
    blame(peer_fault::binary_post, body.size());
    actions_.post_answer = empty_answer(400);
    fail(close_reason::transport_error);
    return;
  }
  if (body.size() > options_.max_payload_bytes) {
    on_post_too_big(body.size(), now);
    return;
  }
  auto packets = decode_payload(body, options_.max_packets_in);
  if (!packets) {
    auto are_many = packets.error() == errc::payload_too_large;
    blame(are_many ? peer_fault::too_many_packets : peer_fault::bad_packet, body.size());
    actions_.post_answer = empty_answer(400);
    fail(close_reason::parse_error);
    return;
  }
  for (auto& p : *packets) {
    on_packet(std::move(p), now);
    if (is_closed())
      break;
  }
  auto is_fault = is_closed() && closed_ != close_reason::transport_close;
  actions_.post_answer = is_fault ? empty_answer(400) : not_stored({200, "text/html", "ok", {}});
}

void session::on_post_too_big(std::size_t bytes, steady_time now) {
  post_open_ = false;
  if (!takes_posts(now))
    return;
  blame(peer_fault::message_too_big, bytes);
  actions_.post_answer = empty_answer(413);
}

void session::on_post_broken(steady_time now) {
  actions_.post_answer = empty_answer(400);
  // A POST that the upgrade overtook is not our transport any more.
  if (is_over(now) || transport_ == transport::websocket)
    return;
  blame(peer_fault::post_broken);
  fail(close_reason::transport_error);
}

// -- upgrade

bool session::on_probe_open(steady_time now) {
  if (is_over(now))
    return false;
  if (!options_.upgrades || transport_ == transport::websocket || probe_ != probe::none) {
    blame(peer_fault::second_websocket);
    return false;
  }
  probe_ = probe::open;
  probe_due_ = now + options_.upgrade_timeout;
  return true;
}

void session::on_probe_frame(std::string_view data, bool is_binary, steady_time now) {
  if (is_over(now) || probe_ == probe::none)
    return;
  if (!is_binary && data == "2probe") {
    probe_ = probe::answered;
    actions_.to_probe.push_back(probe_pong_frame());
    if (poll_held_ && queue_.empty() && !may_be_early(now))
      answer_poll(std::string{noop_text});
    return;
  }
  if (!is_binary && data == "5") {
    promote(now);
    return;
  }
  blame(peer_fault::no_upgrade, data.size());
  drop_probe(); // whatever it is, it is no upgrade; the session goes on by polling
}

void session::on_probe_closed(steady_time) { probe_ = probe::none; }

void session::drop_probe() {
  if (probe_ != probe::none)
    actions_.close_probe = true;
  probe_ = probe::none;
}

void session::promote(steady_time now) {
  probe_ = probe::none;
  actions_.promote_probe = true;
  // What is queued goes to the WebSocket, all of it, in order.
  if (poll_held_ && may_be_early(now)) {
    poll_held_ = false;
    actions_.poll_answer = handshake_refusal(handshake_error::bad_request);
  } else if (poll_held_) {
    answer_poll(std::string{noop_text});
  }
  transport_ = transport::websocket;
  for (auto& packet : queue_)
    write(packet);
  drop_queue();
}

// -- WebSocket

void session::on_websocket_frame(std::string_view data, bool is_binary, steady_time now) {
  if (is_over(now) || transport_ != transport::websocket)
    return;
  if (data.size() > options_.max_payload_bytes) {
    blame(peer_fault::message_too_big, data.size());
    fail(close_reason::transport_error);
    return;
  }
  if (is_binary) {
    on_packet({packet_type::message, true, std::string{data}}, now);
    return;
  }
  auto p = decode_packet(data);
  if (p) {
    on_packet(std::move(*p), now);
    return;
  }
  blame(peer_fault::bad_packet, data.size());
  fail(close_reason::parse_error);
}

void session::on_websocket_closed(close_reason reason, steady_time) {
  if (!is_closed() && transport_ == transport::websocket)
    end(reason);
}

// -- packets of the live transport

void session::on_packet(packet&& p, steady_time now) {
  // A busy client's pong may wait behind its data: any packet shows life, once a ping.
  if (awaits_pong_ && !std::exchange(pong_extended_, true))
    heartbeat_due_ = now + options_.ping_timeout;
  switch (p.type) {
    case packet_type::message: actions_.received.push_back({p.is_binary, std::move(p.data)}); break;
    case packet_type::pong:
      if (awaits_pong_)
        await_ping(now);
      break;
    case packet_type::ping: // the server pings, nobody else
      blame(peer_fault::ping_from_client);
      fail(close_reason::transport_error);
      break;
    case packet_type::close: on_close_packet(now); break;
    case packet_type::open:
    case packet_type::upgrade:
    case packet_type::noop: break;
  }
}

void session::on_close_packet(steady_time now) {
  drop_queue();
  if (poll_held_) {
    answer_poll(std::string{noop_text});
  } else if (transport_ == transport::polling) {
    enqueue(noop_frame()); // for a poll that was under way when its client closed
    lingers_until_ = now + linger_after_race;
  }
  end(close_reason::transport_close);
}

// -- heartbeat and other timers

void session::await_ping(steady_time now) {
  awaits_pong_ = false;
  heartbeat_due_ = now + options_.ping_interval;
}

void session::queue_ping(steady_time now) {
  awaits_pong_ = true;
  pong_extended_ = false;
  // Our own delay is not the client's, except where it did not poll: then its time ran from when the ping was due.
  auto is_away = transport_ == transport::polling && !poll_held_;
  heartbeat_due_ = (is_away ? heartbeat_due_ : now) + options_.ping_timeout;
  if (transport_ == transport::websocket) {
    put_in_front(actions_.to_websocket, ping_frame());
  } else {
    put_in_front(queue_, ping_frame());
    queued_bytes_ += ping_frame()->size();
  }
}

bool session::is_over(steady_time now) {
  if (is_closed())
    return true;
  // A timer may be late; what comes first must not revive the dead. A WebSocket that was not even pinged is no dead
  // one.
  auto is_silent = awaits_pong_ && now >= heartbeat_due_;
  auto was_never_asked =
    transport_ == transport::polling && !awaits_pong_ && now >= heartbeat_due_ + options_.ping_timeout;
  if (is_silent || was_never_asked)
    fail(close_reason::ping_timeout);
  return is_closed();
}

void session::on_time(steady_time now) {
  if (is_closed()) {
    if (!lingers(now))
      drop_queue();
    return;
  }
  if (now >= heartbeat_due_) {
    if (awaits_pong_) {
      fail(close_reason::ping_timeout);
      return;
    }
    queue_ping(now);
  }
  if (probe_ != probe::none && now >= probe_due_) {
    blame(peer_fault::late_upgrade);
    drop_probe();
  }
  if (probe_ == probe::answered && poll_held_ && queue_.empty() && now >= poll_since_ + noop_after)
    answer_poll(std::string{noop_text});
}

steady_time session::wake_up() const {
  if (is_closed())
    return queue_.empty() ? steady_time::max() : lingers_until_;
  auto due = heartbeat_due_;
  if (probe_ != probe::none)
    due = std::min(due, probe_due_);
  if (probe_ == probe::answered && poll_held_)
    due = std::min(due, poll_since_ + noop_after);
  return due;
}

// -- sending

void session::send(const frame_ptr& packet) {
  if (is_closed())
    return;
  if (transport_ == transport::websocket)
    write(packet);
  else
    enqueue(packet);
}

void session::write(const frame_ptr& packet) {
  auto is_readable = !packet->is_binary() || !options_.b64;
  actions_.to_websocket.push_back(is_readable ? packet : text_frame(encode_payload({&packet, 1})));
}

void session::enqueue(const frame_ptr& packet) {
  queue_.push_back(packet);
  queued_bytes_ += packet->size();
}

/// As many whole packets as one answer may hold; at least one. A close waits for the next poll where messages are told
/// in this one: clients handle these later than the close, and would miss why it came.
std::string session::next_payload() {
  std::vector<frame_ptr> batch;
  std::size_t bytes = 0;
  auto tells_messages = false;
  while (!queue_.empty() && batch.size() < options_.max_packets_out) {
    auto& next = queue_.front();
    if (tells_messages && next == close_frame())
      break;
    tells_messages = tells_messages || next->is_binary() || next->payload().starts_with('4');
    bytes += polled_size(*next) + (batch.empty() ? 0 : 1); // and a separator
    if (!batch.empty() && bytes > options_.max_payload_bytes)
      break;
    queued_bytes_ -= next->size();
    batch.push_back(std::move(next));
    queue_.pop_front();
  }
  return encode_payload(batch);
}

void session::drop_queue() {
  queue_.clear();
  queue_.shrink_to_fit();
  queued_bytes_ = 0;
}

void session::answer_poll(std::string body) {
  poll_held_ = false;
  actions_.poll_answer = not_stored({200, "text/plain; charset=UTF-8", std::move(body), {}});
}

actions session::take_actions() {
  if (poll_held_ && !queue_.empty())
    answer_poll(next_payload());
  return std::exchange(actions_, {});
}

// -- the end

void session::close(close_reason reason, steady_time now) {
  if (is_closed())
    return;
  if (transport_ == transport::websocket) {
    end(reason);
    return;
  }
  if (reason == close_reason::slow_consumer)
    drop_queue(); // it has had its chance, and the memory is wanted
  if (reason == close_reason::server_shutdown) {
    // Without a close packet: python-engineio takes one for the last word and never reconnects.
    end(reason);
    if (poll_held_ && !queue_.empty())
      answer_poll(next_payload());
    else if (poll_held_)
      actions_.poll_answer = gone();
    poll_held_ = false;
    drop_queue();
    return;
  }
  if (queue_.empty() && !poll_held_)
    enqueue(noop_frame());
  enqueue(close_frame()); // ends the poll that is held
  lingers_until_ = now + linger_after_close;
  end(reason);
}

void session::blame(peer_fault fault, std::size_t bytes) {
  actions_.fault = fault;
  actions_.fault_bytes = bytes;
}

void session::fail(close_reason reason) {
  drop_queue();
  if (poll_held_) {
    answer_poll(std::string{close_text});
    actions_.poll_answer->close = reason == close_reason::ping_timeout; // nobody is there: keep no connection for it
  }
  end(reason);
}

void session::end(close_reason reason) {
  closed_ = reason;
  actions_.closed = reason;
  drop_probe();
}

http_answer session::gone() const {
  if (closed_ == close_reason::server_shutdown)
    return not_stored(problem(errc::shutting_down));
  return handshake_refusal(handshake_error::session_unknown);
}

bool session::lingers(steady_time now) const { return is_closed() && !queue_.empty() && now < lingers_until_; }

} // namespace headway::engineio
