#include "net/transport/http_connection.hpp"

#include "net/transport/http_text.hpp"
#include "net/transport/socketio_endpoint.hpp"
#include "net/transport/websocket.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <deque>
#include <optional>
#include <sstream>

namespace headway {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

using parser = http::request_parser<http::string_body>;

std::string text_of(beast::string_view view) { return {view.data(), view.size()}; }

class http_connection : public std::enable_shared_from_this<http_connection> {
public:
  http_connection(transport_worker& worker, tcp::socket socket)
    : worker_{worker}, limits_{worker.server->limits}, socket_{std::move(socket)}, deadline_{*worker.context} {
    worker_.server->counters->http_connections.Increment();
  }
  ~http_connection() { worker_.server->counters->http_connections.Decrement(); }

  void start() {
    error_code ignored;
    socket_.set_option(tcp::no_delay{true}, ignored);
    read_next();
  }

  /// Goes on with a request that another worker has read: its session lives here.
  void take_over(beast::flat_buffer buffer, http_request request, bool is_upgrade, std::string head, bool keep_alive) {
    buffer_ = std::move(buffer);
    error_code ignored;
    socket_.set_option(tcp::no_delay{true}, ignored);
    dispatch({std::move(request), is_upgrade, std::move(head), keep_alive});
  }

  /// From a port: the answer of one request. On this worker's thread.
  void complete(std::uint64_t number, http_answer&& answer) {
    if (number < first_slot_ || number - first_slot_ >= slots_.size())
      return;
    auto& entry = slots_[static_cast<std::size_t>(number - first_slot_)];
    entry.keep_alive = entry.keep_alive && !worker_.server->stopping;
    entry.bytes = to_text(answer, entry.origin, entry.keep_alive, entry.head_only);
    entry.on_abort = nullptr;
    write_ready();
  }

private:
  /// A request that waits for its answer, or whose answer waits for those before it.
  struct slot {
    std::optional<std::string> bytes;
    std::string origin;
    bool keep_alive = true;
    bool head_only = false;
    std::function<void()> on_abort; ///< the peer went away; set for a held poll
  };

  struct parsed {
    http_request request;
    bool is_upgrade = false;
    std::string head; ///< for an upgrade: as bytes
    bool keep_alive = true;
  };

  /// Keeps the connection alive while an answer is owed.
  class port : public http_port {
  public:
    port(std::shared_ptr<http_connection> to, asio::any_io_executor executor, std::uint64_t number, bool is_engineio)
      : to_{std::move(to)}, executor_{std::move(executor)}, number_{number}, is_engineio_{is_engineio} {}
    ~port() override {
      if (!answered_)
        answer(is_engineio_ ? engineio::handshake_refusal(engineio::handshake_error::session_unknown)
                            : problem(errc::shutting_down));
    }
    void answer(http_answer&& a) override {
      if (std::exchange(answered_, true))
        return;
      asio::dispatch(executor_, [to = std::move(to_), number = number_, a = std::move(a)]() mutable {
        to->complete(number, std::move(a));
      });
    }

  private:
    std::shared_ptr<http_connection> to_;
    asio::any_io_executor executor_;
    std::uint64_t number_;
    bool is_engineio_;
    bool answered_ = false;
  };

  // -- reading -------------------------------------------------------------------------------------------------

