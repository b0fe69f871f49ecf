// SOCKET.IO PACKETS  what a server sends, as Engine.IO messages.
//
//   {"name", [args, placeholders], [bytes]}  -->  452-["name",...]  +bytes  +bytes     in this order, nothing between
#pragma once

#include "net/protocol/socketio.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headway::socketio {

/// Engine.IO packets to send, in order: texts include "4"; binary ones follow the text they belong to.
struct outgoing {
  bool is_binary = false;
  std::string data;
};

/// Any packet as an Engine.IO text.
outgoing text_message(const packet& p);
/// A packet without attachments and ack id.
packet server_packet(packet_type type, std::string_view nsp, std::optional<json> data = {});

// Packets for a peer. `args` is an array; what is binary in it stands in `attachments`, with placeholders in its place,
// just as commands bring it. The placeholders are numbered anew in order of appearance, and attachments that none of
// them names are left out; without attachments, an object that looks like a placeholder is left alone.
// Binary ones follow the text they belong to, and no other text may come between.
// @throws std::invalid_argument for what is our own mistake: `args` that is no array, a placeholder without an
//         attachment, or a reserved event name, which would kill the client.

/// `["name",args...]`
std::vector<outgoing> event_packets(std::string_view nsp, std::string_view name, const json& args,
                                    std::vector<std::string> attachments = {});
/// The answer to an event with an ack id. Once.
std::vector<outgoing> ack_packets(std::string_view nsp, std::uint64_t id, const json& args,
                                  std::vector<std::string> attachments = {});

/// `["name",payload]` as an Engine.IO text. The same for every peer, so it is made once and shared.
/// @throws std::invalid_argument for a reserved name.
std::string event_text(std::string_view nsp, std::string_view name, const json& payload);

} // namespace headway::socketio
