// ADDRESS  who counts as the client, and which addresses count as one.
//
//   peer 10.0.0.1 (a trusted proxy), X-Forwarded-For: 198.51.100.9, 203.0.113.5, 10.0.0.2
//                                                                   ^^^^^^^^^^^ the last that no proxy of ours is
//
// What stands further left was written by the client itself and proves nothing.
#pragma once

#include "core/errc.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headway {

/// IPv4 or IPv6. IPv4 within IPv6 (::ffff:192.0.2.1) is IPv4.
class ip_address {
public:
  /// Without port, brackets or name; a zone (fe80::1%eth0) is dropped. @returns bad_request for anything else.
  static result<ip_address> parse(std::string_view text);

  bool is_v4() const;
  /// "192.0.2.1", "2001:db8::1"
  std::string to_string() const;
  /// The first `bits` of 128, zeros behind them. IPv4 has its 32 bits at the end.
  ip_address first_bits(std::size_t bits) const;

  bool operator==(const ip_address&) const = default;

private:
  std::array<std::uint8_t, 16> bytes_{}; ///< IPv4 as ::ffff:192.0.2.1
};

/// "10.0.0.0/8", "2001:db8::/32", or one address.
class ip_network {
public:
  /// Bits of the address behind the prefix are ignored. @returns bad_request; also for a prefix of 0, which is anybody.
  static result<ip_network> parse(std::string_view text);

  bool contains(const ip_address& address) const { return address.first_bits(bits_) == first_; }

private:
  ip_address first_;
  std::size_t bits_ = 128;
};

/// What an address counts as where something is limited: IPv4 itself, IPv6 its /64 ("2001:db8:1:2::/64"), since a
/// single customer has at least that. What is no address: itself.
std::string limit_key(std::string_view address);

/// The proxies whose word about their clients counts.
class trusted_proxies {
public:
  /// Nobody is trusted.
  trusted_proxies() = default;
  /// As `ip_network::parse` takes them; what it refuses is nobody.
  explicit trusted_proxies(const std::vector<std::string>& networks);

  bool contains(std::string_view address) const;

  /// The address of the client, without port and brackets. `x_forwarded_for`: all such headers of the request, joined
  /// by commas. The peer where it is not trusted, or where it forwards for something that is no address; the first of
  /// the list where all of it is trusted.
  std::string client_address(std::string_view peer_address, std::string_view x_forwarded_for) const;

private:
  bool contains(const ip_address& address) const;

  std::vector<ip_network> networks_;
};

} // namespace headway
