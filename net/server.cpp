#include "net/server.hpp"

#include "actors/plain_watcher.hpp"
#include "actors/socketio_watcher.hpp"
#include "core/log.hpp"
#include "core/time.hpp"
#include "net/api/api.hpp"
#include "net/demo.hpp"
#include "net/transport/admission.hpp"
#include "net/transport/io_threads.hpp"
#include "net/transport/listener.hpp"
#include "storage/make_store.hpp"
#include "storage/store_lock.hpp"
#include "web/assets.hpp"

#include <boost/asio/post.hpp>

#include <condition_variable>
#include <cstdlib>
#include <future>
#include <mutex>
#include <thread>

namespace headway {

namespace {

namespace asio = boost::asio;

std::uint32_t threads_or_cores(std::uint32_t wanted) {
  return wanted != 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
}

class system_config : public caf::actor_system_config {
public:
  explicit system_config(std::uint32_t scheduler_threads) {
    set("scheduler.max-threads", static_cast<std::size_t>(scheduler_threads));
    add_ingest_messages(*this);
  }
};

/// Ends the process if stopping takes longer than it may: a hang must not outlive its supervisor's patience.
class watchdog {
public:
  explicit watchdog(std::chrono::milliseconds patience)
    : thread_{[this, patience] {
        std::unique_lock lock{mutex_};
        if (!done_.wait_for(lock, patience, [this] { return finished_; })) {
          log::error("server.stop_timeout");
          std::_Exit(EXIT_FAILURE);
        }
      }} {}
  ~watchdog() {
    {
      std::lock_guard lock{mutex_};
      finished_ = true;
    }
    done_.notify_one();
    thread_.join();
  }
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

private:
  std::mutex mutex_;
  std::condition_variable done_;
  bool finished_ = false;
  std::thread thread_;
};

std::vector<static_page> built_in_pages() {
  std::vector<static_page> pages;
  for (const auto& asset : web_assets())
    pages.push_back({asset.path, asset.content_type, asset.body});
  return pages;
}

} // namespace

struct server::house {
  house(const config& c, const server_hooks& hooks);

  void start_io(std::uint64_t head);
  void start_storage(std::unique_ptr<store> writer, const server_hooks& hooks);
  void start_directory();
  void make_door();
  std::shared_ptr<const watch_options> watchers_options();
  void set_transport_limits();
  void start_workers();
  void stop();
  template <class Handles>
  void stop_actors(const Handles& handles);
  void release_watchers();

