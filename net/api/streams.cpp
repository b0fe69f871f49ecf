// Server-Sent Events: a room as an answer without an end.
#include "net/api/route.hpp"
#include "net/protocol/sse.hpp"

namespace headway {

namespace {

/// Last-Event-ID, or the query's last_event_id for those who cannot set a header. What is no position starts anew.
std::optional<std::uint64_t> position_of(const call& c) {
  auto query = c.query();
  for (auto text : {std::string_view{c.request->last_event_id}, query.get("last_event_id"), query.get("lastEventId")})
    if (!text.empty())
      return sse::read_last_event_id(text).value_or(UINT64_MAX);
  return std::nullopt;
}

void stream_room(const call& c, room_name room) {
  if (*c.around->stopping)
    return c.refuse(errc::shutting_down);
  event_stream_request request{c.port, c.who, std::move(room), position_of(c), {}};
  request.from.address = c.request->address;
  if (c.here->admit) {
    auto granted = c.here->admit(c.request->address);
    if (!granted)
      return c.refuse(granted.error());
    request.from.place = std::move(*granted);
  }
  open_event_stream(c.self->system(), c.here->streams, c.here->watch, std::move(request));
}

} // namespace

void stream_job(const call& c) {
  if (!is_job_id(c.params[0]))
    return c.refuse(errc::invalid_job_id);
  stream_room(c, {room_kind::job, c.params[0]});
}

void get_room_stream(const call& c) {
  auto room = parse_room_name(c.params[0]);
  if (!room)
    return c.refuse(errc::invalid_field, "A room is named like job:42.");
  stream_room(c, std::move(*room));
}

} // namespace headway
