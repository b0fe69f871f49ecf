#include "net/transport/websocket.hpp"

#include "core/log.hpp"
#include "net/transport/write_queue.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include <algorithm>

namespace headway {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using boost::system::error_code;

/// What Beast is told where a guard saw something it would take: nothing that it has a word for.
error_code guard_error() { return make_error_code(boost::system::errc::protocol_error); }

/// The layer under Beast's WebSocket. Reads first what came with the request, then the socket; what is read passes the
/// guard, what Beast writes goes through the connection's write queue.
class queued_stream {
public:
  using executor_type = tcp::socket::executor_type;
  using next_layer_type = tcp::socket;

  /// `head`: the handshake's request, `rest`: what came behind it; all that is read later are frames.
  queued_stream(tcp::socket socket, const std::string& head, const std::string& rest, const transport_limits& limits)
    : socket_{std::move(socket)},
      received_{head + rest},
      guard_{limits.websocket},
      queue_bytes_max_{limits.queue_bytes + limits.control_queue_bytes} {
    look_at(rest);
  }

  executor_type get_executor() { return socket_.get_executor(); }
  next_layer_type& next_layer() { return socket_; }
  const next_layer_type& next_layer() const { return socket_; }
  void write_through(std::shared_ptr<write_queue> queue) { queue_ = std::move(queue); }
  /// What the guard refused; none ({}) where it refused nothing.
  errc refused() const { return refused_; }

  template <class Buffers, class Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    return asio::async_initiate<Handler, void(error_code, std::size_t)>(
      [this](auto done, const auto& into) {
        if (refused_ != errc{})
          return complete(std::move(done), guard_error(), 0);
        if (received_.empty()) {
          auto executor = asio::get_associated_executor(done, socket_.get_executor());
          auto looked = [this, into, done = std::move(done)](error_code failed, std::size_t n) mutable {
            if (!failed)
              look_at_first(into, n);
            auto refused = refused_ != errc{};
            std::move(done)(refused ? guard_error() : failed, refused ? 0 : n);
          };
          socket_.async_read_some(into, asio::bind_executor(executor, std::move(looked)));
          return;
        }
        auto n = asio::buffer_copy(into, asio::buffer(received_));
        received_.erase(0, n);
        complete(std::move(done), {}, n);
      },
      handler, buffers);
  }

  /// Done as soon as it is queued: the queue keeps the order and its bytes are bounded by whoever fills it.
  template <class Buffers, class Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    return asio::async_initiate<Handler, void(error_code, std::size_t)>(
      [this](auto done, const auto& from) {
        // A peer that sends pings and does not read: its pongs must not pile up.
        auto is_full = queue_->bytes() > queue_bytes_max_;
        if (!is_full) {
          queue_->push_bytes(beast::buffers_to_string(from));
          queue_->flush();
        }
        auto failed = is_full ? make_error_code(boost::system::errc::no_buffer_space) : error_code{};
        complete(std::move(done), failed, is_full ? 0 : asio::buffer_size(from));
      },
      handler, buffers);
  }

  template <class Handler>
  friend void async_teardown(beast::role_type role, queued_stream& stream, Handler&& handler) {
    websocket::async_teardown(role, stream.socket_, std::forward<Handler>(handler));
  }
  friend void teardown(beast::role_type role, queued_stream& stream, error_code& failed) {
    websocket::teardown(role, stream.socket_, failed);
  }

