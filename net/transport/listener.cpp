#include "net/transport/listener.hpp"

#include "core/log.hpp"
#include "net/transport/http_connection.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <stdexcept>

namespace headway {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

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
    acceptor_.async_accept(
      *worker.context, [self = shared_from_this(), &worker](boost::system::error_code failed, tcp::socket socket) {
        if (failed == asio::error::operation_aborted || !self->acceptor_.is_open())
          return;
        if (failed) {
          self->pause_then_accept(failed); // out of descriptors, say: it goes on by itself
          return;
        }
        asio::post(*worker.context,
                   [&worker, socket = std::move(socket)]() mutable { serve_http(worker, std::move(socket)); });
        self->accept();
      });
  }

private:
  void pause_then_accept(boost::system::error_code why) {
    log::warn("listener.accept_failed", {{"what", why.message()}});
    pause_.expires_after(std::chrono::milliseconds{100});
    pause_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
      if (!cancelled)
        self->accept();
    });
  }

  transport_server& server_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
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
