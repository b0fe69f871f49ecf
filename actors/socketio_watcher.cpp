#include "actors/socketio_watcher.hpp"

#include "core/log.hpp"
#include "core/random.hpp"
#include "net/dialect/dialect.hpp"

#include <algorithm>

namespace headway {

namespace {

using engineio::close_reason;

/// By this event a client renews its token.
constexpr std::string_view renewal_event = "auth";

std::string first_text(const json& args, std::string_view key) {
  const auto* text = find_text(args, key);
  return text ? *text : std::string{};
}

std::optional<dialect_index> dialect_of(std::string_view event) {
  for (std::size_t i = 0; i < dialects().size(); ++i)
    if (dialects()[i]->speaks(event))
      return static_cast<dialect_index>(i);
  return std::nullopt;
}

json ok_json() { return json{{"ok", true}}; }
json refusal_json(std::string_view code) { return json{{"ok", false}, {"code", code}}; }
json refusal_json(errc code) { return refusal_json(name(code)); }

/// One namespace of a connection that was joined: a watcher of its own, with the token it came with.
struct place_in_namespace {
  place_in_namespace(std::string name, namespace_index at, std::shared_ptr<watcher> w)
    : nsp{std::move(name)}, index{at}, who{std::move(w)} {}
  place_in_namespace(const place_in_namespace&) = delete;
  place_in_namespace& operator=(const place_in_namespace&) = delete;
  ~place_in_namespace() { who->leave_all(); }

  const std::string nsp;
  const namespace_index index;
  const std::shared_ptr<watcher> who;
};

class socketio_watcher : public engineio_application {
public:
  socketio_watcher(engineio_connection& connection, const socketio::session_options& options, watch_surroundings around)
    : connection_{connection},
      around_{std::move(around)},
      session_{options, connection.now()},
      pace_{*around_.options} {}

  void on_message(const engineio::message& message) override {
    auto verdict = pace_.take(connection_.now());
    if (verdict != inbound_pace::verdict::fine)
      return too_fast(verdict);
    std::vector<socketio::outgoing> replies;
    auto commands = session_.on_message(message, replies, connection_.now());
    for (const auto& reply : replies)
      send(reply);
    if (!commands) {
      blame(socketio::excerpt(message), message.data.size());
      connection_.close(close_reason::parse_error);
      return;
    }
    for (auto& command : *commands)
      std::visit([this](auto& c) { on_command(c); }, command);
  }

  void on_time() override {
    if (!session_.on_time(connection_.now())) {
      blame({}, 0);
      return connection_.close(close_reason::forced_close);
    }
    std::erase_if(places_, [this](auto& entry) {
      auto is_over = entry.second->who->has_expired();
      if (is_over)
        expire(*entry.second);
      return is_over;
    });
    if (thrown_out_ && places_.empty())
      connection_.close(close_reason::token_expired);
  }

  steady_time wake_up() const override {
    auto due = session_.wake_up();
    for (const auto& [nsp, place] : places_)
      due = std::min(due, place->who->expires());
    return due;
  }

  void on_end() override { places_.clear(); }

private:
  // -- commands ------------------------------------------------------------------------------------------------

  void on_command(socketio::connect_command& c) {
    auto sid = random_name();
    auto who =
      std::make_shared<watcher>(connection_.self(), around_, connection_.peer(), sid, connection_.from().address);
    auto place = std::make_unique<place_in_namespace>(c.nsp, index_of(c.nsp), std::move(who));
    auto admitted = place->who->authenticate(first_text(c.auth, "token"));
    if (!admitted) {
      send(session_.refuse(c.nsp, text(admitted.error()), json{{"code", name(admitted.error())}}));
      return;
    }
    send(session_.accept(c.nsp, sid));
    for (const auto* d : dialects())
      emit(*place, d->hello(*place->who->who(), place->who->wall_now()));
    places_[c.nsp] = std::move(place);
  }

  void on_command(socketio::event_command& c) {
    auto& place = *places_.at(c.nsp);
    auto shared = std::make_shared<const socketio::event_command>(std::move(c));
    // A request that waits goes with its place.
    auto queued = place.who->enqueue([this, &place, shared] { on_request(place, *shared); });
    if (!queued)
      acknowledge(*shared, refusal_json(queued.error()));
  }

  void on_command(socketio::ack_command&) {} // we ask for none

  void on_command(socketio::disconnect_command& c) { places_.erase(c.nsp); }

  // -- requests ------------------------------------------------------------------------------------------------

