#include "net/transport/http_connection.hpp"

#include "net/transport/admission.hpp"
#include "net/transport/engineio_endpoint.hpp"
#include "net/transport/http_reader.hpp"
#include "net/transport/http_text.hpp"
#include "net/transport/websocket.hpp"
#include "net/transport/write_queue.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <netinet/tcp.h>

#include <deque>
#include <optional>

namespace headway {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

/// How long we wait for the peer's FIN after ours: closing at once could destroy an answer that is on its way.
constexpr auto linger_time = std::chrono::seconds{2};

class http_connection : public http_reader_owner {
public:
  http_connection(transport_worker& worker, accepted_socket accepted)
    : worker_{worker},
      limits_{worker.server->limits},
      accepted_{std::move(accepted)},
      socket_{accepted_.socket},
      reader_{make_http_reader(socket_, limits_, *worker.server->counters, *this)},
      deadline_{*worker.context} {
    worker_.server->counters->http_connections.Increment();
  }
  ~http_connection() override { worker_.server->counters->http_connections.Decrement(); }

  void start() {
    prepare_socket();
    read_next();
  }

  /// Goes on with a request that another worker has read: its session lives here.
  void take_over(std::string rest, read_request what) {
    prepare_socket();
    reader_->put_back(std::move(rest));
    dispatch(std::move(what));
  }

