#include "net/transport/http_reader.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <algorithm>
#include <functional>
#include <optional>

namespace headway {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

/// A body's first seconds do not count towards its least rate.
constexpr auto body_grace = std::chrono::seconds{5};

std::string text_of(beast::string_view view) { return {view.data(), view.size()}; }

/// Values of a header that may come several times.
std::string joined(const http::request_header<>& head, std::string_view name) {
  std::string all;
  auto [begin, end] = head.equal_range(beast::string_view{name.data(), name.size()});
  for (auto it = begin; it != end; ++it)
    all.append(all.empty() ? "" : ",").append(text_of(it->value()));
  return all;
}

http_request to_request(const http::request_header<>& head) {
  http_request r;
  std::string_view target{head.target().data(), head.target().size()};
  r.method = text_of(head.method_string());
  r.path = target.substr(0, target.find('?'));
  if (r.path.size() < target.size())
    r.query = target.substr(r.path.size() + 1);
  r.content_type = text_of(head[http::field::content_type]);
  r.content_encoding = text_of(head[http::field::content_encoding]);
  r.authorization = text_of(head[http::field::authorization]);
  r.origin = text_of(head[http::field::origin]);
  r.host = text_of(head[http::field::host]);
  r.user_agent = text_of(head[http::field::user_agent]);
  r.accept = joined(head, "Accept");
  r.last_event_id = text_of(head["Last-Event-ID"]);
  r.forwarded_for = joined(head, "X-Forwarded-For");
  r.cors_headers = text_of(head[http::field::access_control_request_headers]);
  return r;
}

class reader : public http_reader {
public:
  reader(tcp::socket& socket, const transport_limits& limits, metrics& counters, http_reader_owner& owner)
    : socket_{socket}, limits_{limits}, counters_{counters}, owner_{owner}, deadline_{socket.get_executor()} {}

  void read() override {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
    parser_->body_limit(boost::none); // set when the head is known
    parser_->on_chunk_header(chunk_header_);
    request_ = {};
    scanned_ = 0;
    if (buffer_.size() > 0) {
      set_deadline(limits_.head_timeout);
      asio::post(socket_.get_executor(), [this, owner = owner_.shared_from_this()] { look_for_head(); });
      return;
    }
    waiting_ = true;
    limit_idle_time();
    socket_.async_wait(asio::socket_base::wait_read, [this, owner = owner_.shared_from_this()](error_code failed) {
      waiting_ = false;
      if (failed)
        return end(failed);
      set_deadline(limits_.head_timeout);
      read_some_head();
    });
  }

  void limit_idle_time() override {
    if (waiting_ && owner_.is_idle())
      set_deadline(limits_.idle_timeout);
  }

  void stop() override {
    phase_ = phase::none;
    deadline_.cancel();
  }

  std::string take_rest() override {
    auto rest = beast::buffers_to_string(buffer_.cdata());
    buffer_.consume(buffer_.size());
    return rest;
  }

  void put_back(std::string rest) override {
    buffer_.commit(asio::buffer_copy(buffer_.prepare(rest.size()), asio::buffer(rest)));
  }

private:
  enum class phase : std::uint8_t { none, idle, head, body };

  // -- head ----------------------------------------------------------------------------------------------------

  void read_some_head() {
    if (timed_out_)
      return refuse(errc::request_timeout);
    constexpr std::size_t at_once = 4096;
    socket_.async_read_some(buffer_.prepare(at_once),
                            [this, owner = owner_.shared_from_this()](error_code failed, std::size_t n) {
                              if (failed)
                                return end(failed);
                              buffer_.commit(n);
                              look_for_head();
                            });
  }

  void look_for_head() {
    std::string_view come{static_cast<const char*>(buffer_.cdata().data()), buffer_.size()};
    if (come.front() < 'A' || come.front() > 'Z')
      return refuse(errc::bad_request); // a TLS handshake, say: no use to wait for the rest
    constexpr std::string_view end_of_head = "\r\n\r\n";
    auto at = come.find(end_of_head, scanned_);
    if (at == std::string_view::npos ? come.size() >= limits_.head_bytes : at + end_of_head.size() > limits_.head_bytes)
      return exceed("http.head_bytes_max", errc::header_too_large);
    if (at == std::string_view::npos) {
      scanned_ = come.size() < end_of_head.size() ? 0 : come.size() - (end_of_head.size() - 1);
      return read_some_head();
    }
    on_head(come.substr(0, at + end_of_head.size()));
  }

