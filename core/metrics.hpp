// Metrics, one member each; `render()` gives them in Prometheus' text format. Safe to use from any thread.
// Labels come from fixed lists of ours, never from a peer: no ids, no addresses, no names of events.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>

namespace headway {

class metrics {
public:
  metrics();

  std::string render() const;

  /// headway_ingest_requests_total{code="200"}
  prometheus::Counter& ingest_requests(int http_status);
  /// headway_disconnects_total{reason="ping timeout"}; reasons come from a fixed list, never from a peer.
  prometheus::Counter& disconnects(const std::string& reason);
  /// headway_refused_total{reason="connections_per_address"}: who was not let in; see net/transport/admission.hpp.
  prometheus::Counter& refused(const std::string& reason);
  /// headway_limit_exceeded_total{limit="http.head_bytes_max"}: the limit by its setting's name.
  prometheus::Counter& limit_exceeded(const std::string& limit);
  /// headway_dropped_events_total{reason="unknown_event"}: what clients sent and nobody asked for.
  prometheus::Counter& dropped_events(const std::string& reason);

private:
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& ingest_requests_;
  prometheus::Family<prometheus::Counter>& disconnects_;
  prometheus::Family<prometheus::Counter>& refused_;
  prometheus::Family<prometheus::Counter>& limit_exceeded_;
  prometheus::Family<prometheus::Counter>& dropped_events_;
  prometheus::Family<prometheus::Gauge>& connections_;

public:
  prometheus::Gauge& connections_websocket; ///< Engine.IO sessions whose transport is WebSocket
  prometheus::Gauge& connections_polling;   ///< Engine.IO sessions whose transport is long-polling
  prometheus::Gauge& connections_plain;     ///< plain WebSockets
  prometheus::Gauge& connections_sse;       ///< Server-Sent Events
  prometheus::Gauge& http_connections;
  prometheus::Counter& accept_failures; ///< out of descriptors, say
  prometheus::Counter& connects;
  prometheus::Counter& auth_failures;
  prometheus::Gauge& rooms;
  prometheus::Gauge& subscriptions;
  prometheus::Gauge& jobs_live; ///< job actors
  prometheus::Counter& commits;
  prometheus::Counter& commit_failures;
  prometheus::Counter& events_committed;
  prometheus::Histogram& commit_batch_size; ///< updates in a commit
  prometheus::Histogram& commit_seconds;
  prometheus::Counter& ticks_merged;
  prometheus::Counter& rate_limited;
  prometheus::Counter& events_delivered;
  prometheus::Gauge& send_queue_bytes;     ///< what waits in all outbound queues
  prometheus::Gauge& actors;               ///< actors that run; set by whoever asks the actor system
  prometheus::Gauge& actors_lost;          ///< actors that ended by an exception; stays 0
  prometheus::Counter& handler_exceptions; ///< exceptions that reached an I/O thread; stays 0
};

} // namespace headway