  /// From a port: the answer of one request. On this worker's thread.
  void complete(std::uint64_t number, http_answer&& answer) {
    if (number < first_slot_ || number - first_slot_ >= slots_.size())
      return;
    auto& entry = slots_[static_cast<std::size_t>(number - first_slot_)];
    entry.keep_alive = entry.keep_alive && !answer.close && !worker_.server->stopping;
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

  /// Keeps the connection alive while an answer is owed.
  class port : public http_port {
  public:
    port(std::shared_ptr<http_connection> to, std::uint64_t number, bool is_engineio)
      : to_{std::move(to)}, executor_{to_->socket_.get_executor()}, number_{number}, is_engineio_{is_engineio} {}
    ~port() override {
      if (to_)
        answer(is_engineio_ ? engineio::handshake_refusal(engineio::handshake_error::session_unknown)
                            : problem(errc::shutting_down));
    }
    void answer(http_answer&& a) override {
      if (!to_)
        return;
      asio::dispatch(executor_, [to = std::exchange(to_, nullptr), number = number_, a = std::move(a)]() mutable {
        to->complete(number, std::move(a));
      });
    }
    stream_port_ptr stream(http_answer&& head, std::function<void()> on_end) override {
      if (!to_ || !to_->begin_stream(number_, std::move(head), std::move(on_end)))
        return nullptr;
      return std::make_shared<stream_out>(std::exchange(to_, nullptr));
    }

  private:
    std::shared_ptr<http_connection> to_; ///< none once it is answered
    asio::any_io_executor executor_;
    std::uint64_t number_;
    bool is_engineio_;
  };

  class stream_out : public stream_port {
  public:
    explicit stream_out(std::shared_ptr<http_connection> to) : to_{std::move(to)} {}
    ~stream_out() override { close(); }
    void send(const frame_ptr& piece) override { to_->stream_->push_payload(piece); }
    void flush() override { to_->stream_->flush(); }
    void close() override { to_->end_stream(); }
    std::size_t queued_bytes() const override { return to_->stream_->bytes(); }

  private:
    std::shared_ptr<http_connection> to_;
  };

  std::shared_ptr<http_connection> self() { return std::static_pointer_cast<http_connection>(shared_from_this()); }

  void prepare_socket() {
    error_code ignored;
    socket_.set_option(tcp::no_delay{true}, ignored);
  }

  // -- reading -------------------------------------------------------------------------------------------------

  void read_next() {
    if (reading_ || closing_ || stream_ || slots_.size() >= limits_.pipelined)
      return;
    reading_ = true;
    reader_->read();
  }

  bool is_idle() const override { return slots_.empty(); }

  std::size_t on_head(const http_request& head, bool body_follows) override {
    if (!endpoint_of(*worker_.server, head.path))
      return limits_.body_bytes;
    if (body_follows && head.method == "POST")
      tell_session(head, post_begun{[weak = weak_from_this(), executor = socket_.get_executor()] {
                     asio::dispatch(executor, [weak] {
                       if (auto alive = weak.lock())
                         static_cast<http_connection&>(*alive).close();
                     });
                   }});
    return limits_.payload_bytes;
  }

  /// A polling POST ended in the middle: so does its session.
  void on_broken(const http_request& head, bool too_big) override {
    if (head.method == "POST" && endpoint_of(*worker_.server, head.path))
      tell_session(head, post_aborted{too_big});
  }

  template <class Message>
  void tell_session(const http_request& head, Message message) {
    std::string sid{query_params{head.query}.get("sid")};
    auto& home = worker_of(worker_, sid);
    asio::dispatch(*home.context, [&home, sid = std::move(sid), message = std::move(message)] {
      if (auto it = home.sessions->find(sid); it != home.sessions->end())
        caf::anon_send(it->second.actor, message);
    });
  }

  /// Answers what cannot be read on from, then closes: nothing behind it is taken for a request.
  void on_refused(errc why, const http_request& head) override {
    reading_ = false;
    if (stream_ || closing_)
      return;
    closing_ = true;
    auto& entry = slots_.emplace_back();
    entry.keep_alive = false;
    entry.origin = worker_.server->origins.answer_to(head.origin);
    auto is_engineio = endpoint_of(*worker_.server, head.path).has_value();
    if (why == errc::payload_too_large)
      worker_.server->counters->limit_exceeded(is_engineio ? "engineio.max_payload_bytes" : "http.body_bytes_max")
        .Increment();
    if (why == errc::payload_too_large && is_engineio)
      complete(last_number(), {413, {}, {}, {}}); // as clients know it: no body
    else
      complete(last_number(), problem(why));
  }

  void on_end(bool half_closed) override {
    reading_ = false;
    peer_gone(half_closed);
  }

  void on_request(read_request&& what) override {
    reading_ = false;
    if (stream_ || closing_ || (!slots_.empty() && !slots_.back().keep_alive))
      return; // what stands behind a last request is none
    if (const auto* gate = worker_.server->gate)
      what.request.address = gate->proxies().client_address(accepted_.address, what.request.forwarded_for);
    else
      what.request.address = accepted_.address;
    if (auto& there = home_of(what.request); &there != &worker_)
      move_when_quiet(there, std::move(what));
    else
      dispatch(std::move(what));
  }

  // -- dispatch ------------------------------------------------------------------------------------------------

  std::uint64_t last_number() const { return first_slot_ + slots_.size() - 1; }

  void dispatch(read_request what) {
    const auto& server = *worker_.server;
    auto endpoint = endpoint_of(server, what.request.path);
    auto& entry = slots_.emplace_back();
    entry.keep_alive = what.keep_alive && !what.is_upgrade; // what is pipelined behind a refused upgrade must not run
    entry.head_only = what.request.method == "HEAD";
    entry.origin = server.origins.answer_to(what.request.origin);
    auto answer = std::make_shared<port>(self(), last_number(), endpoint.has_value());

    if (what.request.method == "OPTIONS" && !what.request.origin.empty())
      answer->answer(preflight(what.request, entry.origin.empty()));
    else if (endpoint)
      dispatch_engineio(*endpoint, std::move(what), answer);
    else if (!server.plain_path.empty() && what.request.path == server.plain_path)
      dispatch_plain(std::move(what), answer);
    else if (what.is_upgrade)
      answer->answer(problem(errc::not_found));
    else if (worker_.api)
      worker_.api(std::move(what.request), answer);
    else
      answer->answer(problem(errc::not_found));
    read_next();
  }

  static http_answer preflight(const http_request& request, bool is_stranger) {
    http_answer a{204, {}, {}, {}};
    if (is_stranger)
      return a;
    a.headers.emplace_back("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE");
    if (!request.cors_headers.empty())
      a.headers.emplace_back("Access-Control-Allow-Headers", request.cors_headers);
    a.headers.emplace_back("Vary", "Access-Control-Request-Headers");
    a.headers.emplace_back("Access-Control-Max-Age", "600");
    return a;
  }

  void dispatch_engineio(std::size_t endpoint, read_request what, const http_port_ptr& answer) {
    auto checked = check_engineio(worker_, endpoint, what.request, what.is_upgrade);
    if (auto* refusal = std::get_if<http_answer>(&checked))
      return answer->answer(std::move(*refusal));
    auto& request = std::get<engineio_request>(checked);
    if (request.transport == engineio::transport::websocket) {
      websocket_target target;
      target.sid = std::move(request.sid);
      target.open = [&worker = worker_, endpoint, from = handshake_of(what.request, request.place)]() mutable {
        return worker.open_engineio[endpoint](std::move(from), engineio::transport::websocket);
      };
      return become_websocket(std::move(what.head), std::move(target));
    }
    auto number = last_number();
    slots_.back().keep_alive = what.keep_alive;
    if (auto session = serve_polling(worker_, request, std::move(what.request), answer)) {
      auto index = static_cast<std::size_t>(number - first_slot_);
      if (index < slots_.size() && !slots_[index].bytes)
        slots_[index].on_abort = [session = *session, weak = std::weak_ptr{answer}] {
          if (auto held = weak.lock())
            caf::anon_send(session, poll_aborted{held});
        };
    }
  }

  void dispatch_plain(read_request what, const http_port_ptr& answer) {
    const auto& server = *worker_.server;
    if (!what.is_upgrade) {
      auto a = problem(errc::upgrade_required);
      a.headers.emplace_back("Upgrade", "websocket");
      return answer->answer(std::move(a));
    }
    if (!server.origins.may_connect(what.request.origin, what.request.host))
      return answer->answer(problem(errc::forbidden));
    auto granted = place_for_session(worker_, what.request);
    if (!granted)
      return answer->answer(refusal(granted.error()));
    websocket_target target;
    target.open = [&worker = worker_, from = handshake_of(what.request, *granted)]() mutable {
      return worker.open_plain(std::move(from));
    };
    become_websocket(std::move(what.head), std::move(target));
  }

  void become_websocket(std::string head, websocket_target target) {
    if (slots_.size() > 1 || writing_) { // answers are owed before it: nobody pipelines an upgrade
      complete(last_number(), problem(errc::bad_request));
      return;
    }
    closing_ = true;
    slots_.clear(); // the handshake is the answer
    serve_websocket(worker_, std::move(socket_), std::move(accepted_.place), head, reader_->take_rest(),
                    std::move(target));
  }

  // -- a stream ------------------------------------------------------------------------------------------------

  bool begin_stream(std::uint64_t number, http_answer&& head, std::function<void()> on_end) {
    if (slots_.size() != 1 || number != first_slot_ || writing_ || closing_ || peer_done_)
      return false;
    error_code ignored;
    socket_.non_blocking(true, ignored);
    using user_timeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
    socket_.set_option(user_timeout{static_cast<int>(limits_.stream_timeout.count())}, ignored);
    stream_ = std::make_shared<write_queue>(socket_, *worker_.server->counters, [this, weak = weak_from_this()] {
      if (auto alive = weak.lock())
        close();
    });
    on_stream_end_ = std::move(on_end);
    stream_->push_bytes(to_stream_head(head, slots_.front().origin));
    slots_.clear();
    return true;
  }

  void end_stream() {
    if (!stream_ || closing_)
      return;
    on_stream_end_ = nullptr;
    closing_ = true;
    set_deadline(limits_.close_timeout);
    stream_->flush();
    stream_->when_empty([this, weak = weak_from_this()] {
      if (auto alive = weak.lock())
        finish();
    });
  }

  // -- moving to the worker of the session ---------------------------------------------------------------------

  transport_worker& home_of(const http_request& request) {
    if (!endpoint_of(*worker_.server, request.path))
      return worker_;
    return worker_of(worker_, query_params{request.query}.get("sid"));
  }

  void move_when_quiet(transport_worker& there, read_request what) {
    if (!slots_.empty() || writing_) {
      moving_ = [this, &there, what = std::move(what)]() mutable { move_when_quiet(there, std::move(what)); };
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
    accepted_socket moved{tcp::socket{*there.context}, accepted_.address, std::move(accepted_.place)};
    moved.socket.assign(protocol, descriptor, failed);
    asio::post(*there.context, [&there, moved = std::move(moved), what = std::move(what),
                                rest = reader_->take_rest()]() mutable {
      std::make_shared<http_connection>(there, std::move(moved))->take_over(std::move(rest), std::move(what));
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
    set_deadline(limits_.body_timeout); // for a peer that does not read
    asio::async_write(socket_, asio::buffer(out_), [this, alive = self(), last](error_code failed, std::size_t) {
      writing_ = false;
      deadline_.cancel();
      if (failed)
        peer_gone(false);
      else if (last || (peer_done_ && slots_.empty()))
        finish();
      else {
        write_ready();
        read_next();
        reader_->limit_idle_time();
      }
    });
  }

  // -- the end -------------------------------------------------------------------------------------------------

  void peer_gone(bool half_closed) {
    reader_->stop();
    auto held_poll = false;
    for (auto& entry : slots_) {
      if (entry.on_abort) {
        held_poll = true;
        std::exchange(entry.on_abort, nullptr)();
      }
    }
    peer_done_ = true;
    if (!half_closed || held_poll || slots_.empty())
      close();
  }

  /// Sends our FIN and waits a moment for the peer's.
  void finish() {
    closing_ = true;
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    set_deadline(linger_time);
    if (reading_)
      return; // the reader hears of the peer's end
    drain();
  }

  void drain() {
    socket_.async_read_some(discard_buffer(), [this, alive = self()](error_code failed, std::size_t) {
      if (failed)
        close();
      else
        drain();
    });
  }

  void close() {
    closing_ = true;
    reader_->stop();
    deadline_.cancel();
    if (stream_)
      stream_->stop();
    error_code ignored;
    socket_.close(ignored);
    if (auto tell = std::exchange(on_stream_end_, nullptr))
      tell();
  }

  void set_deadline(std::chrono::milliseconds from_now) {
    deadline_.expires_after(from_now);
    deadline_.async_wait([this, weak = weak_from_this()](error_code cancelled) {
      auto alive = weak.lock();
      if (!cancelled && alive)
        close();
    });
  }

  transport_worker& worker_;
  const transport_limits& limits_;
  accepted_socket accepted_;
  tcp::socket& socket_;
  std::unique_ptr<http_reader> reader_;
  asio::steady_timer deadline_; ///< of writing and closing; reading has its own
  std::deque<slot> slots_;
  std::uint64_t first_slot_ = 0;
  std::string out_;
  std::function<void()> moving_;
  std::shared_ptr<write_queue> stream_;
  std::function<void()> on_stream_end_;
  bool reading_ = false;
  bool writing_ = false;
  bool peer_done_ = false; ///< no more requests will come
  bool closing_ = false;
};

} // namespace

void serve_http(transport_worker& worker, accepted_socket accepted) {
  std::make_shared<http_connection>(worker, std::move(accepted))->start();
}

} // namespace headway
