// WRITE QUEUE  what waits for one socket, written in gather-writes.
//
// Whole frames from lanes and what Beast writes itself (handshake, pong, close) go through the same queue, so frames
// never interleave; shared frames are not copied.
#pragma once

#include "core/metrics.hpp"
#include "net/protocol/frame.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace headway {

/// Where bytes go that nobody wants: what a peer sends on while we wait for its end.
inline boost::asio::mutable_buffer discard_buffer() {
  static thread_local std::array<char, 4096> unread;
  return boost::asio::buffer(unread);
}

class write_queue : public std::enable_shared_from_this<write_queue> {
public:
  /// `on_error` is called once when the socket takes no more.
  write_queue(boost::asio::ip::tcp::socket& socket, metrics& m, std::function<void()> on_error)
    : socket_{socket}, counters_{m}, on_error_{std::move(on_error)} {}
  ~write_queue();

  void push(frame_ptr frame);
  /// In front of all that is not being written yet: a heartbeat must not wait behind data.
  void push_front(frame_ptr frame);
  void push_front_bytes(std::string bytes);
  /// Without its WebSocket header.
  void push_payload(frame_ptr frame);
  void push_bytes(std::string bytes);
  /// Writes as much as the socket takes now, the rest when it can.
  void flush();
  /// Calls once, when nothing waits any more; at once where nothing does.
  void when_empty(std::function<void()> then);
  /// Forgets what waits; nothing is written any more.
  void stop();
  std::size_t bytes() const { return bytes_; }

private:
  struct item {
    frame_ptr frame; ///< or else:
    std::string own;
    bool payload_only = false;
    std::string_view view() const {
      if (!frame)
        return own;
      return payload_only ? frame->payload() : frame->websocket_bytes();
    }
  };
  void insert_first(item one);
  void write_some();
  void consume(std::size_t n);

  void report_bytes();
  void tell_if_empty();

  boost::asio::ip::tcp::socket& socket_;
  metrics& counters_;
  std::function<void()> on_error_;
  std::function<void()> on_empty_;
  std::deque<item> items_;
  std::size_t written_of_first_ = 0;
  std::size_t bytes_ = 0;
  std::size_t reported_bytes_ = 0; ///< to the gauge, once a flush
  bool waiting_ = false;
  bool stopped_ = false;
};

} // namespace headway
