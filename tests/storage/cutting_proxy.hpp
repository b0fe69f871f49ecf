// Stands between a store and PostgreSQL, and cuts the connection at its COMMIT.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace headway::test {

enum class cut { none, before_commit, after_commit };

/// Listens in `folder` as a PostgreSQL would, passes bytes to the one in `server_folder`. One connection at a time.
class cutting_proxy {
public:
  cutting_proxy(const std::string& folder, const std::string& server_folder) : server_{address(server_folder)} {
    auto here = address(folder);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&here), sizeof here) != 0 || ::listen(listener_, 8) != 0)
      throw std::runtime_error{"the proxy cannot listen"};
    worker_ = std::jthread{[this](const std::stop_token& stop) { serve(stop); }};
  }
  ~cutting_proxy() {
    worker_.request_stop();
    worker_.join();
    ::close(listener_);
  }
  cutting_proxy(const cutting_proxy&) = delete;
  cutting_proxy& operator=(const cutting_proxy&) = delete;

  /// Once: the next COMMIT.
  void arm(cut when) { armed_ = when; }
  bool has_cut() const { return armed_ == cut::none; }

private:
  static sockaddr_un address(const std::string& folder) {
    sockaddr_un out{};
    out.sun_family = AF_UNIX;
    (folder + "/.s.PGSQL.5432").copy(out.sun_path, sizeof out.sun_path - 1);
    return out;
  }

  static bool readable(int fd, int timeout_ms) {
    pollfd wait{fd, POLLIN, 0};
    return ::poll(&wait, 1, timeout_ms) > 0;
  }

  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!readable(listener_, 20))
        continue;
      auto client = ::accept(listener_, nullptr, nullptr);
      auto server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (::connect(server, reinterpret_cast<sockaddr*>(&server_), sizeof server_) == 0)
        while (!stop.stop_requested() && pass(client, server))
          ;
      ::close(client);
      ::close(server);
    }
  }

  /// False where the connection is over.
  bool pass(int client, int server) {
    std::array<pollfd, 2> both{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    ::poll(both.data(), both.size(), 20);
    if (both[0].revents != 0) {
      auto size = ::recv(client, buffer_.data(), buffer_.size(), 0);
      if (size <= 0)
        return false;
      std::string_view bytes{buffer_.data(), static_cast<std::size_t>(size)};
      auto when = bytes.find("COMMIT") != std::string_view::npos ? armed_.exchange(cut::none) : cut::none;
      if (when == cut::before_commit)
        return false;
      ::send(server, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (when == cut::after_commit) {
        readable(server, 5000); // it has answered: it is done
        return false;
      }
    }
    if (both[1].revents != 0) {
      auto size = ::recv(server, buffer_.data(), buffer_.size(), 0);
      if (size <= 0)
        return false;
      ::send(client, buffer_.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
    }
    return true;
  }

  sockaddr_un server_;
  int listener_ = -1;
  std::array<char, 65536> buffer_{};
  std::atomic<cut> armed_{cut::none};
  std::jthread worker_;
};

} // namespace headway::test
