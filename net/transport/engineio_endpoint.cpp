#include "net/transport/engineio_endpoint.hpp"

#include "core/log.hpp"
#include "net/protocol/jwt.hpp"
#include "net/transport/admission.hpp"

#include <algorithm>
#include <cctype>

namespace headway {

using engineio::handshake_error;
using engineio::handshake_refusal;

namespace {

/// What says who asks, beside the session's own packets.
std::string credentials_of(const http_request& request, const query_params& query) {
  auto token = query.get("token");
  if (request.authorization.empty() && token.empty())
    return {};
  return hash_api_key(request.authorization + '\n' + std::string{token});
}

/// A session is not taken over by whoever knows its id: the request must come from where the session came from, and
/// with the same credentials where it brings any.
bool is_of_same_peer(const session_entry& session, const http_request& request, const query_params& query) {
  if (foreign_origin(request.origin, request.host) != session.origin)
    return false;
  auto credentials = credentials_of(request, query);
  return credentials.empty() || credentials == session.credentials;
}

} // namespace

std::optional<std::size_t> endpoint_of(const transport_server& server, std::string_view path) {
  auto it = std::ranges::find_if(server.engineio_paths, [path](std::string_view full) {
    return path == full || path == full.substr(0, full.size() - 1);
  });
  if (it == server.engineio_paths.end())
    return std::nullopt;
  return static_cast<std::size_t>(it - server.engineio_paths.begin());
}

transport_worker& worker_of(transport_worker& here, std::string_view sid) {
  if (sid.empty())
    return here;
  auto c = sid.back();
  auto index = c >= '0' && c <= '9' ? static_cast<std::size_t>(c - '0') : static_cast<std::size_t>(c - 'a') + 10;
  const auto& workers = here.server->workers;
  return index < workers.size() ? *workers[index] : here;
}

std::variant<engineio_request, http_answer> check_engineio(const transport_worker& worker, std::size_t endpoint,
                                                           const http_request& request, bool is_upgrade) {
  query_params query{request.query};
  engineio_request out;
  out.endpoint = endpoint;
  auto transport = query.get("transport");
  if (transport == "websocket")
    out.transport = engineio::transport::websocket;
  else if (transport != "polling")
    return handshake_refusal(handshake_error::transport_unknown);
  auto is_control = [](unsigned char c) { return std::iscntrl(c) != 0; };
  if (std::ranges::any_of(request.origin, is_control))
    return handshake_refusal(handshake_error::bad_request);

  out.sid = query.get("sid");
  auto wants_websocket = out.transport == engineio::transport::websocket;
  if (!out.sid.empty()) {
    auto it = worker.sessions->find(out.sid);
    if (it == worker.sessions->end() || it->second.endpoint != endpoint) {
      log::info("engineio.sid_unknown", {{"why", worker.sessions->why_unknown(out.sid)}});
      return handshake_refusal(handshake_error::session_unknown);
    }
    if (!is_of_same_peer(it->second, request, query)) {
      worker.server->counters->dropped_events("foreign_session").Increment();
      log::warn("engineio.foreign_session", {{"address", request.address}});
      return handshake_refusal(handshake_error::session_unknown); // as if it were not there
    }
    if (wants_websocket && !is_upgrade)
      return handshake_refusal(handshake_error::bad_request);
    return out;
  }
  if (request.method != "GET")
    return handshake_refusal(handshake_error::bad_handshake_method);
  if (wants_websocket && !is_upgrade)
    return handshake_refusal(handshake_error::bad_request);
  if (!worker.server->origins.may_connect(request.origin, request.host))
    return handshake_refusal(handshake_error::forbidden);
  if (query.get("EIO") != "4")
    return handshake_refusal(handshake_error::unsupported_version);
  auto granted = place_for_session(worker, request);
  if (!granted)
    return refusal(granted.error());
  out.place = std::move(*granted);
  return out;
}

handshake handshake_of(const http_request& request, std::shared_ptr<void> granted) {
  query_params query{request.query};
  return {request.address, std::string{foreign_origin(request.origin, request.host)}, credentials_of(request, query),
          query.get("b64") == "1", std::move(granted)};
}

result<std::shared_ptr<void>> place_for_session(const transport_worker& worker, const http_request& request) {
  const auto& server = *worker.server;
  if (server.stopping)
    return errc::shutting_down;
  if (!server.gate)
    return std::shared_ptr<void>{};
  return server.gate->open(request.address, steady_time::clock::now());
}

http_answer refusal(errc why) {
  auto a = problem(why);
  a.headers.emplace_back("Retry-After", std::to_string(admission::retry_after().count()));
  return a;
}

std::optional<connection_actor> serve_polling(transport_worker& worker, const engineio_request& what,
                                              http_request&& request, const http_port_ptr& port) {
  auto session = what.sid.empty() ? worker.open_engineio[what.endpoint](handshake_of(request, what.place),
                                                                        engineio::transport::polling)
                                  : worker.sessions->at(what.sid).actor;
  if (request.method == "GET") {
    caf::anon_send(session, poll_arrived{port});
    return session;
  }
  if (request.method == "POST") {
    auto is_octet_stream = request.content_type.starts_with("application/octet-stream");
    caf::anon_send(session, post_arrived{port, std::move(request.body), is_octet_stream});
    return std::nullopt;
  }
  port->answer(problem(errc::method_not_allowed)); // the session survives
  return std::nullopt;
}

} // namespace headway
