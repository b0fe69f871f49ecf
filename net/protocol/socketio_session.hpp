// SOCKET.IO SESSION  one peer's namespaces, acknowledgements and attachments.
//
//   Engine.IO messages, time --> session --> commands for whoever serves the peer; an error ends the connection
//
// Pure: no sockets, no clock. Packets to send come back as Engine.IO texts ("4" included).
#pragma once

#include "core/throttle.hpp"
#include "net/protocol/engineio_session.hpp"
#include "net/protocol/socketio.hpp"
#include "net/protocol/socketio_packets.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace headway::socketio {

/// The peer asks to join a namespace; answer with `accept` or `refuse`.
struct connect_command {
  std::string nsp;
  json auth; ///< an object, {} where the peer sent none
};
struct event_command {
  std::string nsp;
  std::string name;
  json args; ///< array, without the name; binary arguments stay placeholders {"_placeholder":true,"num":k}
  std::vector<std::string> attachments;
  std::optional<std::uint64_t> ack_id; ///< present: answer with `ack_packets`
};
struct ack_command {
  std::string nsp;
  std::uint64_t id = 0;
  json args; ///< array
  std::vector<std::string> attachments;
};
struct disconnect_command {
  std::string nsp;
};

using command = std::variant<connect_command, event_command, ack_command, disconnect_command>;

/// What a peer did wrong: for one log line, and fit for a metric's label. Each ends the connection.
enum class peer_fault : std::uint8_t {
  none,
  bad_packet,
  connect_error, ///< only servers send it
  not_joined,
  joined_already, ///< or asked for already
  unannounced_binary,
  text_among_attachments,
  attachments_too_big,
  late_attachments,
  late_connect
};

/// "namespace not joined"
std::string_view to_string(peer_fault fault) noexcept;

/// The start of an offending message for the log: at most 100 bytes, whole characters; nothing of a CONNECT's payload
/// and nothing from "token" (in any case) on, since secrets do not belong there. Empty for a binary one.
std::string excerpt(const engineio::message& msg);

struct session_options {
  std::set<std::string, std::less<>> namespaces{"/"};
  std::size_t namespaces_max = 4; ///< joined or asked for at one time; more are answered with CONNECT_ERROR
  std::chrono::milliseconds connect_timeout{10'000}; ///< from the Engine.IO open to the first accepted CONNECT
  std::chrono::milliseconds attachments_timeout{10'000};
  std::size_t attachment_bytes_max = 1'000'000;
  codec_limits limits;
};

class session {
public:
  session(session_options options, steady_time opened);

  /// One Engine.IO message. Appends to `replies` what the protocol itself answers ("Invalid namespace").
  /// A packet for a namespace that was joined before, but is not now, came too late and is dropped.
  /// @returns the commands it completes; an error where the whole connection must be closed, see `fault`.
  result<std::vector<command>> on_message(const engineio::message& msg, std::vector<outgoing>& replies,
                                          steady_time now);

  /// False: no namespace was joined in time (or attachments never came): close, see `fault`.
  bool on_time(steady_time now);
  steady_time wake_up() const;

  /// What the peer did wrong; none while all is well.
  peer_fault fault() const { return fault_; }

  /// CONNECT is granted: `40{"sid":"..."}`. `pid` empty: recovery is off.
  outgoing accept(std::string_view nsp, std::string_view sid, std::string_view pid = {});
  /// `44{"message":text,"data":{"code":name}}`
  outgoing refuse(std::string_view nsp, std::string_view message, const json& data = nullptr);
  /// The server ends one namespace: `41`. Where it was the last, the time to join one starts anew.
  outgoing disconnect(std::string_view nsp, steady_time now);
  /// `args`: an array. With `attachments` it holds that many placeholders; send the binary messages right behind.
  outgoing acknowledge(std::string_view nsp, std::uint64_t id, const json& args, std::size_t attachments = 0);

  bool is_connected(std::string_view nsp) const;

private:
  /// A packet that waits for its attachments.
  struct partial {
    packet head;
    bool is_wanted = true; ///< false: its namespace was left meanwhile
    std::vector<std::string> attachments;
    std::size_t bytes = 0;
    steady_time due{};
  };

  result<std::vector<command>> on_text(std::string_view text, std::vector<outgoing>& replies, steady_time now);
  result<std::vector<command>> on_attachment(const std::string& bytes);
  result<std::vector<command>> on_connect(packet&& p, std::vector<outgoing>& replies);
  void leave(const std::string& nsp, steady_time now);
  errc fail(peer_fault fault, errc code = errc::bad_request);

  session_options options_;
  std::set<std::string, std::less<>> pending_; ///< asked for, neither granted nor refused
  std::set<std::string, std::less<>> joined_;
  std::set<std::string, std::less<>> left_; ///< joined once: late packets for them are no offence
  std::optional<steady_time> connect_due_;  ///< none while a namespace is joined
  std::optional<partial> partial_;
  peer_fault fault_ = peer_fault::none;
};

} // namespace headway::socketio