  void read_next() {
    if (reading_ || closing_ || slots_.size() >= limits_.pipelined)
      return;
    reading_ = true;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
    parser_->body_limit(boost::none); // set when the path is known
    if (buffer_.size() > 0)
      read_head();
    else {
      idle_ = true;
      limit_idle_time();
      socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](error_code failed) {
        self->idle_ = false;
        if (failed)
          self->peer_gone(failed);
        else
          self->read_head();
      });
    }
  }

  /// Between requests, while nothing is owed to the peer.
  void limit_idle_time() {
    if (idle_ && slots_.empty())
      set_deadline(limits_.idle_timeout);
  }

  void read_head() {
    set_deadline(limits_.head_timeout);
    http::async_read_header(socket_, buffer_, *parser_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (!failed)
        self->on_head();
      else if (failed == http::error::header_limit)
        self->refuse(problem(errc::header_too_large));
      else if (is_end(failed))
        self->peer_gone(failed);
      else
        self->refuse(problem(errc::bad_request));
    });
  }

  /// The connection is at its end; every other error is what the peer wrote.
  static bool is_end(error_code failed) {
    static const auto& of_http = http::make_error_code(http::error::end_of_stream).category();
    return failed.category() != of_http || failed == http::error::end_of_stream ||
           failed == http::error::partial_message;
  }

  void on_head() {
    const auto& head = parser_->get();
    if (head.target().size() > limits_.target_bytes)
      return refuse(problem(errc::uri_too_long));
    if (static_cast<std::size_t>(std::distance(head.begin(), head.end())) > limits_.headers)
      return refuse(problem(errc::header_too_large));
    if (!is_framed_plainly(head))
      return refuse(problem(errc::bad_request));
    auto limit = is_socketio_path(*worker_.server, path_of(head)) ? limits_.payload_bytes : limits_.body_bytes;
    parser_->body_limit(limit);
    if (auto length = parser_->content_length(); length && *length > limit)
      return refuse(too_large(head));
    if (beast::iequals(head[http::field::expect], "100-continue") && slots_.empty()) {
      error_code ignored;
      asio::write(socket_, asio::buffer(std::string_view{"HTTP/1.1 100 Continue\r\n\r\n"}), ignored);
    }
    set_deadline(limits_.body_timeout);
    http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (!failed)
        self->on_request();
      else if (failed == http::error::body_limit)
        self->refuse(self->too_large(self->parser_->get()));
      else if (is_end(failed)) {
        self->post_broken();
        self->peer_gone(failed);
      } else
        self->refuse(problem(errc::bad_request));
    });
  }

  /// A polling POST ended in the middle: so does its session.
  void post_broken() {
    const auto& head = parser_->get();
    auto path = path_of(head);
    std::string_view target{head.target().data(), head.target().size()};
    if (!is_socketio_path(*worker_.server, path) || path.size() == target.size())
      return;
    std::string sid{query_params{target.substr(path.size() + 1)}.get("sid")};
    auto& home = worker_of(worker_, sid);
    asio::post(*home.context, [&home, sid = std::move(sid)] {
      const auto& sessions = *home.actors.sessions;
      if (auto it = sessions.find(sid); it != sessions.end())
        caf::anon_send(it->second, post_aborted{});
    });
  }

  /// Beast 1.81 takes bodies framed in ways that other servers on the path may read differently (smuggling).
  static bool is_framed_plainly(const http::request_header<>& head) {
    auto encodings = head.equal_range(http::field::transfer_encoding);
    if (encodings.first == encodings.second)
      return head.count(http::field::content_length) <= 1 && head.count(http::field::host) <= 1;
    return std::next(encodings.first) == encodings.second && beast::iequals(encodings.first->value(), "chunked") &&
           head.version() == 11 && head.count(http::field::content_length) == 0 && head.count(http::field::host) <= 1;
  }

  static std::string_view path_of(const http::request_header<>& head) {
    std::string_view target{head.target().data(), head.target().size()};
    return target.substr(0, target.find('?'));
  }

  http_answer too_large(const http::request_header<>& head) const {
    if (is_socketio_path(*worker_.server, path_of(head)))
      return {413, {}, {}, {}}; // as clients know it: no body
    return problem(errc::payload_too_large);
  }

  void on_request() {
    reading_ = false;
    deadline_.cancel();
    auto& message = parser_->get();
    parsed p;
    p.keep_alive = message.keep_alive();
    p.is_upgrade = beast::websocket::is_upgrade(message);
    if (p.is_upgrade) {
      std::ostringstream head;
      head << message.base();
      p.head = head.str();
    }
    auto path = path_of(message);
    p.request.method = text_of(message.method_string());
    p.request.path = path;
    auto target = std::string_view{message.target().data(), message.target().size()};
    p.request.query = path.size() < target.size() ? target.substr(path.size() + 1) : std::string_view{};
    p.request.content_type = text_of(message[http::field::content_type]);
    p.request.content_encoding = text_of(message[http::field::content_encoding]);
    p.request.authorization = text_of(message[http::field::authorization]);
    p.request.origin = text_of(message[http::field::origin]);
    p.request.host = text_of(message[http::field::host]);
    p.request.user_agent = text_of(message[http::field::user_agent]);
    p.request.body = std::move(message.body());
    if (auto& there = home_of(p.request); &there != &worker_) {
      move_when_quiet(there, std::move(p));
      return;
    }
    dispatch(std::move(p));
  }

  // -- dispatch ------------------------------------------------------------------------------------------------

  void dispatch(parsed p) {
    auto is_engineio = is_socketio_path(*worker_.server, p.request.path);
    auto number = first_slot_ + slots_.size();
    auto& entry = slots_.emplace_back();
    entry.keep_alive = p.keep_alive;
    entry.head_only = p.request.method == "HEAD";
    entry.origin = worker_.server->origins.answer_to(p.request.origin);
    auto answer = std::make_shared<port>(shared_from_this(), socket_.get_executor(), number, is_engineio);

    if (p.request.method == "OPTIONS" && !p.request.origin.empty())
      answer->answer(preflight(entry.origin.empty()));
    else if (is_engineio) {
      dispatch_engineio(std::move(p), answer);
      if (!socket_.is_open())
        return;
    } else if (p.is_upgrade)
      answer->answer(problem(errc::not_found));
    else
      worker_.api(std::move(p.request), answer);
    read_next();
  }

  static http_answer preflight(bool is_stranger) {
    http_answer a{204, {}, {}, {}};
    if (!is_stranger) {
      a.headers.emplace_back("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE");
      a.headers.emplace_back("Access-Control-Allow-Headers", "authorization,content-type");
      a.headers.emplace_back("Access-Control-Max-Age", "600");
    }
    return a;
  }

  void dispatch_engineio(parsed p, const http_port_ptr& answer) {
    auto checked = check_engineio(worker_, p.request, p.is_upgrade);
    if (auto* refusal = std::get_if<http_answer>(&checked)) {
      if (p.is_upgrade) // what is pipelined behind a refused upgrade must not run
        slots_.back().keep_alive = false;
      answer->answer(std::move(*refusal));
      return;
    }
    auto& what = std::get<engineio_request>(checked);
    if (what.transport == engineio::transport::websocket) {
      become_websocket(std::move(p.head), std::move(what.sid));
      return;
    }
    auto number = first_slot_ + slots_.size() - 1;
    if (auto session = serve_polling(worker_, what, std::move(p.request), answer)) {
      auto index = static_cast<std::size_t>(number - first_slot_);
      if (index < slots_.size() && !slots_[index].bytes)
        slots_[index].on_abort = [session = *session, answer] { caf::anon_send(session, poll_aborted{answer}); };
    }
  }

  void become_websocket(std::string head, std::string sid) {
    if (slots_.size() > 1 || writing_) { // answers are owed before it: nobody pipelines an upgrade
      slots_.back().keep_alive = false;
      complete(first_slot_ + slots_.size() - 1, problem(errc::bad_request));
      return;
    }
    auto rest = beast::buffers_to_string(buffer_.cdata());
    closing_ = true;
    slots_.clear(); // the handshake is the answer
    serve_websocket(worker_, std::move(socket_), std::move(head), std::move(rest), std::move(sid));
  }

  // -- moving to the worker of the session ---------------------------------------------------------------------

  transport_worker& home_of(const http_request& request) {
    if (!is_socketio_path(*worker_.server, request.path))
      return worker_;
    return worker_of(worker_, query_params{request.query}.get("sid"));
  }

  void move_when_quiet(transport_worker& there, parsed p) {
    if (!slots_.empty() || writing_) {
      moving_ = [this, &there, p = std::move(p)]() mutable { move_when_quiet(there, std::move(p)); };
      return;
    }
    closing_ = true;
    error_code failed;
    auto protocol = socket_.local_endpoint(failed).protocol();
    if (failed)
      return;
    auto descriptor = socket_.release(failed);
    if (failed)
      return;
    asio::post(*there.context, [&there, protocol, descriptor, p = std::move(p), buffer = std::move(buffer_)]() mutable {
      auto moved = std::make_shared<http_connection>(there, tcp::socket{*there.context, protocol, descriptor});
      moved->take_over(std::move(buffer), std::move(p.request), p.is_upgrade, std::move(p.head), p.keep_alive);
    });
  }

  // -- writing -------------------------------------------------------------------------------------------------

  void write_ready() {
    if (writing_)
      return;
    out_.clear();
    auto last = false;
    while (!slots_.empty() && slots_.front().bytes && !last) {
      out_ += *slots_.front().bytes;
      last = !slots_.front().keep_alive;
      slots_.pop_front();
      ++first_slot_;
    }
    if (out_.empty()) {
      if (slots_.empty() && moving_)
        std::exchange(moving_, nullptr)();
      return;
    }
    writing_ = true;
    asio::async_write(socket_, asio::buffer(out_), [self = shared_from_this(), last](error_code failed, std::size_t) {
      self->writing_ = false;
      if (failed)
        self->peer_gone(failed);
      else if (last || (self->peer_done_ && self->slots_.empty()))
        self->finish();
      else {
        self->write_ready();
        self->read_next();
        self->limit_idle_time();
      }
    });
  }

  /// Answers what cannot be read on from, then closes: nothing behind it is taken for a request.
  void refuse(http_answer&& answer) {
    reading_ = false;
    closing_ = true;
    deadline_.cancel();
    auto& entry = slots_.emplace_back();
    entry.keep_alive = false;
    complete(first_slot_ + slots_.size() - 1, std::move(answer));
  }

  // -- the end -------------------------------------------------------------------------------------------------

  void peer_gone(error_code why) {
    reading_ = false;
    deadline_.cancel();
    auto held_poll = false;
    for (auto& entry : slots_) {
      if (entry.on_abort) {
        held_poll = true;
        std::exchange(entry.on_abort, nullptr)();
      }
    }
    peer_done_ = true;
    auto half_closed = why == asio::error::eof || why == http::error::end_of_stream;
    if (!half_closed || held_poll || slots_.empty())
      close();
  }

  /// Sends our FIN and waits a moment for the peer's: closing at once could destroy an answer that is on its way.
  void finish() {
    closing_ = true;
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    set_deadline(std::chrono::seconds{2});
    drain();
  }

  void drain() {
    buffer_.consume(buffer_.size());
    socket_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed)
        self->close();
      else
        self->drain();
    });
  }

  void close() {
    closing_ = true;
    deadline_.cancel();
    error_code ignored;
    socket_.close(ignored);
  }

  /// Absolute: a peer that sends byte by byte gains nothing.
  void set_deadline(std::chrono::milliseconds from_now) {
    deadline_.expires_after(from_now);
    deadline_.async_wait([weak = weak_from_this()](error_code cancelled) {
      auto self = weak.lock();
      if (!cancelled && self)
        self->close();
    });
  }

  transport_worker& worker_;
  const transport_limits& limits_;
  tcp::socket socket_;
  asio::steady_timer deadline_;
  beast::flat_buffer buffer_;
  std::optional<parser> parser_;
  std::deque<slot> slots_;
  std::uint64_t first_slot_ = 0;
  std::string out_;
  std::function<void()> moving_;
  bool reading_ = false;
  bool idle_ = false; ///< no byte of the next request has come
  bool writing_ = false;
  bool peer_done_ = false; ///< no more requests will come
  bool closing_ = false;
};

} // namespace

void serve_http(transport_worker& worker, tcp::socket socket) {
  std::make_shared<http_connection>(worker, std::move(socket))->start();
}

} // namespace headway
