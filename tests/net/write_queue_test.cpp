#include "net/transport/write_queue.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

namespace headway {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

/// A connection whose far end reads when the test says so.
class write_queue_test : public testing::Test {
protected:
  void SetUp() override {
    tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    far.connect(acceptor.local_endpoint());
    acceptor.accept(near);
    near.non_blocking(true);
    near.set_option(asio::socket_base::send_buffer_size{4096});
    queue = std::make_shared<write_queue>(near, counters, [this] { failed = true; });
  }

  /// Until the socket takes no more; the last frame is then written in part.
  void fill() {
    while (queue->bytes() == 0) {
      queue->push(text_frame(std::string(100'000, 'd')));
      queue->flush();
      ++big_frames;
    }
  }

  /// Everything, up to `bytes`.
  std::string read(std::size_t bytes) {
    std::string got;
    std::array<char, 65'536> some{};
    while (got.size() < bytes) {
      got.append(some.data(), far.read_some(asio::buffer(some)));
      context.restart();
      context.poll(); // the queue writes on
    }
    return got;
  }

  metrics counters;
  asio::io_context context;
  tcp::socket near{context}, far{context};
  std::shared_ptr<write_queue> queue;
  std::size_t big_frames = 0;
  bool failed = false;
};

TEST_F(write_queue_test, what_goes_first_passes_all_that_waits_but_never_into_a_frame) {
  fill();
  auto big = text_frame(std::string(100'000, 'd'));
  queue->push(text_frame("data"));
  queue->push_front(text_frame("2"));
  queue->flush();
  std::string expected;
  for (std::size_t i = 0; i < big_frames; ++i)
    expected += big->websocket_bytes();
  expected += text_frame("2")->websocket_bytes();
  expected += text_frame("data")->websocket_bytes();
  EXPECT_TRUE(read(expected.size()) == expected) << "order or framing is broken";
  EXPECT_EQ(queue->bytes(), 0U);
}

TEST_F(write_queue_test, tells_when_nothing_waits_any_more) {
  auto told = false;
  fill();
  queue->when_empty([&told] { told = true; });
  EXPECT_FALSE(told);
  read(big_frames * text_frame(std::string(100'000, 'd'))->size());
  EXPECT_TRUE(told);
}

TEST_F(write_queue_test, a_piece_of_a_stream_goes_without_a_header) {
  queue->push_payload(text_frame("data: 1\n\n"));
  queue->flush();
  EXPECT_EQ(read(9), "data: 1\n\n");
}

TEST_F(write_queue_test, a_peer_that_is_gone_is_told_once_and_nothing_is_kept) {
  far.set_option(asio::socket_base::linger{true, 0});
  far.close();
  for (int i = 0; i < 3; ++i) {
    queue->push(text_frame(std::string(1000, 'x')));
    queue->flush();
  }
  EXPECT_TRUE(failed);
  EXPECT_EQ(queue->bytes(), 0U);
}

} // namespace

} // namespace headway
