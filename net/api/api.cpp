#include "net/api/api.hpp"

#include "core/log.hpp"
#include "net/api/route.hpp"

namespace headway {

namespace {

constexpr auto key_cache_time = std::chrono::seconds{5};
constexpr std::size_t key_cache_max = 1024;

/// "Bearer abc" -> "abc"; empty where there is none.
std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view scheme = "Bearer ";
  if (authorization.size() <= scheme.size())
    return {};
  auto same = std::ranges::equal(authorization.substr(0, scheme.size()), scheme,
                                 [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
  return same ? authorization.substr(scheme.size()) : std::string_view{};
}

void unauthorized(const call& c, errc why) {
  c.around->counters->auth_failures.Increment();
  const auto& watch = c.here->watch.options;
  if (watch && watch->login_failed && why == errc::auth_invalid)
    watch->login_failed(c.request->address);
  auto a = problem(why);
  a.headers.emplace_back("WWW-Authenticate", "Bearer");
  c.answer(std::move(a));
}

/// After too many wrong tokens from an address only some are looked at.
bool may_log_in(const call& c) {
  const auto& watch = c.here->watch.options;
  if (!watch || !watch->may_log_in || watch->may_log_in(c.request->address))
    return true;
  c.refuse(errc::rate_limited);
  return false;
}

/// The caller is known: goes on if that one may.
void admit(call c, std::shared_ptr<const principal> who, const route& r) {
  if (r.who == access::ingest && !may_ingest(*who))
    return c.refuse(errc::forbidden);
  c.who = std::move(who);
  r.handle(c);
}

void remember_key(const call& c, const std::string& hash, std::shared_ptr<const principal> who) {
  auto& cache = c.self->state.keys;
  if (cache.size() >= key_cache_max)
    cache.clear();
  cache[hash] = {std::move(who), c.self->clock().now() + key_cache_time};
}

/// The calls that waited for this key, in the order in which they came.
std::vector<api_state::waiting_call> take_waiting(const call& c, const std::string& hash) {
  auto waiting = c.self->state.looking_up.extract(hash);
  return waiting ? std::move(waiting.mapped()) : std::vector<api_state::waiting_call>{};
}

void look_up_key(const call& c, const route& r, std::string_view key) {
  auto hash = hash_api_key(key);
  auto& state = c.self->state;
  if (auto it = state.keys.find(hash); it != state.keys.end() && c.self->clock().now() < it->second.until)
    return admit(c, it->second.who, r);
  if (!may_log_in(c))
    return;
  auto& waiting = state.looking_up[hash];
  waiting.push_back({c, &r});
  if (waiting.size() > 1)
    return; // it is being looked up
  c.self->request(c.around->reader, caf::infinite, load_key{hash})
    .then(
      [c, hash](const key_loaded& msg) {
        auto who = std::make_shared<principal>();
        who->user_id = msg.key.name;
        who->scopes.insert(msg.key.scope);
        who->is_service = true;
        remember_key(c, hash, who);
        for (auto& one : take_waiting(c, hash))
          admit(std::move(one.what), who, *one.where);
      },
      [c, hash](const caf::error& e) {
        for (const auto& one : take_waiting(c, hash)) {
          if (to_errc(e) == errc::not_found)
            unauthorized(one.what, errc::auth_invalid);
          else
            one.what.refuse(to_errc(e));
        }
      });
}

void authenticate(const call& c, const route& r) {
  auto token = bearer(c.request->authorization);
  if (is_api_key(token))
    return look_up_key(c, r, token);
  if (!token.empty() && !may_log_in(c))
    return;
  auto who = verify_jwt(token, c.around->jwt, c.around->wall_clock());
  if (!who)
    return unauthorized(c, who.error());
  admit(c, std::make_shared<const principal>(std::move(*who)), r);
}

void serve(call c) {
  auto path_known = false;
  std::string allowed;
  auto method = c.request->method == "HEAD" ? std::string_view{"GET"} : std::string_view{c.request->method};
  for (const auto& r : routes()) {
    auto params = match_path(r.pattern, c.request->path);
    if (!params)
      continue;
    path_known = true;
    if (r.method != method) {
      allowed.append(allowed.empty() ? "" : ", ").append(r.method);
      continue;
    }
    c.params = std::move(*params);
    return r.who == access::open ? r.handle(c) : authenticate(c, r);
  }
  if (!path_known)
    return get_page(c);
  auto a = problem(errc::method_not_allowed);
  a.headers.emplace_back("Allow", allowed);
  c.answer(std::move(a));
}

} // namespace

void call::refuse(errc code, std::string_view detail) const {
  auto a = problem(code, detail);
  if (a.status == 429 || a.status == 503)
    a.headers.emplace_back("Retry-After", "1");
  answer(std::move(a));
}

namespace {

api_actor::behavior_type api(api_self self, const std::shared_ptr<const api_worker>& here,
                             const std::shared_ptr<const api_surroundings>& around) {
  survive_errors(self, *around->counters);
  return {
    [self, here, around](http_call& msg) {
      auto request = std::make_shared<const http_request>(std::move(msg.request));
      try {
        serve({self, around.get(), here.get(), std::move(request), msg.port, {}, {}});
      } catch (const std::exception& e) { // ours to mend; it costs this request and nothing else
        log::error("api.exception", {{"what", e.what()}});
        msg.port->answer(problem(errc::internal));
      }
    },
    [self](const stop&) -> stopped {
      self->quit();
      return {};
    },
  };
}

} // namespace

api_actor spawn_api(caf::actor_system& system, api_worker here, std::shared_ptr<const api_surroundings> around) {
  auto* worker = here.worker;
  return spawn_pinned(system, worker, api, std::make_shared<const api_worker>(std::move(here)), std::move(around));
}

} // namespace headway
