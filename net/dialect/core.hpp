// CORE DIALECT  the core's own vocabulary, for plain WebSockets and Server-Sent Events.
//
//   join             --> state {room, position, job}; with a position to go on from: resumed {room, position}
//   leave            --> left {room}
//   committed event  --> an event named by its kind (progress, completed, output, ...) with position and seq;
//                        an output's type is its chunk_type
//
// No Socket.IO client speaks it: their own dialects say the same.
#pragma once

#include "net/dialect/dialect.hpp"

namespace headway {

class core_words final : public dialect {
public:
  std::string_view name() const override { return "core"; }
  bool speaks(std::string_view) const override { return false; }
  boost::system::result<dialect_request, wire_event> decode(std::string_view event, const json& args) const override;
  std::vector<wire_event> hello(const principal&, epoch_ms) const override { return {}; }
  std::vector<wire_event> joined(const job_state& state, id_type ids, join_facts facts) const override;
  std::vector<wire_event> resumed(const room_name& room, std::uint64_t position) const override;
  std::vector<wire_event> left(const room_name& room, id_type ids) const override;
  std::vector<wire_event> refused(const room_name& room, errc why) const override;
  wire_event pong(epoch_ms now) const override;
  std::vector<wire_event> render(const job_event& event, id_type ids) const override;
};

} // namespace headway
