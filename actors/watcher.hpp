// WATCHER  what all watchers share, whatever they speak: who it is, and its rooms.
//
//   Socket.IO, plain WebSocket, SSE --> watcher -- join_room --> directory -> room
//
// Part of a connection actor; used by it only.
#pragma once

#include "actors/connection.hpp"
#include "actors/directory.hpp"
#include "actors/lane.hpp"
#include "core/token_bucket.hpp"
#include "net/protocol/jwt.hpp"

#include <list>
#include <map>
#include <optional>

namespace headway {

struct watch_options {
  jwt_options jwt;
  std::size_t subscriptions_max = 128; ///< rooms of one connection
  std::size_t requests_max = 256;      ///< that wait for a join before them
  double events_per_second = 20;       ///< messages of one connection; 0: any number
  double events_burst = 100;
  int event_warnings = 3;                  ///< told so often that it is too fast, then it is closed
  std::size_t queue_bytes_max = 1U << 20U; ///< what may wait for one connection
  std::function<epoch_ms()> wall_clock;
  /// A user's place among its connections; rate_limited where it has all it may. Empty: no limit.
  std::function<result<std::shared_ptr<void>>(std::string_view user_id)> admit_user;
  /// Whether an address may try a token, and what it failed at. Empty: no limit.
  std::function<result<void>(std::string_view address)> may_log_in;
  std::function<void(std::string_view address)> login_failed;
};

/// What all watchers of one I/O worker have in common.
struct watch_surroundings {
  std::shared_ptr<const watch_options> options;
  std::shared_ptr<const std::vector<std::string>> namespaces; ///< of Socket.IO, by namespace_index
  directory_shards_ptr directory;
  lane_actor lane;
  connection_table_ptr connections; ///< where those are entered that no session table has
  io_worker* worker = nullptr;      ///< none in tests
  metrics* counters = nullptr;
};

/// Spawns a connection on its worker and enters it in the table; it takes itself out.
connection_actor open_in_table(caf::actor_system& system, const watch_surroundings& around, connection_factory make);

/// How much one connection may say: messages above the rate are dropped, some with a warning, then it is closed.
class inbound_pace {
public:
  enum class verdict : std::uint8_t { fine, warn, close };

  explicit inbound_pace(const watch_options& options)
    : bucket_{options.events_per_second, options.events_burst}, warnings_left_{options.event_warnings} {}

  /// One message has come.
  verdict take(steady_time now) {
    if (bucket_.take(now))
      return verdict::fine;
    return warnings_left_-- > 0 ? verdict::warn : verdict::close;
  }

private:
  token_bucket bucket_;
  int warnings_left_;
};

/// Shared: the answer to a join may come when its connection has forgotten it.
class watcher : public std::enable_shared_from_this<watcher> {
public:
  using principal_ptr = std::shared_ptr<const principal>;

  /// `sid`: by which /websocket/stats shows it, in part.
  watcher(connection_self self, watch_surroundings around, outbound_ptr out, std::string sid, std::string address);

  // -- who it is -----------------------------------------------------------------------------------------------
  /// From now on it is the one the token names. Once it is somebody, the token may only be a newer one of the same
  /// user.
  /// @returns auth_missing, auth_invalid, auth_expired, rate_limited, forbidden (another user).
  result<void> authenticate(std::string_view token);
  /// It is somebody who was authenticated elsewhere. @returns rate_limited.
  result<void> become(principal_ptr who);
  const principal_ptr& who() const { return who_; }
  /// Looks at the wall's clock; where it goes on, also sets anew when to look again.
  bool has_expired();
  /// When to ask that again.
  steady_time expires() const;
  epoch_ms wall_now() const { return around_.options->wall_clock(); }

  // -- its rooms -----------------------------------------------------------------------------------------------
  /// Runs `request` when those before it are done: a leave waits for the join before it.
  /// @returns overloaded where too many wait.
  result<void> enqueue(std::function<void()> request);
  /// In a request: the room's lane answers the client by its state; `answer` hears of a refusal, or of none ({}).
  void join(const room_name& room, wire_format format, std::optional<std::uint64_t> after,
            std::function<void(errc)> answer);
  /// The lane answers, behind the last event. False: it was not in there, and nobody answers.
  bool leave(const room_name& room, wire_format format);
  std::size_t rooms() const { return rooms_.size(); }

  /// It is nobody any more, and nowhere; what still waits is forgotten.
  void leave_all();

private:
  struct membership {
    room_actor room;
    wire_format format;
  };
  void look_again();
  void run_requests();
  void tell_stats();

  connection_self self_;
  std::uint64_t id_; ///< as a member of rooms: one connection may be several watchers, in several namespaces
  watch_surroundings around_;
  outbound_ptr out_;
  std::string address_;
  principal_ptr who_;
  std::shared_ptr<void> place_; ///< among its user's connections
  steady_time expires_ = steady_time::max();
  connection_stats stats_;
  std::map<room_name, membership> rooms_;
  std::list<std::function<void()>> requests_; ///< mostly none: a deque would hold half a KiB for it
  bool joining_ = false;
};

} // namespace headway
