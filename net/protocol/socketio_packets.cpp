#include "net/protocol/socketio_packets.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace headway::socketio {

namespace {

constexpr char engineio_message = '4';

void refuse_reserved(std::string_view event) {
  if (is_reserved_event(event))
    throw std::invalid_argument{"reserved event name: " + std::string{event}};
}

/// Gives the placeholders in `value` numbers in order of appearance. One that appears twice keeps one number, so a few
/// bytes of text cannot multiply an attachment.
class renumbering {
public:
  explicit renumbering(std::size_t attachments) : new_numbers_(attachments) {}

  void apply(json& value) {
    if (is_placeholder(value))
      value["num"] = number_for(value["num"]);
    else if (value.is_structured())
      for (auto& part : value)
        apply(part);
  }

  /// Old numbers in their new order.
  const std::vector<std::size_t>& order() const { return order_; }

private:
  std::size_t number_for(const json& num) {
    auto signed_old = num.is_number_integer() ? num.get<std::int64_t>() : -1;
    if (signed_old < 0 || static_cast<std::size_t>(signed_old) >= new_numbers_.size())
      throw std::invalid_argument{"a placeholder without an attachment"};
    auto old = static_cast<std::size_t>(signed_old);
    if (!new_numbers_[old]) {
      new_numbers_[old] = order_.size();
      order_.push_back(old);
    }
    return *new_numbers_[old];
  }

  std::vector<std::optional<std::size_t>> new_numbers_;
  std::vector<std::size_t> order_;
};

const json& checked_array(const json& args) {
  if (!args.is_array())
    throw std::invalid_argument{"arguments that are no array"};
  return args;
}

/// The text of an event or acknowledgement and the binary messages behind it.
std::vector<outgoing> with_attachments(packet&& p, std::vector<std::string>&& attachments) {
  renumbering numbers{attachments.size()};
  if (!attachments.empty())
    numbers.apply(*p.data);
  p.attachments = numbers.order().size();
  if (p.attachments > 0)
    p.type = p.type == packet_type::event ? packet_type::binary_event : packet_type::binary_ack;
  std::vector<outgoing> packets{text_message(p)};
  for (auto old : numbers.order())
    packets.push_back({true, std::move(attachments[old])});
  return packets;
}

} // namespace

outgoing text_message(const packet& p) { return {false, engineio_message + encode(p)}; }

packet server_packet(packet_type type, std::string_view nsp, std::optional<json> data) {
  packet p;
  p.type = type;
  p.nsp = nsp;
  p.data = std::move(data);
  return p;
}

std::vector<outgoing> event_packets(std::string_view nsp, std::string_view name, const json& args,
                                    std::vector<std::string> attachments) {
  refuse_reserved(name);
  auto items = json::array({name});
  std::ranges::copy(checked_array(args), std::back_inserter(items));
  return with_attachments(server_packet(packet_type::event, nsp, std::move(items)), std::move(attachments));
}

std::vector<outgoing> ack_packets(std::string_view nsp, std::uint64_t id, const json& args,
                                  std::vector<std::string> attachments) {
  auto p = server_packet(packet_type::ack, nsp, checked_array(args));
  p.ack_id = id;
  return with_attachments(std::move(p), std::move(attachments));
}

std::string event_text(std::string_view nsp, std::string_view name, const json& payload) {
  refuse_reserved(name);
  auto items = json::array();
  items.push_back(name);
  items.push_back(payload);
  return engineio_message + encode(server_packet(packet_type::event, nsp, std::move(items)));
}

} // namespace headway::socketio
