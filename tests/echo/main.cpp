// A server that only echoes, for tests of the protocols:
//
//   /engine.io/  bare Engine.IO, see engineio_echo.hpp
//   /socket.io/  Socket.IO, see socketio_echo.hpp
//
// Says "listening on 127.0.0.1:3000" and runs until SIGTERM or SIGINT.
#include "net/transport/io_threads.hpp"
#include "net/transport/listener.hpp"
#include "tests/echo/engineio_echo.hpp"
#include "tests/echo/socketio_echo.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <future>
#include <iostream>

namespace headway::echo {

namespace {

namespace asio = boost::asio;

constexpr std::uint32_t threads = 2; ///< of either kind: enough for a session to be asked for on another thread

struct options {
  std::uint16_t port = 3000; ///< 0: a free one
  std::uint32_t ping_interval_ms = 300;
  std::uint32_t ping_timeout_ms = 200;
  std::uint32_t connect_timeout_ms = 1000;
};

class system_config : public caf::actor_system_config {
public:
  system_config() { set("scheduler.max-threads", std::size_t{threads}); }
};

class echo_server {
public:
  explicit echo_server(const options& wanted) : system_{caf_settings_}, io_{system_, threads, counters_} {
    engineio::session_options session;
    session.ping_interval = std::chrono::milliseconds{wanted.ping_interval_ms};
    session.ping_timeout = std::chrono::milliseconds{wanted.ping_timeout_ms};
    transport_.system = &system_;
    transport_.counters = &counters_;
    for (std::size_t i = 0; i < io_.size(); ++i) {
      auto& worker = *transport_.workers.emplace_back(std::make_unique<transport_worker>());
      worker.server = &transport_;
      worker.context = &io_.context(i);
      worker.sessions = std::make_shared<session_table>();
      worker.api = [](http_request&&, const http_port_ptr& port) { port->answer(problem(errc::not_found)); };
    }
    add_endpoint("/engine.io/", session, engineio_echo());
    add_endpoint("/socket.io/", session, socketio_echo(std::chrono::milliseconds{wanted.connect_timeout_ms}));
    doors_ = listen(transport_, "127.0.0.1", wanted.port);
  }

  std::uint16_t port() const { return doors_->port(); }

  void stop() {
    transport_.stopping = true;
    doors_->stop();
    for (auto& worker : transport_.workers)
      release_sessions(*worker);
    system_.await_all_actors_done();
    io_.stop();
  }

private:
  void add_endpoint(const std::string& path, const engineio::session_options& session,
                    const application_factory& make) {
    auto endpoint = transport_.engineio_paths.size();
    transport_.engineio_paths.push_back(path);
    for (std::size_t i = 0; i < io_.size(); ++i) {
      auto& worker = *transport_.workers[i];
      engineio_surroundings around{session,   transport_.limits.queue_bytes, endpoint, worker.sessions, &io_.worker(i),
                                   &counters_};
      worker.open_engineio.emplace_back([this, around, make](handshake&& from, engineio::transport first) {
        return open_engineio(system_, around, std::move(from), first, make);
      });
    }
  }

  /// Sessions are known on their worker only.
  static void release_sessions(transport_worker& worker) {
    std::promise<void> told;
    asio::post(*worker.context, [&] {
      for (const auto& [sid, session] : *worker.sessions)
        caf::anon_send(session.actor, release{});
      told.set_value();
    });
    told.get_future().wait();
  }

  // The connections that are still open at the end go with io_, while what they refer to is there.
  metrics counters_;
  system_config caf_settings_;
  caf::actor_system system_;
  transport_server transport_;
  io_threads io_;
  std::shared_ptr<listener> doors_;
};

void wait_for_signal() {
  asio::io_context waiting;
  asio::signal_set signals{waiting, SIGINT, SIGTERM};
  signals.async_wait([](const boost::system::error_code&, int) {});
  waiting.run();
}

int run(int argc, char** argv) {
  CLI::App app{"Echoes over Engine.IO and Socket.IO, for tests of the protocols."};
  options wanted;
  app.add_option("--port", wanted.port, "0 takes a free one")->capture_default_str();
  app.add_option("--ping-interval", wanted.ping_interval_ms, "in milliseconds")->capture_default_str();
  app.add_option("--ping-timeout", wanted.ping_timeout_ms, "in milliseconds")->capture_default_str();
  app.add_option("--connect-timeout", wanted.connect_timeout_ms, "in milliseconds")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN); // NOLINT: a broken connection is an error of that connection
  echo_server running{wanted};
  std::cout << "listening on 127.0.0.1:" << running.port() << std::endl;
  wait_for_signal();
  running.stop();
  return EXIT_SUCCESS;
}

} // namespace

} // namespace headway::echo

int main(int argc, char** argv) {
  try {
    return headway::echo::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
  }
}
