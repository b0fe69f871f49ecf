#include "net/transport/websocket.hpp"

#include "net/transport/write_queue.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

namespace headway {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using boost::system::error_code;

/// The layer under Beast's WebSocket. Reads first what came with the request, then the socket; what Beast writes goes
/// through the connection's write queue.
class queued_stream {
public:
  using executor_type = tcp::socket::executor_type;
  using next_layer_type = tcp::socket;

  queued_stream(tcp::socket socket, std::string received)
    : socket_{std::move(socket)}, received_{std::move(received)} {}

  executor_type get_executor() { return socket_.get_executor(); }
  next_layer_type& next_layer() { return socket_; }
  const next_layer_type& next_layer() const { return socket_; }
  void write_through(std::shared_ptr<write_queue> queue) { queue_ = std::move(queue); }

  template <class Buffers, class Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    return asio::async_initiate<Handler, void(error_code, std::size_t)>(
      [this](auto done, const auto& into) {
        if (received_.empty()) {
          socket_.async_read_some(into, std::move(done));
          return;
        }
        auto n = asio::buffer_copy(into, asio::buffer(received_));
        received_.erase(0, n);
        complete(std::move(done), n);
      },
      handler, buffers);
  }

  /// Done as soon as it is queued: the queue keeps the order and its bytes are bounded by whoever fills it.
  template <class Buffers, class Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    return asio::async_initiate<Handler, void(error_code, std::size_t)>(
      [this](auto done, const auto& from) {
        queue_->push_bytes(beast::buffers_to_string(from));
        queue_->flush();
        complete(std::move(done), asio::buffer_size(from));
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
  void complete(Handler&& done, std::size_t n) {
    auto executor = asio::get_associated_executor(done, socket_.get_executor());
    asio::post(executor, [done = std::move(done), n]() mutable { std::move(done)(error_code{}, n); });
  }

  tcp::socket socket_;
  std::string received_;
  std::shared_ptr<write_queue> queue_;
};

class websocket_connection : public websocket_port, public std::enable_shared_from_this<websocket_connection> {
public:
  websocket_connection(transport_worker& worker, tcp::socket socket, std::string received, std::string sid)
    : worker_{worker},
      sid_{std::move(sid)},
      stream_{queued_stream{std::move(socket), std::move(received)}},
      close_timer_{*worker.context} {}

  void start() {
    auto& socket = stream_.next_layer().next_layer();
    socket.non_blocking(true);
    socket.set_option(tcp::no_delay{true});
    queue_ = std::make_shared<write_queue>(socket, *worker_.server->counters, [weak = weak_from_this()] {
      if (auto self = weak.lock())
        self->cut();
    });
    stream_.next_layer().write_through(queue_);
    stream_.read_message_max(worker_.server->limits.payload_bytes);
    websocket::stream_base::timeout timeouts{};
    timeouts.handshake_timeout = worker_.server->limits.head_timeout;
    timeouts.idle_timeout = websocket::stream_base::none(); // Engine.IO has a heartbeat of its own
    timeouts.keep_alive_pings = false;
    stream_.set_option(timeouts);
    stream_.async_accept([self = shared_from_this()](error_code failed) {
      if (!failed)
        self->opened();
    });
  }

  void send(const frame_ptr& packet) override {
    if (!closing_)
      queue_->push(packet);
  }

  void flush() override { queue_->flush(); }

  std::size_t queued_bytes() const override { return queue_->bytes(); }

  void close(std::uint16_t code) override {
    if (std::exchange(closing_, true))
      return;
    // A peer that does not answer, or does not read, is cut.
    close_timer_.expires_after(worker_.server->limits.close_timeout);
    close_timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled)
        self->cut();
    });
    websocket::close_reason reason;
    if (code != 0)
      reason.code = static_cast<websocket::close_code>(code);
    else
      reason.code = websocket::close_code::none;
    stream_.async_close(reason, [self = shared_from_this()](error_code) { self->cut(); });
  }

private:
  void opened() {
    auto& around = worker_.actors;
    auto is_probe = !sid_.empty();
    if (!is_probe)
      session_ = open_connection(*worker_.server->system, around, engineio::transport::websocket);
    else if (auto it = around.sessions->find(sid_); it != around.sessions->end())
      session_ = it->second;
    else { // it ended during the handshake
      close(0);
      return;
    }
    caf::anon_send(session_, websocket_opened{shared_from_this(), is_probe});
    read();
  }

  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code failed, std::size_t) { self->on_read(failed); });
  }

  void on_read(error_code failed) {
    if (failed) {
      auto orderly = failed == websocket::error::closed;
      ended(orderly ? engineio::close_reason::transport_close : engineio::close_reason::transport_error);
      return;
    }
    auto data = beast::buffers_to_string(buffer_.cdata());
    buffer_.consume(buffer_.size());
    caf::anon_send(session_,
                   frame_arrived{shared_from_this(), std::move(data), stream_.got_binary(), [weak = weak_from_this()] {
                                   if (auto self = weak.lock(); self && !self->closing_)
                                     self->read();
                                 }});
  }

  void ended(engineio::close_reason reason) {
    if (std::exchange(told_, true) || !session_)
      return;
    caf::anon_send(session_, websocket_ended{shared_from_this(), reason});
    session_ = nullptr;
    if (!closing_)
      cut();
  }

  void cut() {
    closing_ = true;
    close_timer_.cancel();
    queue_->stop();
    error_code ignored;
    stream_.next_layer().next_layer().close(ignored);
    ended(engineio::close_reason::transport_error);
  }

  transport_worker& worker_;
  std::string sid_;
  websocket::stream<queued_stream> stream_;
  std::shared_ptr<write_queue> queue_;
  asio::steady_timer close_timer_;
  beast::flat_buffer buffer_;
  connection_actor session_;
  bool closing_ = false;
  bool told_ = false;
};

} // namespace

void serve_websocket(transport_worker& worker, tcp::socket socket, std::string head, std::string rest,
                     std::string sid) {
  std::make_shared<websocket_connection>(worker, std::move(socket), std::move(head) + std::move(rest), std::move(sid))
    ->start();
}

} // namespace headway