  config settings;
  std::unique_ptr<store_lock> lock;
  metrics counters;
  system_config caf_settings;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<io_threads> io;
  std::vector<connection_table_ptr> connections;
  std::shared_ptr<const std::vector<std::string>> namespaces;
  storage_gate_ptr gate;
  storage_actor storage_writer;
  std::vector<reader_actor> readers;
  std::vector<lane_actor> lanes;
  std::vector<api_actor> apis;
  directory_shards_ptr directory;
  std::unique_ptr<admission> door;
  transport_server transport;
  std::shared_ptr<listener> doors;
  std::uint16_t listening_port = 0;
  caf::actor demo;
  bool stopped = false;
};

server::house::house(const config& c, const server_hooks& hooks)
  : settings{c},
    lock{lock_store({c.database_url})},
    caf_settings{threads_or_cores(c.scheduler_threads)},
    system{std::make_unique<caf::actor_system>(caf_settings)} {
  try {
    migrate_store({settings.database_url});
    auto writer = open_store({settings.database_url});
    auto head = writer->head();
    if (!head)
      throw store_open_error{std::string{text(head.error())}};
    start_io(*head);
    start_storage(std::move(writer), hooks);
    start_directory();
    make_door();
    start_workers();
    doors = listen(transport, settings.host, settings.port);
    listening_port = doors->port();
  } catch (...) { // what runs already holds on to the house
    stop();
    throw;
  }
  log::info("server.listening", {{"host", settings.host}, {"port", listening_port}});
}

void server::house::start_io(std::uint64_t head) {
  namespaces = std::make_shared<const std::vector<std::string>>(settings.socketio.namespaces);
  io = std::make_unique<io_threads>(*system, threads_or_cores(settings.io_threads), counters);
  for (std::size_t i = 0; i < io->size(); ++i)
    lanes.push_back(spawn_pinned(*system, &io->worker(i), lane, head, namespaces, &counters));
}

void server::house::start_storage(std::unique_ptr<store> writer, const server_hooks& hooks) {
  publish_function publish = [to = lanes](const commit_ptr& what) {
    for (const auto& one : to)
      caf::anon_send(one, committed{what});
  };
  if (hooks.wrap_publish)
    publish = hooks.wrap_publish(std::move(publish));
  if (hooks.wrap_writer)
    writer = hooks.wrap_writer(std::move(writer));
  gate = std::make_shared<storage_gate>(settings.storage.pending_writes_max, settings.storage.pending_bytes_max);
  storage_writer = system->spawn<caf::detached>(storage, writer.release(), gate, std::move(publish), &counters,
                                                settings.storage.batch_writes_max);
  for (std::uint32_t i = 0; i < settings.storage.readers; ++i)
    readers.push_back(system->spawn<caf::detached>(reader, open_store({settings.database_url}).release(), &counters));
}

void server::house::start_directory() {
  job_surroundings job_around;
  job_around.options = {settings.throttle, settings.rate_limit.facts_per_second, settings.rate_limit.burst,
                        std::chrono::milliseconds{settings.job.linger_ms}, wall_clock_ms};
  job_around.storage = storage_writer;
  job_around.gate = gate;
  job_around.counters = &counters;

  auto shards = threads_or_cores(settings.scheduler_threads) * 2;
  std::vector<directory_actor> made;
  for (std::uint32_t i = 0; i < shards; ++i) {
    job_around.reader = readers[i % readers.size()];
    directory_factories factories;
    factories.job = [sys = system.get(), job_around](const std::string& id, const directory_actor& home) {
      auto around = job_around;
      around.ask_to_retire = [home, id](const caf::actor_addr& who) { caf::anon_send(home, retire_job{id, who}); };
      return sys->spawn(job, id, std::move(around));
    };
    factories.room = [sys = system.get(), from = job_around.reader, m = &counters,
                      replay_max = settings.recovery.events_max](const room_name& which, const directory_actor& home) {
      room_surroundings around;
      around.reader = from;
      around.ask_to_retire = [home, which](const caf::actor_addr& who) {
        caf::anon_send(home, retire_room{which, who});
      };
      around.counters = m;
      around.replay_max = replay_max;
      return sys->spawn(room, which, std::move(around));
    };
    made.push_back(system->spawn(headway::directory, std::move(factories), &counters));
  }
  directory = std::make_shared<const directory_shards>(std::move(made));
}

/// Who is let in.
void server::house::make_door() {
  admission_limits limits;
  limits.tcp_connections = settings.http.connections_max;
  limits.tcp_connections_per_address = settings.http.connections_per_address_max;
  limits.accepts_per_second = settings.http.accepts_per_second;
  limits.accepts_per_address_per_second = settings.http.accepts_per_address_per_second;
  limits.connections = settings.connections.total_max;
  limits.connections_per_address = settings.connections.per_address_max;
  limits.connections_per_user = settings.connections.per_user_max;
  limits.connections_per_second = settings.connections.per_second;
  limits.connections_per_address_per_second = settings.connections.per_address_per_second;
  limits.failed_logins_per_minute = settings.auth.failures_per_minute;
  door = std::make_unique<admission>(limits, trusted_proxies{settings.trusted_proxies}, counters);
}

std::shared_ptr<const watch_options> server::house::watchers_options() {
  auto options = std::make_shared<watch_options>();
  options->jwt.secret = settings.jwt_secret;
  options->jwt.leeway_s = settings.jwt.leeway_s;
  options->jwt.max_age_s = settings.jwt.max_age_s;
  options->jwt.token_bytes_max = settings.jwt.token_bytes_max;
  options->subscriptions_max = settings.subscriptions.per_connection_max;
  options->events_per_second = settings.socketio.events_per_second;
  options->events_burst = settings.socketio.events_burst;
  options->event_warnings = static_cast<int>(settings.socketio.event_warnings);
  options->queue_bytes_max = settings.queue.bytes_max;
  options->wall_clock = wall_clock_ms;
  options->admit_user = [at = door.get()](std::string_view user) { return at->admit_user(user); };
  options->may_log_in = [at = door.get()](std::string_view address) {
    return at->may_log_in(address, steady_time::clock::now());
  };
  options->login_failed = [at = door.get()](std::string_view address) {
    at->login_failed(address, steady_time::clock::now());
  };
  return options;
}

void server::house::set_transport_limits() {
  auto ms = [](std::uint32_t n) { return std::chrono::milliseconds{n}; };
  auto& limits = transport.limits;
  limits.head_bytes = settings.http.head_bytes_max;
  limits.head = {settings.http.headers_max, settings.http.target_bytes_max};
  limits.body_bytes = settings.http.body_bytes_max;
  limits.body_bytes_per_second = settings.http.body_bytes_per_second_min;
  limits.chunk_header_bytes = settings.http.chunk_header_bytes_max;
  limits.pipelined = settings.http.pipelined_max;
  limits.head_timeout = ms(settings.http.head_timeout_ms);
  limits.body_timeout = ms(settings.http.body_timeout_ms);
  limits.idle_timeout = ms(settings.http.idle_timeout_ms);
  limits.payload_bytes = settings.engineio.max_payload_bytes;
  limits.websocket = {settings.engineio.max_payload_bytes, settings.websocket.fragments_max,
                      settings.websocket.control_frames_per_second, settings.websocket.control_frames_burst};
  limits.handshake_timeout = ms(settings.websocket.handshake_timeout_ms);
  limits.close_timeout = ms(settings.websocket.close_timeout_ms);
  limits.stream_timeout = ms(settings.engineio.ping_interval_ms) + ms(settings.engineio.ping_timeout_ms);
  limits.queue_bytes = settings.queue.bytes_max;
}

void server::house::start_workers() {
  auto ms = [](std::uint32_t n) { return std::chrono::milliseconds{n}; };
  json_limits bounds;
  bounds.depth = settings.json.depth_max;
  bounds.members = settings.json.members_max;
  bounds.elements = settings.json.elements_max;
  bounds.string_bytes = settings.json.string_bytes_max;
  bounds.digits = settings.json.digits_max;
  engineio::session_options engine;
  engine.ping_interval = ms(settings.engineio.ping_interval_ms);
  engine.ping_timeout = ms(settings.engineio.ping_timeout_ms);
  engine.upgrade_timeout = ms(settings.engineio.upgrade_timeout_ms);
  engine.max_payload_bytes = settings.engineio.max_payload_bytes;
  engine.max_packets_in = settings.engineio.packets_per_post_max;
  socketio::session_options socketio;
  socketio.namespaces_max = settings.socketio.namespaces_per_connection_max;
  socketio.connect_timeout = ms(settings.engineio.connect_timeout_ms);
  socketio.attachments_timeout = ms(settings.socketio.attachments_timeout_ms);
  socketio.attachment_bytes_max = settings.engineio.max_payload_bytes;
  socketio.limits.attachments = settings.socketio.attachments_max;
  socketio.limits.event_name_bytes = settings.socketio.event_name_bytes_max;
  socketio.limits.arguments = settings.socketio.arguments_max;
  socketio.limits.json = bounds;
  plain_options plain;
  plain.json = bounds;
  plain.auth_timeout = socketio.connect_timeout;
  plain.ping_interval = engine.ping_interval;
  plain.ping_timeout = engine.ping_timeout;
  auto options = watchers_options();

  auto api_around = std::make_shared<api_surroundings>();
  api_around->jwt = options->jwt;
  api_around->json_bounds = bounds;
  api_around->body = {settings.job.message_bytes_max, settings.job.result_bytes_max};
  api_around->directory = directory;
  api_around->reader = readers.front();
  api_around->lanes = lanes;
  api_around->counters = &counters;
  api_around->wall_clock = wall_clock_ms;
  api_around->stopping = &transport.stopping;
  api_around->pages = built_in_pages();
  api_around->metrics_are_public = settings.metrics.is_public;
  api_around->version = HEADWAY_VERSION;
  if (settings.dev) {
    auto current = std::make_shared<demo_job_id>();
    demo = spawn_demo(*system, directory, current, wall_clock_ms);
    api_around->demo_session = [current, secret = settings.jwt_secret] {
      constexpr epoch_ms hour_s = 3600;
      json claims{{"sub", demo_user}, {"exp", wall_clock_ms() / 1000 + hour_s}};
      return json{{"token", sign_jwt(claims, secret)}, {"job_id", current->get()}};
    };
  }

  transport.system = system.get();
  transport.counters = &counters;
  transport.origins = origin_policy{settings.frontend_url};
  transport.engineio_paths = {settings.socketio.path};
  transport.plain_path = "/ws";
  transport.gate = door.get();
  set_transport_limits();
  for (std::size_t i = 0; i < io->size(); ++i) {
    auto& worker = *transport.workers.emplace_back(std::make_unique<transport_worker>());
    worker.server = &transport;
    worker.context = &io->context(i);
    worker.sessions = std::make_shared<session_table>();
    watch_surroundings watch;
    watch.options = options;
    watch.namespaces = namespaces;
    watch.directory = directory;
    watch.lane = lanes[i];
    watch.connections = connections.emplace_back(std::make_shared<connection_table>());
    watch.worker = &io->worker(i);
    watch.counters = &counters;
    engineio_surroundings around{engine, settings.queue.bytes_max, 0, worker.sessions, &io->worker(i), &counters};
    worker.open_engineio.emplace_back([sys = system.get(), around, make = socketio_watchers(socketio, watch)](
                                        handshake&& from, engineio::transport first) {
      return headway::open_engineio(*sys, around, std::move(from), first, make);
    });
    worker.open_plain = [sys = system.get(), plain, watch](handshake&& from) {
      return headway::open_plain(*sys, plain, watch, std::move(from));
    };
    api_worker here{watch, {ms(settings.sse.heartbeat_ms), ms(settings.sse.retry_ms)}, {}, &io->worker(i)};
    here.admit = [at = door.get()](std::string_view address) { return at->open(address, steady_time::clock::now()); };
    apis.push_back(spawn_api(*system, std::move(here), api_around));
    worker.api = [to = apis.back()](http_request&& request, const http_port_ptr& port) {
      caf::anon_send(to, http_call{std::move(request), port});
    };
  }
}

template <class Handles>
void server::house::stop_actors(const Handles& handles) {
  caf::scoped_actor self{*system};
  for (const auto& handle : handles)
    self->request(handle, caf::infinite, headway::stop{})
      .receive([](const headway::stopped&) {}, [](const caf::error&) {});
}

/// Connections are known on their workers only.
void server::house::release_watchers() {
  for (std::size_t i = 0; i < transport.workers.size(); ++i) {
    auto& worker = *transport.workers[i];
    std::promise<void> told;
    asio::post(*worker.context, [&, others = connections[i]] {
      for (const auto& [sid, session] : *worker.sessions)
        caf::anon_send(session.actor, release{});
      for (const auto& [address, connection] : *others)
        caf::anon_send(connection, release{});
      told.set_value();
    });
    told.get_future().wait();
  }
}

void server::house::stop() {
  if (std::exchange(stopped, true))
    return;
  log::info("server.stopping");
  watchdog patience{std::chrono::milliseconds{settings.shutdown.timeout_ms}};
  transport.stopping = true;
  if (doors)
    doors->stop();
  if (demo)
    caf::anon_send_exit(demo, caf::exit_reason::user_shutdown);
  demo = nullptr;
  if (directory)
    stop_actors(directory->all());
  if (storage_writer)
    stop_actors(std::vector{storage_writer});
  release_watchers();
  stop_actors(apis);
  stop_actors(readers);
  stop_actors(lanes);
  system->await_all_actors_done();
  if (io)
    io->stop();
  doors = nullptr;
  io.reset(); // with it go the connections that are still open, while what they refer to is there
  log::info("server.stopped");
}

server::server(const config& settings, const server_hooks& hooks) : house_{std::make_unique<house>(settings, hooks)} {}

server::~server() { stop(); }

std::uint16_t server::port() const { return house_->listening_port; }

const directory_shards& server::directory() const { return *house_->directory; }

caf::actor_system& server::system() { return *house_->system; }

void server::stop() { house_->stop(); }

} // namespace headway
