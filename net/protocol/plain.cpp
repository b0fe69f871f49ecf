#include "net/protocol/plain.hpp"

#include "core/time.hpp"

#include <charconv>

namespace headway::plain {

namespace {

constexpr std::uint64_t position_max = std::uint64_t{1} << 53U; // what a double, and so every client, can hold

/// 42, also where it was written 42.0. @returns invalid_field for every other value.
result<std::uint64_t> whole_number(const json& value) {
  auto number = value.is_number_float() ? number_json(value.get<double>()) : value;
  if (number.is_number_unsigned())
    return number.get<std::uint64_t>();
  if (number.is_number_integer() && number.get<std::int64_t>() >= 0)
    return static_cast<std::uint64_t>(number.get<std::int64_t>());
  return errc::invalid_field;
}

struct room_choice {
  room_name room;
  bool id_is_number = false;
};

result<room_choice> room_of_job(const json& id) {
  auto* text = id.get_ptr<const std::string*>();
  if (text && is_job_id(*text))
    return room_choice{{room_kind::job, *text}, false};
  auto number = whole_number(id);
  if (!number)
    return errc::invalid_field;
  return room_choice{{room_kind::job, std::to_string(*number)}, true};
}

result<room_choice> read_room(const json& message) {
  auto* job_id = find(message, "job_id");
  if (job_id)
    return find(message, "room") ? errc::invalid_field : room_of_job(*job_id); // both: which one counts is a guess
  auto* text = find_text(message, "room");
  auto room = text ? parse_room_name(*text) : errc::invalid_field;
  if (!room)
    return errc::invalid_field;
  return room_choice{std::move(*room), false};
}

result<std::optional<std::uint64_t>> read_after(const json& message) {
  auto* after = find(message, "after");
  if (!after || after->is_null())
    return std::optional<std::uint64_t>{};
  auto position = whole_number(*after);
  if (!position || *position > position_max)
    return errc::invalid_field;
  return std::optional{*position};
}

result<request> read_auth(const json& message) {
  auto* token = find_text(message, "token");
  if (!token)
    return errc::invalid_field;
  return request{auth{*token}};
}

result<request> read_join(const json& message) {
  auto choice = read_room(message);
  auto after = read_after(message);
  if (!choice || !after)
    return errc::invalid_field;
  return request{join{std::move(choice->room), *after, choice->id_is_number}};
}

result<request> read_leave(const json& message) {
  auto choice = read_room(message);
  if (!choice)
    return errc::invalid_field;
  return request{leave{std::move(choice->room), choice->id_is_number}};
}

json user_id_of(const principal& who) {
  std::uint64_t number = 0;
  std::from_chars(who.user_id.data(), who.user_id.data() + who.user_id.size(), number);
  if (who.user_id_is_number && std::to_string(number) == who.user_id)
    return number;
  return who.user_id;
}

} // namespace

result<request> decode(std::string_view text, const json_limits& limits) {
  auto message = parse_json(text, limits);
  if (!message)
    return message.error();
  auto* type = find_text(*message, "type");
  if (!type)
    return errc::invalid_field;
  if (*type == "auth")
    return read_auth(*message);
  if (*type == "join")
    return read_join(*message);
  if (*type == "leave")
    return read_leave(*message);
  if (*type == "ping")
    return request{ping{}};
  return errc::invalid_field;
}

std::string authenticated_text(const principal& who) {
  json expires_at;
  if (who.expires_at != 0)
    expires_at = iso8601(who.expires_at);
  return event_text("authenticated", json{{"user_id", user_id_of(who)}, {"expires_at", std::move(expires_at)}});
}

std::string pong_text(epoch_ms now) { return event_text("pong", json{{"time", iso8601(now)}}); }

std::string error_text(errc code, const std::optional<room_name>& room) {
  json payload{{"code", name(code)}, {"message", text(code)}};
  if (room)
    payload["room"] = to_string(*room);
  return event_text("error", payload);
}

std::string event_text(std::string_view name, const json& payload) {
  auto out = "{\"type\":" + dump_json(name);
  if (payload.is_object())
    for (auto& [key, value] : payload.items())
      if (key != "type")
        out += ',' + dump_json(key) + ':' + dump_json(value);
  return out + '}';
}

} // namespace headway::plain