private:
  template <class Handler>
  void complete(Handler&& done, error_code failed, std::size_t n) {
    auto executor = asio::get_associated_executor(done, socket_.get_executor());
    asio::post(executor, [done = std::move(done), failed, n]() mutable { std::move(done)(failed, n); });
  }

  template <class Buffers>
  void look_at_first(const Buffers& buffers, std::size_t n) {
    for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers) && n > 0; ++it) {
      asio::mutable_buffer piece{*it};
      auto size = std::min(n, piece.size());
      look_at({static_cast<const char*>(piece.data()), size});
      n -= size;
    }
  }

  void look_at(std::string_view bytes) {
    if (refused_ != errc{})
      return;
    if (auto seen = guard_.on_bytes(bytes, steady_time::clock::now()); !seen)
      refused_ = seen.error();
  }

  tcp::socket socket_;
  std::string received_;
  websocket_guard guard_;
  std::size_t queue_bytes_max_;
  errc refused_{};
  std::shared_ptr<write_queue> queue_;
};

/// A close frame of ours, for where Beast writes none.
std::string close_frame(std::uint16_t code) {
  return {'\x88', '\x02', static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
}

/// The setting behind a limit that the guard or Beast found broken; empty: no limit, but what is no WebSocket.
std::string_view limit_of(errc refused) {
  switch (refused) {
    case errc::payload_too_large: return "engineio.max_payload_bytes";
    case errc::too_many_fragments: return "websocket.fragments_max";
    case errc::rate_limited: return "websocket.control_frames_per_second";
    default: return {};
  }
}

std::uint16_t close_code_of(errc refused) {
  constexpr std::uint16_t protocol_error = 1002;
  return refused == errc::bad_request ? protocol_error : info(refused).close_code;
}

class websocket_connection : public websocket_port, public std::enable_shared_from_this<websocket_connection> {
public:
  websocket_connection(transport_worker& worker, tcp::socket socket, std::shared_ptr<void> place,
                       const std::string& head, const std::string& rest, websocket_target target)
    : worker_{worker},
      place_{std::move(place)},
      target_{std::move(target)},
      stream_{queued_stream{std::move(socket), head, rest, worker.server->limits}},
      close_timer_{*worker.context} {}

  void start() {
    error_code ignored;
    socket().non_blocking(true, ignored);
    socket().set_option(tcp::no_delay{true}, ignored);
    queue_ = std::make_shared<write_queue>(socket(), *worker_.server->counters, [weak = weak_from_this()] {
      if (auto self = weak.lock())
        self->cut();
    });
    stream_.next_layer().write_through(queue_);
    stream_.read_message_max(worker_.server->limits.payload_bytes);
    websocket::stream_base::timeout timeouts{};
    timeouts.handshake_timeout = worker_.server->limits.handshake_timeout;
    timeouts.idle_timeout = websocket::stream_base::none(); // sessions have a heartbeat of their own
    timeouts.keep_alive_pings = false;
    stream_.set_option(timeouts);
    stream_.set_option(websocket::stream_base::decorator(
      [](websocket::response_type& response) { response.erase(beast::http::field::server); }));
    stream_.control_callback([this](websocket::frame_type kind, beast::string_view) {
      if (kind == websocket::frame_type::pong && session_)
        caf::anon_send(session_, pong_arrived{shared_from_this()});
    });
    stream_.async_accept([self = shared_from_this()](error_code failed) {
      if (!failed)
        self->opened();
      else if (failed == beast::error::timeout)
        self->worker_.server->counters->limit_exceeded("websocket.handshake_timeout_ms").Increment();
    });
  }

  void send(const frame_ptr& packet) override {
    if (!closing_)
      queue_->push(packet);
  }
  void send_first(const frame_ptr& packet) override {
    if (!closing_)
      queue_->push_front(packet);
  }

  void ping() override {
    static const std::string empty_ping{'\x89', '\x00'};
    if (closing_)
      return;
    queue_->push_front_bytes(empty_ping);
    queue_->flush();
  }

  void flush() override { queue_->flush(); }

  std::size_t queued_bytes() const override { return queue_->bytes(); }

  void close(std::uint16_t code) override {
    if (std::exchange(closing_, true))
      return;
    limit_closing();
    websocket::close_reason reason;
    reason.code = code != 0 ? static_cast<websocket::close_code>(code) : websocket::close_code::none;
    stream_.async_close(reason, [self = shared_from_this()](error_code) { self->cut(); });
  }

  void cut() override {
    closing_ = true;
    close_timer_.cancel();
    queue_->stop();
    error_code ignored;
    socket().close(ignored);
    ended(engineio::close_reason::transport_error);
  }

private:
  tcp::socket& socket() { return stream_.next_layer().next_layer(); }

  void opened() {
    const auto& sessions = *worker_.sessions;
    auto is_probe = !target_.sid.empty();
    if (!is_probe)
      session_ = target_.open();
    else if (auto it = sessions.find(target_.sid); it != sessions.end())
      session_ = it->second.actor;
    else { // it ended during the handshake
      close(0);
      return;
    }
    target_ = {};
    if (!session_) // refused, after all
      return close(info(errc::overloaded).close_code);
    caf::anon_send(session_, websocket_opened{shared_from_this(), is_probe});
    read();
  }

  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code failed, std::size_t) { self->on_read(failed); });
  }

  void on_read(error_code failed) {
    if (failed) {
      on_read_failed(failed);
      return;
    }
    auto data = beast::buffers_to_string(buffer_.cdata());
    buffer_.consume(buffer_.size());
    buffer_.shrink_to_fit(); // an idle connection holds no memory for what it once said
    caf::anon_send(session_,
                   frame_arrived{shared_from_this(), std::move(data), stream_.got_binary(), [weak = weak_from_this()] {
                                   if (auto self = weak.lock(); self && !self->closing_)
                                     self->read();
                                 }});
  }

  void on_read_failed(error_code failed) {
    auto refused = stream_.next_layer().refused();
    if (failed == websocket::error::message_too_big)
      refused = errc::payload_too_large;
    if (refused != errc{} && !closing_) {
      log::info("websocket.refused", {{"code", name(refused)}});
      if (auto limit = limit_of(refused); !limit.empty())
        worker_.server->counters->limit_exceeded(std::string{limit}).Increment();
      closing_ = true;
      limit_closing();
      queue_->push_bytes(close_frame(close_code_of(refused)));
      queue_->flush();
      error_code ignored;
      socket().shutdown(tcp::socket::shutdown_send, ignored);
      drain();
    }
    ended(failed == websocket::error::closed ? engineio::close_reason::transport_close
                                             : engineio::close_reason::transport_error);
  }

  /// Closing with bytes unread would reset the connection, and destroy the close frame on its way.
  void drain() {
    socket().async_read_some(discard_buffer(), [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed)
        self->cut();
      else
        self->drain();
    });
  }

  /// A peer that does not answer our close, or does not read, is cut.
  void limit_closing() {
    close_timer_.expires_after(worker_.server->limits.close_timeout);
    close_timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (cancelled)
        return;
      error_code ignored;
      self->socket().set_option(asio::socket_base::linger{true, 0}, ignored); // it has had its time: reset
      self->cut();
    });
  }

  void ended(engineio::close_reason reason) {
    if (std::exchange(told_, true) || !session_)
      return;
    caf::anon_send(session_, websocket_ended{shared_from_this(), reason});
    session_ = nullptr;
    if (!closing_)
      cut();
  }

  transport_worker& worker_;
  std::shared_ptr<void> place_; ///< in the server's limits
  websocket_target target_;
  websocket::stream<queued_stream> stream_;
  std::shared_ptr<write_queue> queue_;
  asio::steady_timer close_timer_;
  beast::flat_buffer buffer_;
  connection_actor session_;
  bool closing_ = false;
  bool told_ = false;
};

} // namespace

void serve_websocket(transport_worker& worker, tcp::socket socket, std::shared_ptr<void> place, const std::string& head,
                     const std::string& rest, websocket_target target) {
  std::make_shared<websocket_connection>(worker, std::move(socket), std::move(place), head, rest, std::move(target))
    ->start();
}

} // namespace headway
