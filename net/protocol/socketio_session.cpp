#include "net/protocol/socketio_session.hpp"

#include "net/protocol/utf8.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace headway::socketio {

namespace {

constexpr std::size_t echoed_namespace_bytes_max = 64;
constexpr std::size_t excerpt_bytes_max = 100;

std::string name_text(const json& name) {
  auto* text = name.get_ptr<const json::string_t*>();
  return text ? *text : dump_json(name);
}

/// An event, acknowledgement or goodbye for a namespace that is joined.
command to_command(packet&& p, std::vector<std::string>&& attachments) {
  if (p.type == packet_type::disconnect)
    return disconnect_command{std::move(p.nsp)};
  auto& items = *p.data;
  if (p.type == packet_type::ack || p.type == packet_type::binary_ack)
    return ack_command{std::move(p.nsp), *p.ack_id, std::move(items), std::move(attachments)};
  auto args = json::array();
  std::move(std::next(items.begin()), items.end(), std::back_inserter(args));
  return event_command{std::move(p.nsp), name_text(items.front()), std::move(args), std::move(attachments), p.ack_id};
}

} // namespace

std::string_view to_string(peer_fault fault) noexcept {
  switch (fault) {
    case peer_fault::none: return "none";
    case peer_fault::bad_packet: return "bad Socket.IO packet";
    case peer_fault::connect_error: return "CONNECT_ERROR from client";
    case peer_fault::not_joined: return "namespace not joined";
    case peer_fault::joined_already: return "namespace joined already";
    case peer_fault::unannounced_binary: return "binary nobody announced";
    case peer_fault::text_among_attachments: return "text among attachments";
    case peer_fault::attachments_too_big: return "attachments too big";
    case peer_fault::late_attachments: return "attachments too late";
    case peer_fault::late_connect: return "no namespace joined in time";
  }
  return "none";
}

std::string excerpt(const engineio::message& msg) {
  if (msg.is_binary)
    return {};
  std::string_view text = msg.data;
  constexpr std::string_view secret = "token"; // "accessToken", too
  auto is_same_letter = [](char a, char b) { return (a | 0x20) == b; };
  text =
    text.substr(0, static_cast<std::size_t>(std::ranges::search(text, secret, is_same_letter).begin() - text.begin()));
  if (text.starts_with('0'))
    text = text.substr(0, text.find_first_of("{[\""));
  return std::string{utf8_start(text, excerpt_bytes_max)};
}

session::session(session_options options, steady_time opened)
  : options_{std::move(options)}, connect_due_{opened + options_.connect_timeout} {}

result<std::vector<command>> session::on_message(const engineio::message& msg, std::vector<outgoing>& replies,
                                                 steady_time now) {
  if (!on_time(now)) // a timer may be late
    return errc::request_timeout;
  if (msg.is_binary)
    return on_attachment(msg.data);
  if (partial_)
    return fail(peer_fault::text_among_attachments);
  return on_text(msg.data, replies, now);
}

result<std::vector<command>> session::on_text(std::string_view text, std::vector<outgoing>& replies, steady_time now) {
  exceeded_ = codec_limit::none;
  auto p = decode(text, options_.limits, &exceeded_);
  if (!p)
    return fail(peer_fault::bad_packet, p.error());
  if (p->type == packet_type::connect_error)
    return fail(peer_fault::connect_error);
  if (p->type == packet_type::connect)
    return on_connect(std::move(*p), replies);

  auto is_joined = joined_.contains(p->nsp);
  if (!is_joined && !left_.contains(p->nsp))
    return fail(peer_fault::not_joined); // also while its CONNECT is being decided: clients wait for the answer
  std::vector<command> commands;
  if (p->attachments > 0) {
    auto due = now + options_.attachments_timeout;
    partial_ = partial{std::move(*p), is_joined, {}, 0, due};
  } else if (is_joined) {
    if (p->type == packet_type::disconnect)
      leave(p->nsp, now);
    commands.push_back(to_command(std::move(*p), {}));
  }
  return commands;
}

