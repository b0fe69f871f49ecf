// What the actors know of transports. Every object here belongs to one I/O worker and is used on its thread only.
#pragma once

#include "net/protocol/frame.hpp"
#include "net/protocol/http.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace headway {

/// A connection's way out, whatever its transport: its actor and its lane both write to it.
class outbound {
public:
  virtual ~outbound() = default;
  /// Queues. Dropped when the connection is closing.
  virtual void send(const frame_ptr& packet) = 0;
  /// Hands what is queued to the transport, in one go.
  virtual void flush() = 0;
  /// The last event of a job has been sent: more may only come of other jobs.
  virtual void job_ended() {}
};
using outbound_ptr = std::shared_ptr<outbound>;

/// An open WebSocket.
class websocket_port {
public:
  virtual ~websocket_port() = default;
  /// Queues; written by `flush`, all that is queued in one gather-write.
  virtual void send(const frame_ptr& packet) = 0;
  /// The same, in front of what is queued.
  virtual void send_first(const frame_ptr& packet) = 0;
  virtual void flush() = 0;
  /// After what is queued. Code 0: a close frame without a status.
  virtual void close(std::uint16_t code) = 0;
  /// A WebSocket ping, in front of what is queued. Clients answer it by themselves.
  virtual void ping() = 0;
  /// At once: the peer is not there.
  virtual void cut() = 0;
  virtual std::size_t queued_bytes() const = 0;
};
using websocket_port_ptr = std::shared_ptr<websocket_port>;

/// An answer without an end: what is sent is the body, piece by piece.
class stream_port {
public:
  virtual ~stream_port() = default;
  /// Queues the payload; written by `flush`.
  virtual void send(const frame_ptr& piece) = 0;
  virtual void flush() = 0;
  /// After what is queued.
  virtual void close() = 0;
  virtual std::size_t queued_bytes() const = 0;
};
using stream_port_ptr = std::shared_ptr<stream_port>;

/// A request that waits for its answer. Destroyed unanswered, it answers with an error of its own.
class http_port {
public:
  virtual ~http_port() = default;
  /// Once; later calls do nothing.
  virtual void answer(http_answer&& a) = 0;
  /// The answer's head, without a body; the rest goes to the port that comes back, until the connection ends.
  /// `on_end`: the peer went away. On the request's I/O worker only. @returns none where other requests were sent
  /// along: then it is still to be answered.
  virtual stream_port_ptr stream(http_answer&& head, std::function<void()> on_end) = 0;
};
using http_port_ptr = std::shared_ptr<http_port>;

} // namespace headway
