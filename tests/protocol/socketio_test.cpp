#include "net/protocol/socketio.hpp"

#include <gtest/gtest.h>

namespace headway::socketio {
namespace {

TEST(socketio_decode, takes_what_the_protocol_text_shows) {
  struct row {
    std::string text;
    packet_type type;
    std::string nsp;
    std::optional<std::uint64_t> ack_id;
    std::string data; // empty: none
  };
  for (auto& [text, type, nsp, ack_id, data] : std::vector<row>{
         {"0", packet_type::connect, "/", {}, ""},
         {"0{}", packet_type::connect, "/", {}, "{}"},
         {R"(0{"token":"t"})", packet_type::connect, "/", {}, R"({"token":"t"})"},
         {R"(0/admin,{"token":"t"})", packet_type::connect, "/admin", {}, R"({"token":"t"})"},
         {"0/custom", packet_type::connect, "/custom", {}, ""},
         {"0/custom,", packet_type::connect, "/custom", {}, ""},
         {"0/custom?x=1", packet_type::connect, "/custom?x=1", {}, ""},
         {"0/a b", packet_type::connect, "/a b", {}, ""},
         {"0/äöü,{}", packet_type::connect, "/äöü", {}, "{}"},
         {"0/,{}", packet_type::connect, "/", {}, "{}"},
         {"1", packet_type::disconnect, "/", {}, ""},
         {"1/admin,", packet_type::disconnect, "/admin", {}, ""},
         {R"(2["ev",1])", packet_type::event, "/", {}, R"(["ev",1])"},
         {R"(2["ev"])", packet_type::event, "/", {}, R"(["ev"])"},
         {R"(2[7,"x"])", packet_type::event, "/", {}, R"([7,"x"])"},
         {R"(2/admin,12["ev",1])", packet_type::event, "/admin", 12, R"(["ev",1])"},
         {R"(20["ev"])", packet_type::event, "/", 0, R"(["ev"])"},
         {R"(2999999999999999["ev"])", packet_type::event, "/", 999'999'999'999'999, R"(["ev"])"},
         {R"(312["result"])", packet_type::ack, "/", 12, R"(["result"])"},
         {"3/admin,12[]", packet_type::ack, "/admin", 12, "[]"},
         {R"(4{"message":"no"})", packet_type::connect_error, "/", {}, R"({"message":"no"})"},
         {R"(4"no")", packet_type::connect_error, "/", {}, R"("no")"},
         {R"(2["ev",{"_placeholder":true,"num":9}])",
          packet_type::event,
          "/",
          {},
          R"(["ev",{"_placeholder":true,"num":9}])"},
       }) {
    auto p = decode(text);
    ASSERT_TRUE(p) << text;
    EXPECT_EQ(p->type, type) << text;
    EXPECT_EQ(p->nsp, nsp) << text;
    EXPECT_EQ(p->ack_id, ack_id) << text;
    const auto& decoded = p->data;
    EXPECT_EQ(decoded ? dump_json(*decoded) : "", data) << text;
    EXPECT_EQ(p->attachments, 0U) << text;
  }
}

TEST(socketio_decode, takes_binary_packets) {
  auto event = decode(R"(51-["up",{"_placeholder":true,"num":0}])").value();
  EXPECT_EQ(event.type, packet_type::binary_event);
  EXPECT_EQ(event.attachments, 1U);
  auto ack = decode(R"(62-/admin,12[{"_placeholder":true,"num":1},{"_placeholder":true,"num":1}])").value();
  EXPECT_EQ(ack.type, packet_type::binary_ack);
  EXPECT_EQ(ack.attachments, 2U);
  EXPECT_EQ(ack.ack_id, 12U);
  EXPECT_TRUE(decode(R"(54-["unused"])"));
}

TEST(socketio_decode, refuses_what_is_malformed) {
  for (auto* text : {
         "",
         "7",
         "9",
         "a",
         " 0",
         "abc",
         "/",
         // CONNECT: an object or nothing
         "0null",
         "0[]",
         R"(0"x")",
         "012",
         "0{}x",
         "0{",
         R"(012{"a":1})",
         // DISCONNECT: nothing
         "1{}",
         "1[]",
         "1null",
         "15",
         // EVENT: an array with a name that is not reserved
         "2",
         "2{}",
         "2[]",
         "2null",
         "2[null]",
         "2[{}]",
         "2[[]]",
         "2[true]",
         R"(2"ev")",
         R"(2["ev"]x)",
         R"(2["ev")",
         R"(2abc["ev"])",
         R"(2["connect"])",
         R"(2["connect_error"])",
         R"(2["disconnect"])",
         R"(2["disconnecting"])",
         R"(2["newListener"])",
         R"(2["removeListener"])",
         R"(2-1["ev"])",
         R"(2["ev",1,2,3,4,5])",
         // ack ids
         R"(21234567890123456["ev"])",
         R"(2 1["ev"])",
         R"(2+1["ev"])",
         // ACK: an id and an array
         "3",
         "31",
         "3[]",
         "31{}",
         "31null",
         "3/admin,[]",
         "31[1,2,3,4,5]",
         // CONNECT_ERROR: an object or a text
         "4",
         "4[]",
         "4null",
         "41",
         // binary: a count within its cap, and placeholders within the count
         R"(5["ev"])",
         R"(5-["ev"])",
         R"(50-["ev"])",
         R"(55-["ev"])",
         R"(599999999999999999999999-["ev"])",
         R"(51["ev"])",
         R"(5-1-["ev"])",
         R"(5x-["ev"])",
         R"(51-)",
         R"(51-{})",
         R"(61-["no id"])",
         R"(51-["up",{"_placeholder":true,"num":1}])",
         R"(51-["up",{"_placeholder":true,"num":-1}])",
         R"(51-["up",{"_placeholder":true,"num":"0"}])",
         R"(51-["up",{"_placeholder":true,"num":0.5}])",
         R"(51-["up",{"_placeholder":true}])",
         R"(51-["up",[{"a":{"_placeholder":true,"num":7}}]])",
         // namespaces
         "0/\x01",
         "0/a\nb",
         "0/\x7f",
         "0/\x1e",
         "0/\xff",
         "0/\xc3,",
       })
    EXPECT_FALSE(decode(text)) << text;
}

TEST(socketio_decode, bounds_names) {
  EXPECT_TRUE(decode("0/" + std::string(63, 'n')));
  EXPECT_FALSE(decode("0/" + std::string(64, 'n')));
  EXPECT_TRUE(decode(R"(2[")" + std::string(64, 'n') + R"("])"));
  EXPECT_FALSE(decode(R"(2[")" + std::string(65, 'n') + R"("])"));
}

TEST(socketio_decode, bounds_what_the_application_wants_bounded) {
  codec_limits wide;
  wide.attachments = 10;
  wide.arguments = 20;
  wide.event_name_bytes = 3;
  EXPECT_TRUE(decode(R"(510-["ev"])", wide));
  EXPECT_FALSE(decode(R"(511-["ev"])", wide));
  EXPECT_FALSE(decode(R"(55-["ev"])")); // four by default
  std::string twenty = "0";
  for (int i = 1; i < 20; ++i)
    twenty += ",0";
  EXPECT_TRUE(decode("2[\"ev\"," + twenty + "]", wide));
  EXPECT_FALSE(decode("2[\"ev\",0," + twenty + "]", wide));
  EXPECT_TRUE(decode("31[" + twenty + "]", wide));
  EXPECT_FALSE(decode("31[0," + twenty + "]", wide));
  EXPECT_FALSE(decode(R"(2["four"])", wide));
}

TEST(socketio_decode, leaves_the_size_of_auth_to_the_payload_limit) {
  std::string text = "0{";
  for (int i = 0; i < 15; ++i)
    text += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":\"" + std::string(60'000, 'x') + '"';
  EXPECT_EQ(decode(text + '}').value().data.value().size(), 15U);
}

TEST(socketio_decode, bounds_depth) {
  auto nested = [](std::size_t depth) {
    return R"(2["ev",)" + std::string(depth, '[') + std::string(depth, ']') + "]";
  };
  EXPECT_TRUE(decode(nested(31)));
  EXPECT_EQ(decode(nested(32)).error(), errc::json_limit);
  EXPECT_EQ(decode(nested(100'000)).error(), errc::json_limit);
  EXPECT_EQ(decode(R"(51-["ev",)" + std::string(100'000, '[')).error(), errc::json_limit);
}

TEST(socketio_decode, says_what_is_wrong_with_the_json) {
  EXPECT_EQ(decode(R"(2["ev",1e999])").error(), errc::bad_json);
  EXPECT_EQ(decode("2[\"ev\",\"\xff\"]").error(), errc::bad_json);
  EXPECT_EQ(decode("2[]").error(), errc::bad_request);
}

TEST(socketio_decode, takes_names_that_only_look_special) {
  for (auto* name : {"error", "message", "ping", "pong", "connection", "connected", "reconnect", "auth", ""})
    EXPECT_TRUE(decode(R"(2[")" + std::string{name} + R"("])")) << name;
}

TEST(socketio_encode, gives_back_what_it_decoded_byte_for_byte) {
  for (auto* text :
       {"0", R"(0{"sid":"S"})", R"(0/admin,{"z":1,"a":2})", "1", "1/admin,", R"(2["message-back",1,"2",{"3":[true]}])",
        R"(2/admin,12["ev",1.5,null,"äö€😀\u001e\n\"\\"])", R"(20["ev",18446744073709551615,-1])", R"(312["result"])",
        "3/admin,12[]", R"(4{"message":"no","data":{"code":7}})",
        R"(52-["up",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])",
        R"(61-/admin,12[{"_placeholder":true,"num":0}])"})
    EXPECT_EQ(encode(decode(text).value()), text);
}

TEST(socketio_encode, replaces_what_is_no_utf8) {
  packet p;
  p.nsp = "/a\xff\x1e";
  p.data = json::array({"ev", "\xff"});
  EXPECT_EQ(encode(p), "2/a??,[\"ev\",\"\xef\xbf\xbd\"]");
  p.nsp = "/ä";
  EXPECT_EQ(encode(p), "2/ä,[\"ev\",\"\xef\xbf\xbd\"]");
}

TEST(socketio_encode, keeps_numbers_as_they_came) {
  for (auto* text : {R"(2["ev",0,-1,42,9007199254740993])", R"(2["ev",18446744073709551615,-9223372036854775808])",
                     R"(2["ev",0.1,-2.5,1e+21,0.30000000000000004])", R"(2[7,"numeric name"])"})
    EXPECT_EQ(encode(decode(text).value()), text);
  // Another spelling of the same double.
  EXPECT_EQ(encode(decode(R"(2["ev",1e2,1.50])").value()), R"(2["ev",100.0,1.5])");
}

TEST(socketio_encode, never_lets_the_polling_separator_out) {
  EXPECT_EQ(encode(decode(R"(2["ev","\u001e"])").value()).find('\x1e'), std::string::npos);
}

} // namespace
} // namespace headway::socketio
