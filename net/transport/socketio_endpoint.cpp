#include "net/transport/socketio_endpoint.hpp"

#include <algorithm>
#include <cctype>

namespace headway {

using engineio::handshake_error;
using engineio::handshake_refusal;

bool is_socketio_path(const transport_server& server, std::string_view path) {
  std::string_view full = server.socketio_path;
  return path == full || path == full.substr(0, full.size() - 1);
}

transport_worker& worker_of(transport_worker& here, std::string_view sid) {
  if (sid.empty())
    return here;
  auto c = sid.back();
  auto index = c >= '0' && c <= '9' ? static_cast<std::size_t>(c - '0') : static_cast<std::size_t>(c - 'a') + 10;
  const auto& workers = here.server->workers;
  return index < workers.size() ? *workers[index] : here;
}

std::variant<engineio_request, http_answer> check_engineio(const transport_worker& worker, const http_request& request,
                                                           bool is_upgrade) {
  query_params query{request.query};
  engineio_request out;
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
    if (!worker.actors.sessions->contains(out.sid))
      return handshake_refusal(handshake_error::session_unknown);
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
  if (worker.server->stopping)
    return problem(errc::shutting_down);
  return out;
}

std::optional<connection_actor> serve_polling(transport_worker& worker, const engineio_request& what,
                                              http_request&& request, const http_port_ptr& port) {
  auto session = what.sid.empty() ? open_connection(*worker.server->system, worker.actors, engineio::transport::polling)
                                  : worker.actors.sessions->at(what.sid);
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
