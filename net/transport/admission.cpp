#include "net/transport/admission.hpp"

#include <random>
#include <utility>

namespace headway {

namespace {

constexpr token_rate unlimited{};

/// As labels of headway_refused_total, in the order of `reason`.
constexpr std::array<const char*, 10> reasons{"connections",
                                              "connections_per_address",
                                              "connections_per_user",
                                              "connection_rate",
                                              "connection_rate_per_address",
                                              "tcp_connections",
                                              "tcp_connections_per_address",
                                              "accept_rate",
                                              "accept_rate_per_address",
                                              "logins"};

/// What comes in a second may come at once.
token_rate each_second(double n) { return {n, n}; }

} // namespace

admission::admission(const admission_limits& limits, trusted_proxies proxies, metrics& counters)
  : proxies_{std::move(proxies)},
    tcp_{{limits.tcp_connections, limits.tcp_connections_per_address},
         {each_second(limits.accepts_per_second), each_second(limits.accepts_per_address_per_second)},
         reason::tcp_connections,
         reason::tcp_connections_per_address,
         reason::accept_rate,
         reason::accept_rate_per_address},
    sessions_{{limits.connections, limits.connections_per_address},
              {each_second(limits.connections_per_second), each_second(limits.connections_per_address_per_second)},
              reason::connections,
              reason::connections_per_address,
              reason::connection_rate,
              reason::connection_rate_per_address},
    users_{0, limits.connections_per_user},
    failed_logins_{unlimited, {limits.failed_logins_per_minute / 60, limits.failed_logins_per_minute}},
    slow_logins_{unlimited, each_second(1)} {
  static_assert(reasons.size() == static_cast<std::size_t>(reason::count));
  for (std::size_t i = 0; i < reasons.size(); ++i)
    refused_[i] = &counters.refused(reasons[i]); // there from the start, as 0
}

result<place> admission::accept(std::string_view address, steady_time now) { return pass(tcp_, address, now); }

result<place> admission::open(std::string_view address, steady_time now) { return pass(sessions_, address, now); }

result<place> admission::pass(gate& through, std::string_view address, steady_time now) {
  auto key = key_of(address);
  auto taken = through.open.take(key);
  if (!taken)
    return refuse(taken.error() == errc::overloaded ? through.full : through.full_of_address, taken.error());
  if (auto passed = through.rate.take(key, now); !passed)
    return refuse(passed.error() == errc::overloaded ? through.too_fast : through.too_fast_of_address, passed.error());
  return taken;
}

result<place> admission::admit_user(std::string_view user_id) {
  auto taken = users_.take(user_id);
  if (!taken)
    return refuse(reason::connections_per_user, taken.error());
  return taken;
}

result<void> admission::may_log_in(std::string_view address, steady_time now) {
  auto key = key_of(address);
  if (failed_logins_.has(key, now) || slow_logins_.take(key, now))
    return {};
  return refuse(reason::logins, errc::rate_limited);
}

void admission::login_failed(std::string_view address, steady_time now) {
  (void)failed_logins_.take(key_of(address), now);
}

std::chrono::seconds admission::retry_after() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::seconds{std::uniform_int_distribution{1, 5}(random)};
}

errc admission::refuse(reason why, errc code) {
  refused_[static_cast<std::size_t>(why)]->Increment();
  return code;
}

/// Empty for a trusted proxy.
std::string admission::key_of(std::string_view address) const {
  return proxies_.contains(address) ? std::string{} : limit_key(address);
}

} // namespace headway
