#include "net/transport/listener.hpp"

#include "core/log.hpp"
#include "net/transport/admission.hpp"
#include "net/transport/engineio_endpoint.hpp"
#include "net/transport/http_connection.hpp"
#include "net/transport/http_text.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace headway {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

/// A descriptor in reserve.
class spare_descriptor {
public:
  spare_descriptor() { open(); }
  ~spare_descriptor() { close(); }
  spare_descriptor(const spare_descriptor&) = delete;
  spare_descriptor& operator=(const spare_descriptor&) = delete;

  bool is_open() const { return fd_ >= 0; }
  void open() {
    if (!is_open())
      fd_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  void close() {
    if (is_open())
      ::close(std::exchange(fd_, -1));
  }

private:
  int fd_ = -1;
};

class tcp_listener : public listener, public std::enable_shared_from_this<tcp_listener> {
public:
  tcp_listener(transport_server& server, const std::string& host, std::uint16_t port)
    : server_{server}, acceptor_{*server.workers.front()->context}, pause_{*server.workers.front()->context} {
    auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host);
    tcp::endpoint endpoint{address, port};
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address{true});
    acceptor_.bind(endpoint);
    acceptor_.listen(asio::socket_base::max_listen_connections);
    port_ = acceptor_.local_endpoint().port();
  }

  std::uint16_t port() const override { return port_; }

  void stop() override {
    asio::post(acceptor_.get_executor(), [self = shared_from_this()] {
      boost::system::error_code ignored;
      self->acceptor_.close(ignored);
      self->pause_.cancel();
    });
  }

  void accept() {
    auto& worker = *server_.workers[next_++ % server_.workers.size()];
    acceptor_.async_accept(*worker.context,
                           [self = shared_from_this(), &worker](boost::system::error_code failed, tcp::socket socket) {
                             if (failed == asio::error::operation_aborted || !self->acceptor_.is_open())
                               return;
                             if (failed) {
                               self->recover(failed);
                               return;
                             }
                             self->serve(worker, std::move(socket));
                             self->accept();
                           });
  }

private:
  void serve(transport_worker& worker, tcp::socket socket) {
    boost::system::error_code gone;
    auto peer = socket.remote_endpoint(gone);
    if (gone)
      return; // it was reset before we looked
    accepted_socket accepted{std::move(socket), peer.address().to_string(), nullptr};
    if (server_.gate) {
      auto granted = server_.gate->accept(accepted.address, steady_time::clock::now());
      if (!granted)
        return refuse(accepted.socket, granted.error());
      accepted.place = std::move(*granted);
    }
    asio::post(*worker.context,
               [&worker, accepted = std::move(accepted)]() mutable { serve_http(worker, std::move(accepted)); });
  }

  /// Answered as well as can be done at once: who is one too many gets no state here.
  static void refuse(tcp::socket& socket, errc why) {
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    auto answer = to_text(refusal(why), {}, false, false);
    socket.write_some(asio::buffer(answer), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
    std::array<char, 4096> request{}; // unread, it would reset the connection and take the answer along
    socket.read_some(asio::buffer(request), ignored);
  }

  /// Out of descriptors, say: the one in reserve takes the next connection off the queue and closes it, so that its
  /// client hears of it at once. Then it goes on by itself.
  void recover(boost::system::error_code why) {
    server_.counters->accept_failures.Increment();
    log::warn("listener.accept_failed", {{"what", why.message()}});
    if (spare_.is_open()) {
      spare_.close();
      boost::system::error_code ignored;
      tcp::socket unlucky{acceptor_.get_executor()};
      acceptor_.non_blocking(true, ignored);
      acceptor_.accept(unlucky, ignored);
      unlucky.close(ignored);
      spare_.open();
    }
    pause_.expires_after(std::chrono::milliseconds{100});
    pause_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
      if (!cancelled) {
        self->spare_.open();
        self->accept();
      }
    });
  }

  transport_server& server_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  spare_descriptor spare_;
  std::size_t next_ = 0;
  std::uint16_t port_ = 0;
};

} // namespace

std::shared_ptr<listener> listen(transport_server& server, const std::string& host, std::uint16_t port) {
  try {
    auto made = std::make_shared<tcp_listener>(server, host, port);
    asio::post(*server.workers.front()->context, [made] { made->accept(); });
    return made;
  } catch (const boost::system::system_error& e) {
    throw std::runtime_error("Cannot listen on " + host + ":" + std::to_string(port) + ": " + e.code().message() + ".");
  }
}

} // namespace headway