  void on_request(place_in_namespace& at, const socketio::event_command& c) {
    if (c.name == renewal_event)
      return renew(at, c);
    auto index = dialect_of(c.name);
    if (!index) {
      around_.counters->dropped_events("unknown_event").Increment();
      return acknowledge(c, refusal_json("unknown_event"));
    }
    const auto& dialect = *dialects()[*index];
    auto request = dialect.decode(c.name, c.args);
    if (!request) {
      emit(at, {request.error()});
      return acknowledge(c, refusal_json(errc::invalid_field));
    }
    auto format = wire_format{*index, request->ids, framing::socketio, at.index};
    switch (request->what) {
      case dialect_request::kind::ping:
        emit(at, {dialect.pong(at.who->wall_now())});
        acknowledge(c, ok_json());
        break;
      case dialect_request::kind::join: join(at, c, request->room, format); break;
      case dialect_request::kind::leave:
        if (!at.who->leave(request->room, format))
          emit(at, dialect.left(request->room, format.ids));
        acknowledge(c, ok_json());
        break;
    }
  }

  void join(place_in_namespace& at, const socketio::event_command& c, const room_name& room, wire_format format) {
    at.who->join(room, format, {}, [this, &at, c, room, format](errc refused) {
      if (refused == errc{})
        acknowledge(c, ok_json());
      else {
        emit(at, dialects()[format.dialect]->refused(room, refused));
        acknowledge(c, refusal_json(refused));
      }
    });
  }

  /// auth(token) or auth({token}).
  void renew(place_in_namespace& at, const socketio::event_command& c) {
    std::string token;
    if (!c.args.empty()) {
      const auto* plain = c.args.front().get_ptr<const json::string_t*>();
      token = plain ? *plain : first_text(c.args.front(), "token");
    }
    auto renewed = at.who->authenticate(token);
    if (!renewed) {
      emit(at, {{"auth_error", json(text(renewed.error()))}});
      return acknowledge(c, refusal_json(renewed.error()));
    }
    emit(at, {{"authenticated", json{{"userId", at.who->who()->user_id}}}});
    acknowledge(c, ok_json());
  }

  // -- refusals ------------------------------------------------------------------------------------------------

  void blame(std::string_view excerpt, std::size_t bytes) {
    using socketio::peer_fault;
    auto fault = session_.fault();
    log::info("socketio.fault", {{"what", to_string(fault)}, {"excerpt", excerpt}, {"bytes", bytes}});
    around_.counters->dropped_events(std::string{to_string(fault)}).Increment();
    if (fault == peer_fault::late_connect)
      around_.counters->limit_exceeded("engineio.connect_timeout_ms").Increment();
    if (fault == peer_fault::late_attachments)
      around_.counters->limit_exceeded("socketio.attachments_timeout_ms").Increment();
  }

  void too_fast(inbound_pace::verdict verdict) {
    around_.counters->limit_exceeded("socketio.events_per_second").Increment();
    if (places_.empty() || verdict == inbound_pace::verdict::close)
      return connection_.close(close_reason::rate_limited);
    for (const auto& [nsp, place] : places_)
      emit(*place, {error_event(errc::rate_limited)});
  }

  /// Told why, and thrown out by "41": a client that came back by itself would come with the same token.
  void expire(const place_in_namespace& at) {
    thrown_out_ = true;
    emit(at, {error_event(errc::auth_expired)});
    send(session_.disconnect(at.nsp, connection_.now()));
  }

  static wire_event error_event(errc code) { return {"error", json{{"message", text(code)}, {"code", name(code)}}}; }

  // -- writing -------------------------------------------------------------------------------------------------

  void emit(const place_in_namespace& at, const std::vector<wire_event>& events) {
    for (const auto& event : events)
      connection_.peer()->send(text_frame(socketio::event_text(at.nsp, event.name, event.payload)));
  }

  void acknowledge(const socketio::event_command& c, json answer) {
    if (c.ack_id)
      send(session_.acknowledge(c.nsp, *c.ack_id, json::array({std::move(answer)})));
  }

  void send(const socketio::outgoing& out) {
    connection_.peer()->send(out.is_binary ? binary_frame(out.data) : text_frame(out.data));
  }

  namespace_index index_of(const std::string& nsp) const {
    const auto& all = *around_.namespaces;
    return static_cast<namespace_index>(std::ranges::find(all, nsp) - all.begin());
  }

  engineio_connection& connection_;
  watch_surroundings around_;
  socketio::session session_;
  inbound_pace pace_;
  std::map<std::string, std::unique_ptr<place_in_namespace>> places_;
  bool thrown_out_ = false;
};

} // namespace

application_factory socketio_watchers(socketio::session_options options, watch_surroundings around) {
  options.namespaces = {around.namespaces->begin(), around.namespaces->end()};
  auto shared = std::make_shared<const socketio::session_options>(std::move(options));
  return [shared, around = std::move(around)](engineio_connection& connection) {
    return std::make_unique<socketio_watcher>(connection, *shared, around);
  };
}

} // namespace headway
