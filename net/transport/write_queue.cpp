#include "net/transport/write_queue.hpp"

#include <boost/asio/buffer.hpp>

#include <array>
#include <span>

namespace headway {

namespace asio = boost::asio;

void write_queue::push(frame_ptr frame) {
  if (stopped_)
    return;
  bytes_ += frame->size();
  items_.push_back({std::move(frame), {}, false});
}

void write_queue::push_front(frame_ptr frame) { insert_first({std::move(frame), {}, false}); }

void write_queue::push_front_bytes(std::string bytes) { insert_first({nullptr, std::move(bytes), false}); }

/// Never into the middle of a frame.
void write_queue::insert_first(item one) {
  if (stopped_)
    return;
  bytes_ += one.view().size();
  items_.insert(items_.begin() + (written_of_first_ > 0 ? 1 : 0), std::move(one));
}

void write_queue::push_payload(frame_ptr frame) {
  if (stopped_)
    return;
  bytes_ += frame->payload().size();
  items_.push_back({std::move(frame), {}, true});
}

void write_queue::when_empty(std::function<void()> then) {
  on_empty_ = std::move(then);
  tell_if_empty();
}

void write_queue::tell_if_empty() {
  if (items_.empty() && !stopped_ && on_empty_)
    std::exchange(on_empty_, nullptr)();
}

void write_queue::push_bytes(std::string bytes) {
  if (stopped_)
    return;
  bytes_ += bytes.size();
  items_.push_back({nullptr, std::move(bytes), false});
}

write_queue::~write_queue() {
  bytes_ = 0;
  report_bytes();
}

void write_queue::flush() {
  if (!waiting_ && !stopped_)
    write_some();
  report_bytes();
  tell_if_empty();
}

void write_queue::report_bytes() {
  if (bytes_ != reported_bytes_)
    counters_.send_queue_bytes.Increment(static_cast<double>(bytes_) - static_cast<double>(reported_bytes_));
  reported_bytes_ = bytes_;
}

void write_queue::stop() {
  stopped_ = true;
  items_.clear();
  bytes_ = 0;
  written_of_first_ = 0;
  report_bytes();
}

void write_queue::write_some() {
  constexpr std::size_t buffers_at_once = 64;
  while (!items_.empty() && !stopped_) {
    std::array<asio::const_buffer, buffers_at_once> buffers;
    std::size_t count = 0;
    for (const auto& one : items_) {
      auto view = one.view();
      if (count == 0)
        view.remove_prefix(written_of_first_);
      buffers[count++] = asio::buffer(view.data(), view.size());
      if (count == buffers_at_once)
        break;
    }
    boost::system::error_code failed;
    auto n = socket_.write_some(std::span{buffers.data(), count}, failed);
    if (failed == asio::error::would_block || failed == asio::error::try_again) {
      waiting_ = true;
      socket_.async_wait(asio::socket_base::wait_write, [self = shared_from_this()](boost::system::error_code error) {
        self->waiting_ = false;
        if (!error)
          self->flush();
      });
      return;
    }
    if (failed) {
      stop();
      if (auto tell = std::exchange(on_error_, nullptr))
        tell();
      return;
    }
    consume(n);
  }
}

void write_queue::consume(std::size_t n) {
  bytes_ -= n;
  n += written_of_first_;
  while (!items_.empty() && n >= items_.front().view().size()) {
    n -= items_.front().view().size();
    items_.pop_front();
  }
  written_of_first_ = n;
}

} // namespace headway
