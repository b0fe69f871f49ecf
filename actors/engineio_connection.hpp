// ENGINE.IO CONNECTION  one Engine.IO session: its transports, its clock. What the messages mean is its application's.
//
//   transport -- polls, posts, frames --> engineio_connection -- messages --> application (Socket.IO's; an echo's)
//   application, lane -- packets --> engineio_peer --> transport
#pragma once

#include "actors/connection.hpp"
#include "actors/engineio_peer.hpp"

#include <deque>

namespace headway {

/// Engine.IO sessions of one I/O worker by sid; used on its thread only.
struct session_entry {
  connection_actor actor;
  std::size_t endpoint = 0; ///< where it was opened, and is known
  std::string origin;       ///< see `handshake`
  std::string credentials;
};
/// Beside the live ones it remembers how the last ones ended, for the log.
class session_table : public std::unordered_map<std::string, session_entry> {
public:
  void remember_end(std::string sid, engineio::close_reason why);
  /// "never seen", or why it ended.
  std::string_view why_unknown(std::string_view sid) const;

private:
  struct past_session {
    std::string sid;
    engineio::close_reason why;
  };
  std::deque<past_session> ended_;
};
using session_table_ptr = std::shared_ptr<session_table>;

/// What the sessions of one endpoint on one I/O worker have in common.
struct engineio_surroundings {
  engineio::session_options session;
  std::size_t queue_bytes_max = 1U << 20U;
  std::size_t endpoint = 0;
  session_table_ptr sessions;
  io_worker* worker = nullptr; ///< none in tests
  metrics* counters = nullptr;
};

class engineio_connection;

/// What stands above a session.
class engineio_application {
public:
  engineio_application() = default;
  engineio_application(const engineio_application&) = delete;
  engineio_application& operator=(const engineio_application&) = delete;
  virtual ~engineio_application() = default;

  /// Answers go to the connection's peer; they are written when this returns.
  virtual void on_message(const engineio::message& message) = 0;
  /// Time has come to `wake_up()`.
  virtual void on_time() {}
  virtual steady_time wake_up() const { return steady_time::max(); }
  /// The session is over. Called once.
  virtual void on_end() {}
};

using application_factory = std::function<std::unique_ptr<engineio_application>(engineio_connection&)>;

class engineio_connection : public connection {
public:
  engineio_connection(connection_self self, engineio_surroundings around, handshake from, engineio::transport first,
                      std::string sid, const application_factory& make);
  ~engineio_connection() override;

  // -- for the application -----------------------------------------------------------------------------------
  connection_self self() const { return self_; }
  const std::shared_ptr<engineio_peer>& peer() const { return peer_; }
  const handshake& from() const { return from_; }
  steady_time now() const { return self_->clock().now(); }
  bool has_ended() const { return ended_; }
  void close(engineio::close_reason reason);
  /// Writes what is to be written, and sets the timer: after what the application did on its own.
  void pump();

  // -- connection ----------------------------------------------------------------------------------------------
  void on_poll(const poll_arrived& msg) override;
  void on_poll_aborted(const poll_aborted& msg) override;
  void on_post_begun(const post_begun& msg) override;
  void on_post(const post_arrived& msg) override;
  void on_post_aborted(const post_aborted& msg) override;
  void on_websocket(const websocket_opened& msg) override;
  void on_frame(const frame_arrived& msg) override;
  void on_websocket_ended(const websocket_ended& msg) override;
  void on_time() override;
  void on_outbound_changed() override;
  void on_release() override;

private:
  void arm_timer();
  void quit_after_lingering();

  connection_self self_;
  engineio_surroundings around_;
  handshake from_;
  std::shared_ptr<engineio_peer> peer_; ///< a lane may hold it longer than we live
  std::unique_ptr<engineio_application> application_;
  bool ended_ = false;
  bool released_ = false; ///< the server stops: no lingering
};

/// Opens a session on the caller's I/O worker and enters it in the table. Send it its transport next.
connection_actor open_engineio(caf::actor_system& system, const engineio_surroundings& around, handshake from,
                               engineio::transport first, application_factory make);

} // namespace headway
