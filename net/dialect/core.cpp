#include "net/dialect/core.hpp"

#include "core/job_json.hpp"
#include "core/time.hpp"

namespace headway {

namespace {

wire_event error_event(errc code) { return {"error", json{{"code", headway::name(code)}, {"message", text(code)}}}; }

} // namespace

boost::system::result<dialect_request, wire_event> core_words::decode(std::string_view, const json&) const {
  return error_event(errc::bad_request);
}

std::vector<wire_event> core_words::joined(const job_state& state, id_type, join_facts facts) const {
  json payload{{"room", to_string(room_name{room_kind::job, state.info->id})}, {"position", state.position}};
  if (facts.reset)
    payload["reset"] = true;
  payload["job"] = to_json(state);
  return {{"state", std::move(payload)}};
}

std::vector<wire_event> core_words::resumed(const room_name& room, std::uint64_t position) const {
  return {{"resumed", json{{"room", to_string(room)}, {"position", position}}}};
}

std::vector<wire_event> core_words::left(const room_name& room, id_type) const {
  return {{"left", json{{"room", to_string(room)}}}};
}

std::vector<wire_event> core_words::refused(const room_name& room, errc why) const {
  auto event = error_event(why);
  event.payload["room"] = to_string(room);
  return {std::move(event)};
}

wire_event core_words::pong(epoch_ms now) const { return {"pong", json{{"time", iso8601(now)}}}; }

std::vector<wire_event> core_words::render(const job_event& event, id_type) const {
  auto payload = to_json(event);
  if (payload.erase("type") > 0) // by this a plain WebSocket names the message
    payload["chunk_type"] = event.chunk_type;
  return {{std::string{to_string(event.kind)}, std::move(payload)}};
}

} // namespace headway
