#include "net/protocol/frame.hpp"

#include <gtest/gtest.h>

namespace headway {
namespace {

std::string header_of(std::size_t payload_size) {
  auto f = text_frame(std::string(payload_size, 'x'));
  EXPECT_EQ(f->payload(), std::string(payload_size, 'x'));
  EXPECT_EQ(f->size(), f->websocket_bytes().size());
  return std::string{f->websocket_bytes().substr(0, f->size() - payload_size)};
}

using namespace std::string_literals;

TEST(frame, header_has_the_shortest_length_rfc_6455_allows) {
  EXPECT_EQ(header_of(0), "\x81\x00"s);
  EXPECT_EQ(header_of(125), "\x81\x7d"s);
  EXPECT_EQ(header_of(126), "\x81\x7e\x00\x7e"s);
  EXPECT_EQ(header_of(65'535), "\x81\x7e\xff\xff"s);
  EXPECT_EQ(header_of(65'536), "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
}

TEST(frame, knows_text_from_binary) {
  EXPECT_FALSE(text_frame("a")->is_binary());
  auto binary = binary_frame("\x00\x01"s);
  EXPECT_TRUE(binary->is_binary());
  EXPECT_EQ(binary->websocket_bytes(), "\x82\x02\x00\x01"s);
  EXPECT_EQ(binary->payload(), "\x00\x01"s);
}

} // namespace
} // namespace headway
