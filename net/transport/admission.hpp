// ADMISSION  who is let in, and how fast. One per server, asked by all I/O threads.
//
//   TCP accept --accept--> request --open--> watcher's session --admit_user--> rooms
//                             |
//                             +--may_log_in--> token or key is checked --login_failed, if it is wrong
//
// A place counts until its last copy goes: keep it with the socket, with the session. What a trusted proxy does for
// itself counts in the totals only, since its clients are not known by its address. Every refusal is counted
// (headway_refused_total) and told by its errc: overloaded (503) where the server is full, rate_limited (429) where the
// client has all it may.
#pragma once

#include "core/address.hpp"
#include "core/metrics.hpp"
#include "core/quota.hpp"
#include "core/rate_table.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace headway {

/// 0 is no limit. What comes in a second may come at once.
struct admission_limits {
  std::size_t tcp_connections = 20'000;
  std::size_t tcp_connections_per_address = 1'000;
  double accepts_per_second = 2'000;
  double accepts_per_address_per_second = 500;
  std::size_t connections = 10'000; ///< watchers' sessions
  std::size_t connections_per_address = 200;
  std::size_t connections_per_user = 200;
  double connections_per_second = 500;
  double connections_per_address_per_second = 50;
  double failed_logins_per_minute = 10; ///< of one address; then one attempt a second
};

class admission {
public:
  admission(const admission_limits& limits, trusted_proxies proxies, metrics& counters);

  const trusted_proxies& proxies() const { return proxies_; }

  /// A TCP connection was accepted; `address` is its peer's. @returns overloaded, rate_limited: close it.
  result<place> accept(std::string_view address, steady_time now);

  /// A watcher's session begins: Engine.IO (its transports share it), a plain WebSocket, an event stream. `address` is
  /// the client's, see `trusted_proxies::client_address`. @returns overloaded, rate_limited.
  result<place> open(std::string_view address, steady_time now);

  /// A user was told by its token; asked once for each session. @returns rate_limited.
  result<place> admit_user(std::string_view user_id);

  /// Whether a token or key may be tried. @returns rate_limited after too many failures from this address: then one
  /// attempt a second is let through, right or wrong. Users are never locked out by their names.
  result<void> may_log_in(std::string_view address, steady_time now);

  /// A token or key was a guess: auth_invalid. One that is missing or expired is none, and a page that was left open
  /// over night must not lock out its neighbours.
  void login_failed(std::string_view address, steady_time now);

  /// 1 to 5 s at random, so that those who were refused together do not come back together.
  static std::chrono::seconds retry_after();

private:
  enum class reason : std::uint8_t {
    connections,
    connections_per_address,
    connections_per_user,
    connection_rate,
    connection_rate_per_address,
    tcp_connections,
    tcp_connections_per_address,
    accept_rate,
    accept_rate_per_address,
    logins,
    count
  };

  /// What TCP connections and sessions have in common.
  struct gate {
    quota open;
    rate_table rate;
    reason full;
    reason full_of_address;
    reason too_fast;
    reason too_fast_of_address;
  };

  result<place> pass(gate& through, std::string_view address, steady_time now);
  errc refuse(reason why, errc code);
  std::string key_of(std::string_view address) const;

  trusted_proxies proxies_;
  gate tcp_;
  gate sessions_;
  quota users_;
  rate_table failed_logins_;
  rate_table slow_logins_; ///< of addresses with too many failures
  std::array<prometheus::Counter*, static_cast<std::size_t>(reason::count)> refused_{};
};

} // namespace headway