  void on_head(std::string_view head) {
    if (auto guarded = guard_head(head, limits_.head); !guarded) {
      if (guarded.error() == errc::uri_too_long)
        return exceed("http.target_bytes_max", errc::uri_too_long);
      if (guarded.error() == errc::header_too_large)
        return exceed("http.headers_max", errc::header_too_large);
      return refuse(guarded.error());
    }
    error_code failed;
    head_ = head;
    buffer_.consume(parser_->put(asio::buffer(head_), failed));
    if (failed || !parser_->is_header_done())
      return refuse(errc::bad_request);
    request_ = to_request(parser_->get()); // now: what a trailer brings is no header
    auto length = parser_->content_length();
    auto body_is_here = parser_->is_done() || (length && *length <= buffer_.size());
    auto body_limit = owner_.on_head(request_, !body_is_here);
    parser_->body_limit(body_limit);
    if (length && *length > body_limit)
      return refuse(errc::payload_too_large);
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue") && owner_.is_idle()) {
      error_code ignored;
      asio::write(socket_, asio::buffer(std::string_view{"HTTP/1.1 100 Continue\r\n\r\n"}), ignored);
    }
    set_deadline(time_for_body(length));
    phase_ = phase::body;
    read_body();
  }

  // -- body ----------------------------------------------------------------------------------------------------

  std::chrono::milliseconds time_for_body(const boost::optional<std::uint64_t>& length) const {
    if (!length || limits_.body_bytes_per_second == 0)
      return limits_.body_timeout;
    auto seconds = std::chrono::seconds{*length / limits_.body_bytes_per_second};
    return std::min<std::chrono::milliseconds>(limits_.body_timeout, body_grace + seconds);
  }

  void read_body() {
    // Room for one read and a chunk's header: a longer header does not fit, whatever it says.
    buffer_.max_size(std::max(buffer_.size(), limits_.head_bytes) + 65'536);
    http::async_read(socket_, buffer_, *parser_,
                     [this, owner = owner_.shared_from_this()](error_code failed, std::size_t) {
                       if (!failed)
                         return on_request();
                       if (failed == http::error::body_limit)
                         return refuse(errc::payload_too_large);
                       if (is_end(failed)) {
                         owner_.on_broken(request_, false);
                         return end(failed);
                       }
                       if (failed == http::error::bad_chunk_extension || failed == http::error::buffer_overflow)
                         return exceed("http.chunk_header_bytes_max", errc::bad_request);
                       refuse(errc::bad_request);
                     });
  }

  /// The connection is at its end; every other error is what the peer wrote.
  static bool is_end(error_code failed) {
    static const auto& of_http = http::make_error_code(http::error::end_of_stream).category();
    return failed.category() != of_http || failed == http::error::end_of_stream ||
           failed == http::error::partial_message;
  }

  void on_request() {
    stop();
    auto& message = parser_->get();
    read_request out;
    out.keep_alive = message.keep_alive();
    out.is_upgrade = beast::websocket::is_upgrade(message);
    if (out.is_upgrade)
      out.head = std::move(head_);
    out.request = std::move(request_);
    out.request.body = std::move(message.body());
    parser_.reset();
    owner_.on_request(std::move(out));
  }

  // -- the end -------------------------------------------------------------------------------------------------

  void refuse(errc why) {
    auto too_big = why == errc::payload_too_large;
    auto has_head = phase_ == phase::body || too_big;
    stop();
    if (too_big)
      counters_.limit_exceeded("http.body_bytes_max").Increment();
    if (has_head)
      owner_.on_broken(request_, too_big);
    owner_.on_refused(why, request_);
  }

  void exceed(const char* limit, errc why) {
    counters_.limit_exceeded(limit).Increment();
    refuse(why);
  }

  void end(error_code why) {
    if (timed_out_) // the socket was stopped by ourselves, to answer
      return refuse(errc::request_timeout);
    stop();
    owner_.on_end(why == asio::error::eof || why == http::error::end_of_stream);
  }

  void set_deadline(std::chrono::milliseconds from_now) {
    phase_ = waiting_ ? phase::idle : phase::head;
    deadline_.expires_after(from_now);
    deadline_.async_wait([this, owner = owner_.weak_from_this()](error_code cancelled) {
      auto alive = owner.lock();
      if (!cancelled && alive)
        on_deadline();
    });
  }

  void on_deadline() {
    if (phase_ == phase::none)
      return;
    if (phase_ != phase::idle) {
      counters_.limit_exceeded(phase_ == phase::head ? "http.head_timeout_ms" : "http.body_timeout_ms").Increment();
      timed_out_ = true;
    }
    error_code ignored;
    socket_.cancel(ignored); // what waits ends with operation_aborted
  }

  tcp::socket& socket_;
  const transport_limits& limits_;
  metrics& counters_;
  http_reader_owner& owner_;
  asio::steady_timer deadline_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  /// A chunk's extensions mean nothing here, and are bounded.
  std::function<void(std::uint64_t, beast::string_view, error_code&)> chunk_header_ =
    [this](std::uint64_t, beast::string_view extensions, error_code& failed) {
      if (extensions.size() > limits_.chunk_header_bytes)
        failed = http::error::bad_chunk_extension;
    };
  std::string head_;
  http_request request_;
  std::size_t scanned_ = 0;
  phase phase_ = phase::none;
  bool waiting_ = false; ///< for the first byte of a request
  bool timed_out_ = false;
};

} // namespace

std::unique_ptr<http_reader> make_http_reader(tcp::socket& socket, const transport_limits& limits, metrics& counters,
                                              http_reader_owner& owner) {
  return std::make_unique<reader>(socket, limits, counters, owner);
}

} // namespace headway
