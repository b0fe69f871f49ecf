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
std::vector<room_name> audience(const job_event& event) { return {{room_kind::job, event.info->id}}; }

/// A job as it stands after an event.
job_state state_after(const job_event& event) {
  return {event.info, event.view, event.seq, event.position, 0, event.time};
}

class worker_lane {
public:
  worker_lane(lane_state& state, metrics& m) : s_{state}, counters_{m} {}

  void deliver(const commit& what) {
    for (const auto& event : what.events) {
      for (const auto& room : audience(*event))
        if (auto it = s_.rooms.find(room); it != s_.rooms.end())
          deliver_to(it->second, event);
      s_.delivered = event->position;
      seed_early();
    }
    flush();
  }

  /// @returns whether the room's state has to be read.
  bool attach(const room_name& room, const lane_member& member) {
    auto& t = s_.rooms[room];
    auto previous = remove(t, member.id); // joining again is one membership, perhaps in another dialect
    if (!t.is_known()) {
      t.waiting.push_back(member);
      return true;
    }
    start(t, member, !previous);
    flush();
    return false;
  }

  void seed(const seed_room& msg) {
    if (msg.state.position > s_.delivered)
      s_.early.push_back(msg);
    else
      seed_now(msg);
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
  void seed_now(const seed_room& msg) {
    auto it = s_.rooms.find(msg.room);
    if (it == s_.rooms.end())
      return;
    auto& t = it->second;
    if (t.seq() < msg.state.seq) {
      t.read = msg.state;
      t.last = nullptr;
    }
    for (const auto& member : std::exchange(t.waiting, {}))
      start(t, member, true);
  }

  void seed_early() {
    if (s_.early.empty())
      return;
    auto is_due = [this](const seed_room& msg) { return msg.state.position <= s_.delivered; };
    for (const auto& msg : s_.early)
      if (is_due(msg))
        seed_now(msg);
    std::erase_if(s_.early, is_due);
  }

  void deliver_to(table& t, const job_event_ptr& event) {
    if (event->seq <= t.seq())
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
  void start(table& t, const lane_member& member, bool first) {
    auto now = t.last ? state_after(*t.last) : *t.read;
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

lane_actor::behavior_type lane(lane_actor::stateful_pointer<lane_state> self, std::uint64_t head, metrics* m) {
  survive_errors(self, *m);
  self->state.delivered = head;
  auto l = std::make_shared<worker_lane>(self->state, *m);
  return {
    [l](const committed& msg) { l->deliver(*msg.what); },
    [l](const attach_member& msg) { return lane_attached{l->attach(msg.room, msg.member)}; },
    [l](const seed_room& msg) { l->seed(msg); },
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
