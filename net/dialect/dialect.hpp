// DIALECT  an event vocabulary: wire event -> request, job event -> wire events. Pure.
//
// A dialect belongs to a subscription, not to a connection: the event by which a client joins fixes it.
#pragma once

#include "core/errc.hpp"
#include "core/job.hpp"
#include "core/json.hpp"
#include "core/principal.hpp"
#include "core/room_name.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headway {

/// One event as a client gets it.
struct wire_event {
  std::string name;
  json payload;
};

/// The JSON type in which a client wants job ids back: the one it joined with.
enum class id_type : std::uint8_t { text, number };

/// What a client asked for.
struct dialect_request {
  enum class kind : std::uint8_t { join, leave, ping } what = kind::ping;
  room_name room;
  id_type ids = id_type::text;
};

struct join_facts {
  bool first = true;  ///< not a member before: the current state follows in the dialect's own words, an ending included
  bool reset = false; ///< it named a position that it cannot go on from
};

class dialect {
public:
  virtual ~dialect() = default;

  virtual std::string_view name() const = 0;

  /// The client events of this dialect ("join_job"). `ping` is shared by several: the first in the table answers it.
  virtual bool speaks(std::string_view event) const = 0;

  /// @returns the request, or the `error` event that answers a malformed one.
  virtual boost::system::result<dialect_request, wire_event> decode(std::string_view event, const json& args) const = 0;

  /// Right after CONNECT. `now` is the server's time.
  virtual std::vector<wire_event> hello(const principal& who, epoch_ms now) const = 0;

  /// The answer to a join: where the room's job stands.
  virtual std::vector<wire_event> joined(const job_state& state, id_type ids, join_facts facts) const = 0;
  /// The answer to a join that named a position; what came after it follows. Empty: this dialect has no word for it.
  virtual std::vector<wire_event> resumed(const room_name&, std::uint64_t) const { return {}; }
  virtual std::vector<wire_event> left(const room_name& room, id_type ids) const = 0;
  /// The same answer for "does not exist" and "not yours".
  virtual std::vector<wire_event> refused(const room_name& room, errc why) const = 0;
  virtual wire_event pong(epoch_ms now) const = 0;

  /// A committed event. Empty: this dialect has no word for it.
  virtual std::vector<wire_event> render(const job_event& event, id_type ids) const = 0;
};

/// Index into `dialects()`; part of the format an event is encoded for.
using dialect_index = std::uint8_t;

/// The table: one row a dialect.
std::span<const dialect* const> dialects();

/// The core's own vocabulary, for transports that have none: plain WebSocket, Server-Sent Events.
dialect_index core_dialect();

} // namespace headway
