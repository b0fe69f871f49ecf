#include "actors/lane.hpp"

#include "net/protocol/plain.hpp"
#include "net/protocol/socketio_session.hpp"
#include "net/protocol/sse.hpp"

#include <algorithm>

namespace headway {

namespace {

using table = lane_state::table;
using waiting_member = lane_state::waiting_member;

frame_ptr encode(const wire_event& event, std::uint64_t position, framing frames, const std::string& nsp) {
  switch (frames) {
    case framing::socketio: return text_frame(socketio::event_text(nsp, event.name, event.payload));
    case framing::plain: return text_frame(plain::event_text(event.name, event.payload));
    case framing::sse: return text_frame(sse::event(event.name, position, dump_json(event.payload)));
  }
  return nullptr;
}

/// The rooms that hear of an event.
std::vector<room_name> audience(const job_event& event) { return {{room_kind::job, event.info->id}}; }

/// A job as it stands after an event.
job_state state_after(const job_event& event) {
  return {event.info, event.view, event.seq, event.position, 0, event.time};
}

class worker_lane {
public:
  worker_lane(lane_state& state, std::shared_ptr<const std::vector<std::string>> namespaces, metrics& m)
    : s_{state}, namespaces_{std::move(namespaces)}, counters_{m} {}

  void deliver(const commit& what) {
    for (const auto& event : what.events) {
      for (const auto& room : audience(*event))
        if (auto it = s_.rooms.find(room); it != s_.rooms.end())
          walled(counters_, "lane", [&] { deliver_to(it->second, event); });
      s_.delivered = event->position;
      seed_early();
    }
    flush();
  }

  /// @returns whether the room's state has to be read.
  bool attach(const room_name& room, const lane_member& member) {
    auto& t = s_.rooms[room];
    auto previous = remove(t, member.id); // joining again is one membership, perhaps in another dialect
    if (!t.is_known() || member.after) {
      t.waiting.push_back({member, {}});
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
      send(*gone, encode(dialects()[answer->dialect]->left(room, answer->ids), s_.delivered, *answer));
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
    for (const auto& member : std::exchange(t.waiting, {})) {
      auto missed = std::ranges::find(msg.missed, member.id, &missed_events::member_id);
      if (!member.after)
        start(t, member, true);
      else if (missed == msg.missed.end())
        t.waiting.push_back(member);                              // it came later: its own reading is under way
      else if (missed->complete && *member.after <= s_.delivered) // of the log: other rooms may be ahead of this one
        resume(t, member, missed->events);
      else
        start(t, member, true, true);
    }
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
    for (auto& member : t.waiting)
      if (member.after)
        member.meanwhile.push_back(event);
    if (event->seq <= t.seq())
      return; // the state that was read has it
    t.last = event;
    for (auto& [format, members] : t.members) {
      auto frames = encode(dialects()[format.dialect]->render(*event, format.ids), event->position, format);
      for (const auto& member : members) {
        send(member, frames);
        if (is_ending(event->view.status))
          member.out->job_ended();
      }
      if (frames.empty())
        continue;
      counters_.events_delivered.Increment(static_cast<double>(members.size()));
    }
  }

  /// From here on the member gets every event. `reset`: it named a position that it cannot go on from.
  void start(table& t, const lane_member& member, bool first, bool reset = false) {
    auto now = t.last ? state_after(*t.last) : *t.read;
    const auto& d = *dialects()[member.format.dialect];
    send(member, encode(d.joined(now, member.format.ids, {first, reset}), now.position, member.format));
    add(t, member, now.view.status);
  }

  /// What it missed, then what came by while that was read, then every event.
  void resume(table& t, const waiting_member& member, const std::vector<job_event_ptr>& missed) {
    const auto& d = *dialects()[member.format.dialect];
    const auto& info = *(t.last ? t.last->info : t.read->info);
    auto seen = *member.after;
    send(member, encode(d.resumed({room_kind::job, info.id}, seen), seen, member.format));
    for (const auto* part : {&missed, &member.meanwhile})
      for (const auto& event : *part)
        if (event->position > seen) {
          seen = event->position;
          send(member, encode(d.render(*event, member.format.ids), seen, member.format));
        }
    add(t, member, t.last ? t.last->view.status : t.read->view.status);
  }

  void add(table& t, const lane_member& member, job_status status) {
    t.members[member.format].push_back(member);
    if (is_ending(status))
      member.out->job_ended();
  }

  static std::optional<lane_member> remove(table& t, std::uint64_t member_id) {
    auto take = [member_id](auto& from) -> std::optional<lane_member> {
      auto it = std::ranges::find_if(from, [member_id](const lane_member& m) { return m.id == member_id; });
      if (it == from.end())
        return std::nullopt;
      lane_member member = std::move(*it);
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

  /// One event of the log may become several frames: only the last carries its position, or a cut between them would
  /// lose the rest.
  std::vector<frame_ptr> encode(const std::vector<wire_event>& events, std::uint64_t position,
                                const wire_format& format) const {
    std::vector<frame_ptr> frames;
    frames.reserve(events.size());
    for (const auto& event : events) {
      auto is_last = frames.size() + 1 == events.size();
      auto at = is_last || position == 0 ? position : position - 1;
      frames.push_back(headway::encode(event, at, format.frames, (*namespaces_)[format.nsp]));
    }
    return frames;
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
  std::shared_ptr<const std::vector<std::string>> namespaces_;
  metrics& counters_;
};

} // namespace

lane_actor::behavior_type lane(lane_actor::stateful_pointer<lane_state> self, std::uint64_t head,
                               std::shared_ptr<const std::vector<std::string>> namespaces, metrics* m) {
  survive_errors(self, *m);
  self->state.delivered = head;
  auto l = std::make_shared<worker_lane>(self->state, std::move(namespaces), *m);
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
