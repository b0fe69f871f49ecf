// A packet that is decoded keeps to the limits, and encodes to a text that decodes to the same packet.
#include "net/protocol/socketio.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace headway;
using namespace headway::socketio;

void check_limits(const packet& p, const codec_limits& limits) {
  auto is_event = p.type == packet_type::event || p.type == packet_type::binary_event;
  auto is_binary = p.type == packet_type::binary_event || p.type == packet_type::binary_ack;
  PROMISE(p.attachments <= limits.attachments && (p.attachments > 0) == is_binary);
  PROMISE(p.nsp.starts_with('/') && p.nsp.size() <= limits.namespace_bytes);
  PROMISE(!p.ack_id || *p.ack_id < (std::uint64_t{1} << 53U));
  if (!is_event)
    return;
  PROMISE(p.data && p.data->is_array() && !p.data->empty() && p.data->size() <= 1 + limits.arguments);
  auto& name = p.data->front();
  PROMISE(name.is_string() || name.is_number());
  if (name.is_string()) {
    PROMISE(name.get<std::string>().size() <= limits.event_name_bytes);
    PROMISE(!is_reserved_event(name.get<std::string>()));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto p = decode(fuzz::input{data, size}.rest());
  if (!p) {
    PROMISE(p.error() == errc::bad_request || p.error() == errc::bad_json || p.error() == errc::json_limit);
    return 0;
  }
  check_limits(*p, {});
  auto text = encode(*p);
  auto again = decode(text);
  PROMISE(again);
  PROMISE(again->type == p->type && again->nsp == p->nsp && again->ack_id == p->ack_id);
  PROMISE(again->attachments == p->attachments && again->data == p->data);
  PROMISE(encode(*again) == text);
  return 0;
}
