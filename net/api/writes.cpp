// Writes: jobs are created, and workers report about them. Answered after the commit.
#include "net/api/body.hpp"
#include "net/api/route.hpp"

namespace headway {

namespace {

bool is_json(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && type.back() == ' ')
    type.remove_suffix(1);
  constexpr std::string_view wanted = "application/json";
  return std::ranges::equal(type, wanted, [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
}

/// The body as JSON; an empty one is {}. Answers the caller itself where it is none.
std::optional<json> read_body(const call& c) {
  if (!c.request->content_encoding.empty()) {
    c.refuse(errc::unsupported_media_type);
    return std::nullopt;
  }
  if (c.request->body.empty())
    return json::object();
  if (!is_json(c.request->content_type)) {
    c.refuse(errc::unsupported_media_type);
    return std::nullopt;
  }
  auto body = parse_json(c.request->body, c.around->json_bounds);
  if (!body) {
    c.refuse(body.error());
    return std::nullopt;
  }
  return std::move(*body);
}

/// The id in the JSON type in which the job was created.
json id_json(const job_ack& ack) {
  if (ack.id_is_number)
    return std::stoull(ack.job_id);
  return ack.job_id;
}

void count(const call& c, int status) { c.around->counters->ingest_requests(status).Increment(); }

void refuse(const call& c, errc code, std::string_view detail = {}) {
  count(c, http_status(code));
  c.refuse(code, detail);
}

void acknowledge(const call& c, const job_ack& ack, int status) {
  json body{{"job_id", id_json(ack)}};
  if (ack.held) {
    status = 202;
    body["held"] = true;
  } else {
    body["seq"] = ack.seq;
    body["position"] = ack.position;
  }
  auto a = json_answer(status, body);
  if (status == 201)
    a.headers.emplace_back("Location", "/api/v1/jobs/" + ack.job_id);
  count(c, status);
  c.answer(std::move(a));
}

template <class Message>
void send(const call& c, const std::string& job_id, Message message, int status) {
  c.self->request(c.around->directory->of(job_id), caf::infinite, std::move(message))
    .then([c, status](const job_ack& ack) { acknowledge(c, ack, status); },
          [c](const caf::error& e) { refuse(c, to_errc(e)); });
}

} // namespace

void post_job(const call& c) {
  auto body = read_body(c);
  if (!body)
    return;
  auto info = read_job_info(*body, c.around->wall_clock());
  if (!info)
    return refuse(c, info.error().code, info.error().detail);
  auto id = info->id;
  send(c, id, create_job{std::move(*info)}, 201);
}

void post_job_update(const call& c) {
  const auto& id = c.params[0];
  auto verb = job_verb_from(c.params[1]);
  if (!verb)
    return c.refuse(errc::not_found);
  if (!is_job_id(id))
    return refuse(c, errc::invalid_job_id);
  auto body = read_body(c);
  if (!body)
    return;
  auto update = read_job_update(*verb, *body, c.around->body);
  if (!update)
    return refuse(c, update.error().code, update.error().detail);
  auto durable = c.query().get("wait") == "durable";
  send(c, id, update_job{id, std::move(*update), durable}, 200);
}

} // namespace headway
