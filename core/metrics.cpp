#include "core/metrics.hpp"

#include <prometheus/text_serializer.h>

namespace headway {

namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

auto& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

auto& gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

auto& histogram(prometheus::Registry& registry, const char* name, const char* help, const std::vector<double>& bounds) {
  return BuildHistogram().Name(name).Help(help).Register(registry).Add({}, bounds);
}

} // namespace

metrics::metrics()
  : ingest_requests_{BuildCounter()
                       .Name("headway_ingest_requests_total")
                       .Help("Answers to workers, by HTTP status")
                       .Register(registry_)},
    disconnects_{
      BuildCounter().Name("headway_disconnects_total").Help("Connections ended, by reason").Register(registry_)},
    refused_{BuildCounter()
               .Name("headway_refused_total")
               .Help("Connections, sessions and logins not let in, by reason")
               .Register(registry_)},
    limit_exceeded_{BuildCounter()
                      .Name("headway_limit_exceeded_total")
                      .Help("What peers sent beyond a limit, by the limit's setting")
                      .Register(registry_)},
    dropped_events_{BuildCounter()
                      .Name("headway_dropped_events_total")
                      .Help("Events of clients that were dropped, by reason")
                      .Register(registry_)},
    connections_{
      BuildGauge().Name("headway_connections").Help("Watchers' connections, by transport").Register(registry_)},
    connections_websocket{connections_.Add({{"transport", "websocket"}})},
    connections_polling{connections_.Add({{"transport", "polling"}})},
    connections_plain{connections_.Add({{"transport", "plain_websocket"}})},
    connections_sse{connections_.Add({{"transport", "sse"}})},
    http_connections{gauge(registry_, "headway_http_connections", "Open TCP connections that speak HTTP")},
    accept_failures{counter(registry_, "headway_accept_failures_total", "Connections that could not be accepted")},
    connects{counter(registry_, "headway_connects_total", "Accepted Socket.IO CONNECTs")},
    auth_failures{counter(registry_, "headway_auth_failures_total", "Tokens and keys refused")},
    rooms{gauge(registry_, "headway_rooms", "Rooms with members")},
    subscriptions{gauge(registry_, "headway_subscriptions", "Memberships of connections in rooms")},
    jobs_live{gauge(registry_, "headway_jobs_live", "Job actors in memory")},
    commits{counter(registry_, "headway_commits_total", "Commits of the store")},
    commit_failures{counter(registry_, "headway_commit_failures_total", "Commits that the store refused or lost")},
    events_committed{counter(registry_, "headway_events_committed_total", "Events written to the log")},
    commit_batch_size{histogram(registry_, "headway_commit_batch_size", "Updates in one commit",
                                {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024})},
    commit_seconds{histogram(registry_, "headway_commit_seconds", "Duration of one commit",
                             {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5})},
    ticks_merged{
      counter(registry_, "headway_events_coalesced_total", "Ticks replaced by a later one before their commit")},
    rate_limited{counter(registry_, "headway_rate_limited_total", "Updates refused by a job's rate limit")},
    events_delivered{counter(registry_, "headway_events_delivered_total", "Events handed to a watcher's connection")},
    send_queue_bytes{gauge(registry_, "headway_send_queue_bytes", "Bytes waiting in outbound queues")},
    actors{gauge(registry_, "headway_actors", "Actors that run")},
    actors_lost{gauge(registry_, "headway_actors_lost", "Actors that ended by an exception; stays 0")},
    handler_exceptions{
      counter(registry_, "headway_handler_exceptions_total", "Exceptions that reached an I/O thread; stays 0")} {}

std::string metrics::render() const { return prometheus::TextSerializer{}.Serialize(registry_.Collect()); }

prometheus::Counter& metrics::ingest_requests(int http_status) {
  return ingest_requests_.Add({{"code", std::to_string(http_status)}});
}

prometheus::Counter& metrics::disconnects(const std::string& reason) { return disconnects_.Add({{"reason", reason}}); }

prometheus::Counter& metrics::refused(const std::string& reason) { return refused_.Add({{"reason", reason}}); }

prometheus::Counter& metrics::limit_exceeded(const std::string& limit) {
  return limit_exceeded_.Add({{"limit", limit}});
}

prometheus::Counter& metrics::dropped_events(const std::string& reason) {
  return dropped_events_.Add({{"reason", reason}});
}

} // namespace headway
