#include "net/protocol/engineio_session.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace headway::engineio {
namespace {

using namespace std::string_literals;

TEST(engineio_decode, a_packet_is_a_type_and_its_data) {
  auto p = decode_packet("4hello").value();
  EXPECT_EQ(p.type, packet_type::message);
  EXPECT_FALSE(p.is_binary);
  EXPECT_EQ(p.data, "hello");
  EXPECT_EQ(decode_packet("2probe").value().type, packet_type::ping);
  EXPECT_EQ(decode_packet("4").value().data, "");
}

TEST(engineio_decode, b_is_a_binary_message_in_base64) {
  auto p = decode_packet("bAQIDBA==").value();
  EXPECT_EQ(p.type, packet_type::message);
  EXPECT_TRUE(p.is_binary);
  EXPECT_EQ(p.data, "\x01\x02\x03\x04");
  EXPECT_EQ(decode_packet("b").value().data, "");
}

TEST(engineio_decode, empty_or_unknown_or_bad_base64_is_bad_request) {
  for (auto* text : {"", "7", "a", "9x", "/", " 4", "\x1e", "b*", "bAQIDBA", "b AQI"})
    EXPECT_EQ(decode_packet(text).error(), errc::bad_request) << text;
  EXPECT_FALSE(decode_packet("\0"s));
}

TEST(engineio_payload, packets_are_joined_by_1e) {
  auto packets = decode_payload("4hello\x1e"
                                "2\x1e"
                                "bAQIDBA==",
                                16)
                   .value();
  ASSERT_EQ(packets.size(), 3U);
  EXPECT_EQ(packets[0].data, "hello");
  EXPECT_EQ(packets[1].type, packet_type::ping);
  EXPECT_TRUE(packets[2].is_binary);
}

TEST(engineio_payload, empty_elements_are_bad_request) {
  for (auto* body : {"", "\x1e", "4a\x1e",
                     "\x1e"
                     "4a",
                     "4a\x1e\x1e"
                     "4b",
                     "4a\x1e"
                     "x"})
    EXPECT_EQ(decode_payload(body, 16).error(), errc::bad_request) << body;
}

TEST(engineio_payload, too_many_packets_are_payload_too_large) {
  std::string body = "4";
  for (int i = 1; i < 16; ++i)
    body += "\x1e"
            "4";
  EXPECT_EQ(decode_payload(body, 16).value().size(), 16U);
  EXPECT_EQ(decode_payload(body + "\x1e"
                                  "4",
                           16)
              .error(),
            errc::payload_too_large);
}

TEST(engineio_payload, text_is_utf8) {
  EXPECT_EQ(decode_payload("4aä€😀", 16).value().at(0).data, "aä€😀");
  for (auto* body : {"4\xff", "4a\xc3", "4\xed\xa0\x80",
                     "4a\x1e"
                     "4\x80"})
    EXPECT_EQ(decode_payload(body, 16).error(), errc::bad_request) << body;
}

TEST(engineio_payload, encodes_text_as_it_is_and_binary_in_base64) {
  std::vector frames{text_frame("4hello"), text_frame("2"), binary_frame("\x01\x02\x03\x04")};
  EXPECT_EQ(encode_payload(frames), "4hello\x1e"
                                    "2\x1e"
                                    "bAQIDBA==");
  EXPECT_EQ(encode_payload({}), "");
}

TEST(engineio_names, reasons_are_as_clients_and_logs_know_them) {
  for (auto& [reason, text] :
       std::map<close_reason, std::string_view>{{close_reason::none, "none"},
                                                {close_reason::transport_close, "transport close"},
                                                {close_reason::transport_error, "transport error"},
                                                {close_reason::ping_timeout, "ping timeout"},
                                                {close_reason::parse_error, "parse error"},
                                                {close_reason::forced_close, "forced close"},
                                                {close_reason::server_shutdown, "server shutting down"},
                                                {close_reason::slow_consumer, "slow consumer"}})
    EXPECT_EQ(to_string(reason), text);
}

TEST(engineio_names, every_fault_has_one_of_its_own) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(peer_fault::late_upgrade); ++i)
    EXPECT_TRUE(names.insert(to_string(static_cast<peer_fault>(i))).second) << i;
}

TEST(engineio_handshake, refusals_are_as_clients_know_them) {
  struct row {
    handshake_error error;
    int status;
    std::string body;
  };
  for (auto& [error, status, body] : std::vector<row>{
         {handshake_error::transport_unknown, 400, R"({"code":0,"message":"Transport unknown"})"},
         {handshake_error::session_unknown, 400, R"({"code":1,"message":"Session ID unknown"})"},
         {handshake_error::bad_handshake_method, 400, R"({"code":2,"message":"Bad handshake method"})"},
         {handshake_error::bad_request, 400, R"({"code":3,"message":"Bad request"})"},
         {handshake_error::forbidden, 403, R"({"code":4,"message":"Forbidden"})"},
         {handshake_error::unsupported_version, 400, R"({"code":5,"message":"Unsupported protocol version"})"}}) {
    auto answer = handshake_refusal(error);
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.body, body);
    EXPECT_EQ(answer.content_type, "application/json");
  }
}

} // namespace
} // namespace headway::engineio
