#include "core/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <span>

namespace headway {

namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// Some proxies add the port: "192.0.2.1:4711", "[2001:db8::1]:4711".
std::string_view without_port(std::string_view text) {
  if (text.starts_with('[')) {
    auto end = text.find(']');
    return end == std::string_view::npos ? text : text.substr(1, end - 1);
  }
  return std::ranges::count(text, ':') == 1 ? text.substr(0, text.find(':')) : text;
}

} // namespace

// -- ip_address ---------------------------------------------------------------------------------------------------

result<ip_address> ip_address::parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos)
    return errc::bad_request; // the system would stop there
  std::string zero_ended{text.substr(0, text.find('%'))};
  ip_address out;
  if (inet_pton(AF_INET6, zero_ended.c_str(), out.bytes_.data()) == 1)
    return out;
  if (text.size() != zero_ended.size() || inet_pton(AF_INET, zero_ended.c_str(), &out.bytes_[v4_prefix.size()]) != 1)
    return errc::bad_request;
  std::ranges::copy(v4_prefix, out.bytes_.begin());
  return out;
}

bool ip_address::is_v4() const { return std::ranges::equal(v4_prefix, std::span{bytes_}.first<v4_prefix.size()>()); }

std::string ip_address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_v4())
    inet_ntop(AF_INET, &bytes_[v4_prefix.size()], text.data(), text.size());
  else
    inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

ip_address ip_address::first_bits(std::size_t bits) const {
  auto out = *this;
  for (std::size_t i = 0; i < out.bytes_.size(); ++i) {
    auto kept = std::min<std::size_t>(bits - std::min(bits, i * 8), 8);
    out.bytes_[i] = static_cast<std::uint8_t>(out.bytes_[i] & (0xff00U >> kept));
  }
  return out;
}

// -- ip_network ---------------------------------------------------------------------------------------------------

result<ip_network> ip_network::parse(std::string_view text) {
  auto slash = text.find('/');
  auto address = ip_address::parse(text.substr(0, slash));
  if (!address)
    return address.error();
  ip_network out;
  if (slash != std::string_view::npos) {
    auto digits = text.substr(slash + 1);
    auto is_v4_text = text.find(':') == std::string_view::npos;
    std::size_t longest = is_v4_text ? 32 : 128;
    auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), out.bits_);
    if (failed != std::errc{} || end != digits.data() + digits.size() || out.bits_ < 1 || out.bits_ > longest)
      return errc::bad_request;
    out.bits_ += 128 - longest;
  }
  out.first_ = address->first_bits(out.bits_);
  return out;
}

// -- limits and proxies -------------------------------------------------------------------------------------------

std::string limit_key(std::string_view address) {
  constexpr std::size_t customer_bits = 64;
  auto parsed = ip_address::parse(address);
  if (!parsed)
    return std::string{address};
  return parsed->is_v4() ? parsed->to_string() : parsed->first_bits(customer_bits).to_string() + "/64";
}

trusted_proxies::trusted_proxies(const std::vector<std::string>& networks) {
  for (const auto& text : networks)
    if (auto network = ip_network::parse(text))
      networks_.push_back(*network);
}

bool trusted_proxies::contains(const ip_address& address) const {
  return std::ranges::any_of(networks_, [&](const ip_network& network) { return network.contains(address); });
}

bool trusted_proxies::contains(std::string_view address) const {
  auto parsed = ip_address::parse(address);
  return parsed && contains(*parsed);
}

std::string trusted_proxies::client_address(std::string_view peer_address, std::string_view x_forwarded_for) const {
  auto peer = ip_address::parse(peer_address);
  if (!peer)
    return std::string{peer_address};
  auto client = *peer;
  while (contains(client) && !trimmed(x_forwarded_for).empty()) {
    auto comma = x_forwarded_for.rfind(',');
    auto last = comma == std::string_view::npos ? x_forwarded_for : x_forwarded_for.substr(comma + 1);
    x_forwarded_for = comma == std::string_view::npos ? std::string_view{} : x_forwarded_for.substr(0, comma);
    auto forwarded = ip_address::parse(without_port(trimmed(last)));
    if (!forwarded)
      return peer->to_string();
    client = *forwarded;
  }
  return client.to_string();
}

} // namespace headway
