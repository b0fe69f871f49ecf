// What operators ask: is it there, is it ready, what does it count; and the built-in pages.
#include "core/address.hpp"
#include "core/time.hpp"
#include "net/api/route.hpp"

namespace headway {

namespace {

/// Answers of several lanes, collected.
struct collected {
  std::vector<connection_stats> connections;
  std::size_t missing = 0;
};

json to_json(const connection_stats& stats) {
  constexpr std::size_t shown = 8; // a sid is nobody else's business
  json user = stats.user_id_is_number ? json(std::stoll(stats.user_id)) : json(stats.user_id);
  return {{"sid", stats.sid.substr(0, shown)},
          {"user_id", std::move(user)},
          {"connected_at", iso8601(stats.connected_at)},
          {"watching_jobs", stats.rooms}};
}

void answer_stats(const call& c, const collected& all) {
  json list = json::array();
  for (const auto& stats : all.connections)
    list.push_back(to_json(stats));
  c.answer(json_answer(200, {{"total_connections", all.connections.size()},
                             {"active_job_rooms", static_cast<std::uint64_t>(c.around->counters->rooms.Value())},
                             {"connections", std::move(list)}}));
}

} // namespace

void get_root(const call& c) {
  c.answer(json_answer(
    200, {{"message", "Headway"}, {"version", c.around->version}, {"docs", "/docs"}, {"websocket", "/socket.io"}}));
}

void get_health(const call& c) { c.answer(json_answer(200, {{"status", "healthy"}})); }

void get_ready(const call& c) {
  if (*c.around->stopping)
    return c.refuse(errc::shutting_down);
  c.self->request(c.around->reader, caf::infinite, probe_store{})
    .then(
      [c](const store_probed& msg) {
        if (msg.writable)
          c.answer(json_answer(200, {{"status", "ready"}}));
        else
          c.refuse(errc::store_unavailable);
      },
      [c](const caf::error& e) { c.refuse(to_errc(e)); });
}

/// Seen from this machine only, unless `metrics.public`: what is counted tells an attacker how he is doing.
void get_metrics(const call& c) {
  auto address = ip_address::parse(c.request->address);
  auto is_local = address && (address->to_string() == "127.0.0.1" || address->to_string() == "::1") &&
                  c.request->forwarded_for.empty();
  if (!c.around->metrics_are_public && !is_local)
    return c.refuse(errc::not_found);
  http_answer a;
  a.content_type = "text/plain; version=0.0.4; charset=utf-8";
  c.around->counters->actors.Set(static_cast<double>(c.self->system().registry().running()));
  a.body = c.around->counters->render();
  c.answer(std::move(a));
}

/// A service sees all connections; a person its own.
void get_websocket_stats(const call& c) {
  auto all = std::make_shared<collected>();
  all->missing = c.around->lanes.size();
  auto one_more = [c, all] {
    if (--all->missing == 0)
      answer_stats(c, *all);
  };
  for (const auto& lane : c.around->lanes) {
    c.self->request(lane, caf::infinite, get_connections{})
      .then(
        [c, all, one_more](const connection_list& msg) {
          for (const auto& stats : msg.connections)
            if (may_ingest(*c.who) || stats.user_id == c.who->user_id)
              all->connections.push_back(stats);
          one_more();
        },
        [one_more](const caf::error&) { one_more(); });
  }
}

void get_page(const call& c) {
  for (const auto& page : c.around->pages) {
    if (page.path != c.request->path)
      continue;
    if (c.request->method != "GET" && c.request->method != "HEAD")
      return c.refuse(errc::method_not_allowed);
    http_answer a;
    a.content_type = page.content_type;
    a.body = page.body;
    a.headers.emplace_back("Content-Security-Policy", "default-src 'self'; connect-src 'self' ws: wss:");
    a.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
    return c.answer(std::move(a));
  }
  c.refuse(errc::not_found);
}

void get_demo_session(const call& c) {
  if (!c.around->demo_session)
    return c.refuse(errc::not_found);
  c.answer(json_answer(200, c.around->demo_session()));
}

} // namespace headway
