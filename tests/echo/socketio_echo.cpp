#include "tests/echo/socketio_echo.hpp"

#include "core/random.hpp"
#include "net/protocol/socketio_session.hpp"

#include <variant>

namespace headway::echo {

namespace {

using engineio::close_reason;

class socketio_mirror : public engineio_application {
public:
  socketio_mirror(engineio_connection& connection, const socketio::session_options& options)
    : connection_{connection}, session_{options, connection.now()} {}

  void on_message(const engineio::message& message) override {
    std::vector<socketio::outgoing> replies;
    auto commands = session_.on_message(message, replies, connection_.now());
    send(replies);
    if (!commands)
      return connection_.close(close_reason::parse_error);
    for (auto& command : *commands)
      std::visit([this](auto& c) { on_command(c); }, command);
  }

  void on_time() override {
    if (!session_.on_time(connection_.now()))
      connection_.close(close_reason::forced_close);
  }

  steady_time wake_up() const override { return session_.wake_up(); }

private:
  void on_command(socketio::connect_command& c) {
    send({session_.accept(c.nsp, random_name())});
    send(socketio::event_packets(c.nsp, "auth", json::array({std::move(c.auth)})));
  }

  void on_command(socketio::event_command& c) {
    if (c.nsp != "/")
      return;
    if (c.name == "message")
      send(socketio::event_packets(c.nsp, "message-back", c.args, std::move(c.attachments)));
    else if (c.name == "message-with-ack" && c.ack_id)
      send(socketio::ack_packets(c.nsp, *c.ack_id, c.args, std::move(c.attachments)));
  }

  void on_command(socketio::ack_command&) {} // we ask for none
  void on_command(socketio::disconnect_command&) {}

  void send(const std::vector<socketio::outgoing>& packets) {
    for (const auto& packet : packets)
      connection_.peer()->send(packet.is_binary ? binary_frame(packet.data) : text_frame(packet.data));
  }

  engineio_connection& connection_;
  socketio::session session_;
};

/// Generous: what is tested is the protocol, not what an application puts up with.
socketio::session_options echo_options(std::chrono::milliseconds connect_timeout) {
  socketio::session_options options;
  options.namespaces = {"/", "/custom"};
  options.connect_timeout = connect_timeout;
  options.limits.attachments = 10;
  options.limits.arguments = 64;
  options.limits.json.string_bytes = 1'000'000;
  return options;
}

} // namespace

application_factory socketio_echo(std::chrono::milliseconds connect_timeout) {
  return [options = echo_options(connect_timeout)](engineio_connection& connection) {
    return std::make_unique<socketio_mirror>(connection, options);
  };
}

} // namespace headway::echo
