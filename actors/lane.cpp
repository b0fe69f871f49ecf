#include "actors/lane.hpp"

#include "net/protocol/socketio.hpp"
#include "net/protocol/socketio_session.hpp"

#include <algorithm>

namespace headway {

namespace {

using table = lane_state::table;

/// Frames of one event, made when the first member of a format asks for them.
std::vector<frame_ptr> encode(const std::vector<wire_event>& events) {
  std::vector<frame_ptr> frames;
  frames.reserve(events.size());
  for (const auto& event : events)
    frames.push_back(text_frame(socketio::event_text("/", event.name, event.payload)));
  return frames;
}

/// The rooms that hear of an event.
std::vector<room_name> audience(const job_event& event) {
  return {{room_kind::job, event.info->id}};
}

/// A job as it stands after an event.
job_state state_after(const job_event& event) {
  return {event.info, event.view, event.seq, event.position, 0, event.time};
}

class worker_lane {
public:
  worker_lane(lane_state& state, metrics& m) : s_{state}, counters_{m} {}

  void deliver(const commit& what) {
    for (const auto& event : what.events)
      for (const auto& room : audience(*event))
        if (auto it = s_.rooms.find(room); it != s_.rooms.end())
          deliver_to(it->second, event);
    flush();
  }

  bool attach(const room_name& room, const lane_member& member) {
    auto& t = s_.rooms[room];
    auto previous = remove(t, member.id); // joining again is one membership, perhaps in another dialect
    if (!t.is_seeded()) {
      t.waiting.push_back(member);
      return true;
    }
    start(t, member, t.last ? state_after(*t.last) : *t.seed, !previous);
    flush();
    return false;
  }

  void seed(const room_name& room, const job_state& state) {
    auto it = s_.rooms.find(room);
    if (it == s_.rooms.end())
      return;
    auto& t = it->second;
    if (!t.is_seeded())
      t.seed = state;
    auto now = t.last ? state_after(*t.last) : *t.seed;
    for (const auto& member : std::exchange(t.waiting, {}))
      start(t, member, now, true);
    for (const auto& event : std::exchange(t.missed, {}))
      if (event->seq > t.seed->seq)
        deliver_to(t, event);
    flush();
  }

  void detach(const room_name& room, std::uint64_t member_id, const std::optional<wire_format>& answer) {
    auto it = s_.rooms.find(room);
    if (it == s_.rooms.end())
      return;
    auto gone = remove(it->second, member_id);
    if (gone && answer) {
      send(*gone, encode(dialects()[answer->dialect]->left(room, answer->ids)));
      flush();
    }
    if (it->second.empty())
      s_.rooms.erase(it);
  }

private:
  void deliver_to(table& t, const job_event_ptr& event) {
    if (!t.is_seeded()) {
      t.missed.push_back(event);
      return;
    }
    if (event->seq <= t.seed->seq)
      return; // the state that was read has it
    t.last = event;
    for (auto& [format, members] : t.members) {
      auto frames = encode(dialects()[format.dialect]->render(*event, format.ids));
      if (frames.empty())
        continue;
      for (const auto& member : members)
        send(member, frames);
      counters_.events_delivered.Increment(static_cast<double>(members.size()));
    }
  }

  /// From here on the member gets every event.
  void start(table& t, const lane_member& member, const job_state& now, bool first) {
    send(member, encode(dialects()[member.format.dialect]->joined(now, member.format.ids, first)));
    t.members[member.format].push_back(member);
  }

  static std::optional<lane_member> remove(table& t, std::uint64_t member_id) {
    auto take = [member_id](std::vector<lane_member>& from) -> std::optional<lane_member> {
      auto it = std::ranges::find(from, member_id, &lane_member::id);
      if (it == from.end())
        return std::nullopt;
      auto member = std::move(*it);
      from.erase(it);
      return member;
    };
    if (auto member = take(t.waiting))
      return member;
    for (auto it = t.members.begin(); it != t.members.end(); ++it) {
      if (auto member = take(it->second)) {
        if (it->second.empty())
          t.members.erase(it);
        return member;
      }
    }
    return std::nullopt;
  }

  void send(const lane_member& member, const std::vector<frame_ptr>& frames) {
    for (const auto& f : frames)
      member.out->send(f);
    s_.to_flush.insert(member.out);
  }

  void flush() {
    for (const auto& out : s_.to_flush)
      out->flush();
    s_.to_flush.clear();
  }

  lane_state& s_;
  metrics& counters_;
};

} // namespace

lane_actor::behavior_type lane(lane_actor::stateful_pointer<lane_state> self, metrics* m) {
  survive_errors(self, *m);
  auto l = std::make_shared<worker_lane>(self->state, *m);
  return {
    [l](const committed& msg) { l->deliver(*msg.what); },
    [l](const attach_member& msg) { return lane_attached{l->attach(msg.room, msg.member)}; },
    [l](const seed_room& msg) { l->seed(msg.room, msg.state); },
    [l](const detach_member& msg) { l->detach(msg.room, msg.member_id, msg.answer); },
    [self](const connection_is& msg) { self->state.connections[msg.id] = msg.stats; },
    [self](const connection_gone& msg) { self->state.connections.erase(msg.id); },
    [self](const get_connections&) {
      connection_list list;
      for (const auto& [id, stats] : self->state.connections)
        list.connections.push_back(stats);
      return list;
    },
    [self](const stop&) -> stopped {
      self->quit();
      return {};
    },
  };
}

} // namespace headway
