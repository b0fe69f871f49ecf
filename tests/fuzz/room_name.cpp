// A room's name that is taken is the one that its parts make, and has an id that may stand in a URL and in a log.
#include "core/room_name.hpp"

#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headway;
  auto text = fuzz::input{data, size}.rest();
  auto room = parse_room_name(text);
  if (!room) {
    PROMISE(room.error() == errc::bad_request);
    return 0;
  }
  PROMISE(to_string(*room) == text);
  PROMISE(parse_room_name(to_string(*room)).value() == *room);
  PROMISE(room->id.empty() == (room->kind == room_kind::global));
  PROMISE(room->id.size() <= 128);
  for (unsigned char c : room->id)
    PROMISE((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
            c == ':' || c == '-');
  return 0;
}
