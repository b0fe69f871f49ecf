#include "net/dialect/job.hpp"

#include "core/time.hpp"

#include <charconv>

namespace headway {

namespace {

constexpr std::size_t echoed_bytes_max = 64;

/// An id in the JSON type its client joined with. Ids that are no plain numbers stay texts.
json id_json(std::string_view id, id_type ids) {
  std::uint64_t number = 0;
  std::from_chars(id.data(), id.data() + id.size(), number);
  if (ids == id_type::number && std::to_string(number) == id) // "042" is no number
    return number;
  return id;
}

wire_event error_event(std::string_view message) { return {"error", json{{"message", message}}}; }

wire_event not_found(std::string_view id) {
  return error_event("Job " + std::string{id} + " not found or access denied");
}

/// The start of a text, cut between characters.
std::string_view beginning(std::string_view text) {
  if (text.size() <= echoed_bytes_max)
    return text;
  auto n = echoed_bytes_max;
  while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0U) == 0x80)
    --n;
  return text.substr(0, n);
}

bool is_missing(const json* id) {
  auto* text = id ? id->get_ptr<const json::string_t*>() : nullptr;
  return !id || id->is_null() || (text && text->empty());
}

/// A whole number as JSON integer, whether it was written 42 or 42.0; null for everything else.
json whole_number(const json& value) {
  auto number = value.is_number_float() ? number_json(value.get<double>()) : value;
  if (number.is_number_unsigned() || (number.is_number_integer() && number.get<std::int64_t>() >= 0))
    return number.get<std::uint64_t>();
  return nullptr;
}

boost::system::result<dialect_request, wire_event> with_job(dialect_request::kind what, const json& args) {
  auto* id = args.is_array() && !args.empty() ? find(args.front(), "job_id") : nullptr;
  if (is_missing(id))
    return error_event("job_id is required");
  if (auto* text = id->get_ptr<const json::string_t*>()) {
    if (is_job_id(*text))
      return dialect_request{what, {room_kind::job, *text}, id_type::text};
    return not_found(beginning(*text));
  }
  auto number = whole_number(*id);
  if (number.is_null())
    return not_found(id->is_number() ? dump_json(*id) : "?");
  return dialect_request{what, {room_kind::job, dump_json(number)}, id_type::number};
}

/// This dialect has no "blocked": its clients know it as a failure.
std::string_view status_word(job_status status) {
  return to_string(status == job_status::blocked ? job_status::failed : status);
}

std::string message_of(const job_view& view) {
  if (view.status == job_status::failed || view.status == job_status::blocked)
    return {};
  if (!view.message.empty())
    return view.message;
  if (view.status == job_status::completed)
    return "Job completed successfully";
  if (view.status == job_status::cancelled)
    return "Job was cancelled";
  return view.stage.empty() ? std::string{} : "Stage: " + view.stage;
}

wire_event job_update_event(const job_info& info, const job_view& view, std::uint64_t seq, epoch_ms time, id_type ids) {
  json payload{
    {"job_id", id_json(info.id, ids)},
    {"status", status_word(view.status)},
    {"progress", number_json(view.progress)},
  };
  if (auto message = message_of(view); !message.empty())
    payload["message"] = std::move(message);
  if (!view.stage.empty())
    payload["stage"] = view.stage;
  if (view.status == job_status::completed)
    payload["result"] = trusted_json(view.result);
  if (view.status == job_status::failed || view.status == job_status::blocked) {
    auto error = view.error && !view.error->message.empty() ? view.error->message : "Unknown error";
    payload["message"] = "Job failed: " + error;
    payload["error"] = std::move(error);
  }
  payload["seq"] = seq;
  payload["timestamp"] = iso8601(time);
  return {"job_update", std::move(payload)};
}

} // namespace

bool job_dialect::speaks(std::string_view event) const {
  return event == "join_job" || event == "leave_job" || event == "ping";
}

boost::system::result<dialect_request, wire_event> job_dialect::decode(std::string_view event, const json& args) const {
  using kind = dialect_request::kind;
  if (event == "join_job")
    return with_job(kind::join, args);
  if (event == "leave_job")
    return with_job(kind::leave, args);
  return dialect_request{kind::ping, {}, id_type::text};
}

std::vector<wire_event> job_dialect::hello(const principal& who, epoch_ms now) const {
  json payload{
    {"message", "Connected to Headway"},
    {"user_id", id_json(who.user_id, who.user_id_is_number ? id_type::number : id_type::text)},
    {"timestamp", iso8601(now)},
  };
  return {{"connected", std::move(payload)}};
}

std::vector<wire_event> job_dialect::joined(const job_state& state, id_type ids, join_facts facts) const {
  auto& info = *state.info;
  json status{
    {"job_id", id_json(info.id, ids)},
    {"status", status_word(state.view.status)},
    {"progress", number_json(state.view.progress)},
    {"message", "Subscribed to job " + info.id},
    {"seq", state.seq},
    {"timestamp", iso8601(state.updated_at)},
  };
  std::vector<wire_event> events{{"job_status", std::move(status)}};
  if (facts.first)
    events.push_back(job_update_event(info, state.view, state.seq, state.updated_at, ids));
  return events;
}

std::vector<wire_event> job_dialect::left(const room_name& room, id_type ids) const {
  json payload{{"job_id", id_json(room.id, ids)}, {"message", "Unsubscribed from job " + room.id}};
  return {{"job_unsubscribed", std::move(payload)}};
}

std::vector<wire_event> job_dialect::refused(const room_name& room, errc why) const {
  if (why == errc::not_found || why == errc::forbidden)
    return {not_found(room.id)};
  return {error_event(text(why))};
}

wire_event job_dialect::pong(epoch_ms now) const { return {"pong", json{{"timestamp", iso8601(now)}}}; }

std::vector<wire_event> job_dialect::render(const job_event& event, id_type ids) const {
  if (event.kind == event_kind::output || event.kind == event_kind::custom)
    return {};
  return {job_update_event(*event.info, event.view, event.seq, event.time, ids)};
}

} // namespace headway
