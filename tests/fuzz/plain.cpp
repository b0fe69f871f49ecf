// A plain request is one of four things with names that read back; what is answered is JSON, whatever it is about.
#include "net/protocol/plain.hpp"

#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace headway;
using namespace headway::plain;

void check_room(const room_name& room) {
  auto again = parse_room_name(to_string(room));
  PROMISE(again && *again == room);
  auto answer = parse_json(error_text(errc::not_found, room));
  PROMISE(answer && *find_text(*answer, "room") == to_string(room) && *find_text(*answer, "type") == "error");
}

void check(const auth& got, const json& message) {
  PROMISE(*find_text(message, "type") == "auth" && got.token == *find_text(message, "token"));
}
void check(const join& got, const json& message) {
  PROMISE(*find_text(message, "type") == "join" && (!got.after || *got.after <= (std::uint64_t{1} << 53U)));
  PROMISE(!got.id_is_number || find(message, "job_id")->is_number());
  check_room(got.room);
}
void check(const leave& got, const json& message) {
  PROMISE(*find_text(message, "type") == "leave");
  check_room(got.room);
}
void check(const ping&, const json& message) { PROMISE(*find_text(message, "type") == "ping"); }

/// The message itself as an event's payload.
void check_event(const json& payload) {
  auto event = json::parse(event_text("job_update", payload), nullptr, false);
  PROMISE(event.is_object() && *find_text(event, "type") == "job_update");
  if (payload.is_object())
    for (auto& [key, value] : payload.items())
      PROMISE(key == "type" || *find(event, key) == value);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto text = fuzz::input{data, size}.rest();
  auto got = decode(text);
  auto message = parse_json(text);
  if (got) {
    PROMISE(message);
    std::visit([&](auto& request) { check(request, *message); }, *got);
  } else {
    PROMISE(got.error() == (message ? errc::invalid_field : message.error()));
  }
  if (message)
    check_event(*message);
  return 0;
}