result<std::vector<command>> session::on_attachment(const std::string& bytes) {
  if (!partial_)
    return fail(peer_fault::unannounced_binary);
  auto& waiting = *partial_;
  waiting.bytes += bytes.size();
  if (waiting.bytes > options_.attachment_bytes_max)
    return fail(peer_fault::attachments_too_big, errc::payload_too_large);
  waiting.attachments.push_back(waiting.is_wanted ? bytes : std::string{});
  std::vector<command> commands;
  if (waiting.attachments.size() < waiting.head.attachments)
    return commands;
  auto whole = std::move(*partial_);
  partial_.reset();
  if (whole.is_wanted && joined_.contains(whole.head.nsp)) // the server may have ended the namespace meanwhile
    commands.push_back(to_command(std::move(whole.head), std::move(whole.attachments)));
  return commands;
}

result<std::vector<command>> session::on_connect(packet&& p, std::vector<outgoing>& replies) {
  std::vector<command> commands;
  if (!options_.namespaces.contains(p.nsp)) {
    replies.push_back(refuse(utf8_start(p.nsp, echoed_namespace_bytes_max), "Invalid namespace"));
    return commands;
  }
  if (joined_.contains(p.nsp) || pending_.contains(p.nsp))
    return fail(peer_fault::joined_already);
  if (joined_.size() + pending_.size() >= options_.namespaces_max) {
    exceeded_ = codec_limit::namespaces;
    replies.push_back(refuse(p.nsp, "Too many namespaces"));
    return commands;
  }
  pending_.insert(p.nsp);
  commands.push_back(connect_command{std::move(p.nsp), std::move(p.data).value_or(json::object())});
  return commands;
}

void session::leave(const std::string& nsp, steady_time now) {
  joined_.erase(nsp);
  left_.insert(nsp);
  if (joined_.empty())
    connect_due_ = now + options_.connect_timeout;
}

errc session::fail(peer_fault fault, errc code) {
  fault_ = fault;
  return code;
}

bool session::on_time(steady_time now) {
  if (connect_due_ && now >= *connect_due_)
    fault_ = peer_fault::late_connect;
  else if (partial_ && now >= partial_->due)
    fault_ = peer_fault::late_attachments;
  else
    return true;
  return false;
}

steady_time session::wake_up() const {
  auto due = connect_due_.value_or(steady_time::max());
  return partial_ ? std::min(due, partial_->due) : due;
}

outgoing session::accept(std::string_view nsp, std::string_view sid, std::string_view pid) {
  if (auto it = pending_.find(nsp); it != pending_.end()) {
    joined_.insert(pending_.extract(it));
    connect_due_.reset();
  }
  auto data = json::object();
  data["sid"] = sid;
  if (!pid.empty())
    data["pid"] = pid;
  return text_message(server_packet(packet_type::connect, nsp, std::move(data)));
}

outgoing session::refuse(std::string_view nsp, std::string_view message, const json& data) {
  if (auto it = pending_.find(nsp); it != pending_.end())
    pending_.erase(it);
  auto body = json::object();
  body["message"] = message;
  if (!data.is_null())
    body["data"] = data;
  return text_message(server_packet(packet_type::connect_error, nsp, std::move(body)));
}

outgoing session::disconnect(std::string_view nsp, steady_time now) {
  if (joined_.contains(nsp))
    leave(std::string{nsp}, now);
  return text_message(server_packet(packet_type::disconnect, nsp));
}

outgoing session::acknowledge(std::string_view nsp, std::uint64_t id, const json& args, std::size_t attachments) {
  auto p = server_packet(attachments > 0 ? packet_type::binary_ack : packet_type::ack, nsp, args);
  p.ack_id = id;
  p.attachments = attachments;
  return text_message(p);
}

bool session::is_connected(std::string_view nsp) const { return joined_.contains(nsp); }

} // namespace headway::socketio
