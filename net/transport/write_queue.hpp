// WRITE QUEUE  what waits for one socket, written in gather-writes.
//
// Whole frames from lanes and what Beast writes itself (handshake, pong, close) go through the same queue, so frames
// never interleave; shared frames are not copied.
#pragma once

#include "core/metrics.hpp"
#include "net/protocol/frame.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace headway {

class write_queue : public std::enable_shared_from_this<write_queue> {
public:
  /// `on_error` is called once when the socket takes no more.
  write_queue(boost::asio::ip::tcp::socket& socket, metrics& m, std::function<void()> on_error)
    : socket_{socket}, counters_{m}, on_error_{std::move(on_error)} {}
  ~write_queue();

  void push(frame_ptr frame);
  void push_bytes(std::string bytes);
  /// Writes as much as the socket takes now, the rest when it can.
  void flush();
  /// Forgets what waits; nothing is written any more.
  void stop();
  std::size_t bytes() const { return bytes_; }

private:
  struct item {
    frame_ptr frame; ///< or else:
    std::string own;
    std::string_view view() const { return frame ? frame->websocket_bytes() : std::string_view{own}; }
  };
  void write_some();
  void consume(std::size_t n);

  void report_bytes();

  boost::asio::ip::tcp::socket& socket_;
  metrics& counters_;
  std::function<void()> on_error_;
  std::deque<item> items_;
  std::size_t written_of_first_ = 0;
  std::size_t bytes_ = 0;
  std::size_t reported_bytes_ = 0; ///< to the gauge, once a flush
  bool waiting_ = false;
  bool stopped_ = false;
};

} // namespace headway
