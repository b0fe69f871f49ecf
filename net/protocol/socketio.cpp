#include "net/protocol/socketio.hpp"

#include "net/protocol/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace headway::socketio {

namespace {

constexpr std::array<std::string_view, 6> reserved_events{"connect",       "connect_error", "disconnect",
                                                          "disconnecting", "newListener",   "removeListener"};
constexpr std::size_t ack_digits_max = 15; // within 2^53, so that every peer can hold it

constexpr bool has_attachments(packet_type type) {
  return type == packet_type::binary_event || type == packet_type::binary_ack;
}

std::string_view leading_digits(std::string_view text) {
  auto end = std::ranges::find_if(text, [](char c) { return c < '0' || c > '9'; });
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

/// @returns false where it does not fit.
template <class Number>
bool read_number(std::string_view digits, Number& value) {
  return std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc{};
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

/// What may be echoed: a client's namespace comes back in "Invalid namespace", and 0x1E would split a polling payload.
bool is_namespace(std::string_view text) { return is_utf8(text) && std::ranges::none_of(text, is_control); }

/// Every placeholder names one of `count` attachments. The depth is bounded by the JSON limits.
bool placeholders_fit(const json& value, std::size_t count) {
  if (is_placeholder(value)) {
    auto* num = find(value, "num");
    return num && num->is_number_unsigned() && num->get<std::uint64_t>() < count;
  }
  return !value.is_structured() ||
         std::ranges::all_of(value, [&](auto& part) { return placeholders_fit(part, count); });
}

bool is_event_name(const json& name, const codec_limits& limits) {
  if (name.is_number())
    return true;
  auto* text = name.get_ptr<const std::string*>();
  return text && text->size() <= limits.event_name_bytes && !is_reserved_event(*text);
}

bool is_valid(const packet& p, const codec_limits& limits) {
  auto& data = p.data;
  switch (p.type) {
    case packet_type::connect: return !p.ack_id && (!data || data->is_object());
    case packet_type::disconnect: return !p.ack_id && !data;
    case packet_type::connect_error: return !p.ack_id && data && (data->is_object() || data->is_string());
    case packet_type::event:
    case packet_type::binary_event:
      return data && data->is_array() && !data->empty() && data->size() <= limits.arguments + 1 &&
             is_event_name(data->front(), limits);
    case packet_type::ack:
    case packet_type::binary_ack: return p.ack_id && data && data->is_array() && data->size() <= limits.arguments;
  }
  return false;
}

codec_limit limit_of(const packet& p, const codec_limits& limits) {
  if (!p.data || !p.data->is_array() || p.data->empty())
    return codec_limit::none;
  auto is_event = p.type == packet_type::event || p.type == packet_type::binary_event;
  if (p.data->size() > limits.arguments + (is_event ? 1 : 0))
    return codec_limit::arguments;
  const auto* event_name = p.data->front().get_ptr<const std::string*>();
  auto is_long = is_event && event_name && event_name->size() > limits.event_name_bytes;
  return is_long ? codec_limit::event_name_bytes : codec_limit::none;
}

} // namespace

result<packet> decode(std::string_view text, const codec_limits& limits, codec_limit* broken) {
  auto ignored = codec_limit::none;
  auto& exceeded = broken ? *broken : ignored;
  packet p;
  if (text.empty() || text.front() < '0' || text.front() > '6')
    return errc::bad_request;
  p.type = static_cast<packet_type>(text.front() - '0');
  text.remove_prefix(1);

  if (has_attachments(p.type)) {
    auto digits = leading_digits(text);
    text.remove_prefix(digits.size());
    if (read_number(digits, p.attachments) && p.attachments > limits.attachments)
      exceeded = codec_limit::attachments;
    if (!read_number(digits, p.attachments) || p.attachments < 1 || p.attachments > limits.attachments ||
        !text.starts_with('-'))
      return errc::bad_request;
    text.remove_prefix(1);
  }

  if (text.starts_with('/')) {
    auto nsp = text.substr(0, text.find(','));
    if (nsp.size() > limits.namespace_bytes || !is_namespace(nsp))
      return errc::bad_request;
    p.nsp = nsp;
    text.remove_prefix(std::min(nsp.size() + 1, text.size()));
  }

  if (auto digits = leading_digits(text); !digits.empty()) {
    if (digits.size() > ack_digits_max || !read_number(digits, p.ack_id.emplace()))
      return errc::bad_request;
    text.remove_prefix(digits.size());
  }

  if (!text.empty()) {
    auto data = parse_json(text, limits.json);
    if (!data && data.error() == errc::json_limit)
      exceeded = codec_limit::json;
    if (!data)
      return data.error();
    p.data = std::move(*data);
  }
  if (!is_valid(p, limits)) {
    exceeded = limit_of(p, limits);
    return errc::bad_request;
  }
  if (has_attachments(p.type) && p.data && !placeholders_fit(*p.data, p.attachments))
    return errc::bad_request;
  return p;
}

bool is_placeholder(const json& value) {
  auto* mark = find(value, "_placeholder");
  return mark && mark->is_boolean() && mark->get<bool>();
}

std::string encode(const packet& p) {
  std::string out;
  out += static_cast<char>('0' + static_cast<int>(p.type));
  if (has_attachments(p.type))
    out += std::to_string(p.attachments) + '-';
  if (p.nsp != "/") {
    out += p.nsp;
    if (!is_namespace(p.nsp)) // none that `decode` gave out
      std::ranges::replace_if(out, [](char c) { return is_control(c) || !is_ascii(c); }, '?');
    out += ',';
  }
  if (p.ack_id)
    out += std::to_string(*p.ack_id);
  if (p.data)
    out += dump_json(*p.data);
  return out;
}

bool is_reserved_event(std::string_view name) noexcept {
  return std::ranges::find(reserved_events, name) != reserved_events.end();
}

} // namespace headway::socketio
