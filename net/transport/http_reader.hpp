// HTTP READER  reads requests off one socket, within limits and absolute deadlines.
//
//   socket --> head (raw: guard_head, then Beast's parser) --> body (Beast) --> on_request
//
// A deadline is set once a phase and not renewed by what arrives: a peer that sends byte by byte gains nothing.
#pragma once

#include "net/transport/server.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>

namespace headway {

struct read_request {
  http_request request;
  std::string head; ///< as bytes: an upgrade's handshake is made from it
  bool is_upgrade = false;
  bool keep_alive = true;
};

/// Who is told, and what owns the reader. Held while an operation is under way.
class http_reader_owner : public std::enable_shared_from_this<http_reader_owner> {
public:
  virtual ~http_reader_owner() = default;
  /// The head has come. `body_follows`: some of its body has not. @returns how large the body may be.
  virtual std::size_t on_head(const http_request& head, bool body_follows) = 0;
  virtual void on_request(read_request&& what) = 0;
  /// The head was read, the body will never be: its connection broke, or (`too_big`) it is larger than may be.
  virtual void on_broken(const http_request& head, bool too_big) = 0;
  /// What came is no request, or breaks a limit (then it is counted); nothing behind it can be read.
  /// `head`: as far as it is known.
  virtual void on_refused(errc why, const http_request& head) = 0;
  /// The peer sends no more: `half_closed` where it may still read.
  virtual void on_end(bool half_closed) = 0;
  /// While nothing has come of the next request: whether the peer is owed nothing, and may be let go after a while.
  virtual bool is_idle() const = 0;
};

class http_reader {
public:
  virtual ~http_reader() = default;
  /// Reads one request; tells the owner exactly one of its events, `on_head` aside, and not before this returns.
  virtual void read() = 0;
  /// Starts the time that an idle connection is kept, where no byte of the next request has come.
  virtual void limit_idle_time() = 0;
  virtual void stop() = 0;
  /// What was read behind the last request.
  virtual std::string take_rest() = 0;
  /// Bytes that another connection's reader left.
  virtual void put_back(std::string rest) = 0;
};

std::unique_ptr<http_reader> make_http_reader(boost::asio::ip::tcp::socket& socket, const transport_limits& limits,
                                              metrics& counters, http_reader_owner& owner);

} // namespace headway
