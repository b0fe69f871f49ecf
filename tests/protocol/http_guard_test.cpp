#include "net/protocol/http_guard.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace headway {
namespace {

using namespace std::string_literals;

/// A GET with a Host and these header lines, each with its CRLF.
std::string get_with(const std::string& headers) { return "GET / HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n"; }
std::string post_with(const std::string& headers) { return "POST /jobs HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n"; }
/// A request line alone on top of a Host.
std::string line(const std::string& request_line) { return request_line + "\r\nHost: a\r\n\r\n"; }

std::string repeat(const std::string& part, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i)
    out += part;
  return out;
}

errc error_of(std::string_view head, const head_limits& limits = {}) {
  auto passed = guard_head(head, limits);
  return passed ? errc{} : passed.error();
}

struct row {
  std::string name;
  std::string head;
  errc wanted = errc::bad_request;
};

void check(const std::vector<row>& table) {
  for (auto& [name, head, wanted] : table)
    EXPECT_EQ(error_of(head), wanted) << name;
}

TEST(http_guard, a_head_is_whole_and_nothing_but_a_head) {
  check({
    {"nothing", ""},
    {"an empty line", "\r\n\r\n"},
    {"no empty line", "GET / HTTP/1.1\r\nHost: a\r\n"},
    {"cut in the last CRLF", "GET / HTTP/1.1\r\nHost: a\r\n\r"},
    {"an empty line before the request line", "\r\n" + get_with("")},
    {"two heads", get_with("") + get_with("")},
    {"a body behind", get_with("") + "x"},
    {"a body that ends like a head", get_with("") + "x\r\n\r\n"},
    {"a third CRLF", get_with("") + "\r\n"},
    {"lines that end in LF", "GET / HTTP/1.1\nHost: a\n\n"},
    {"one line that ends in LF", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
    {"a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n"s},
  });
}

TEST(http_guard, the_request_line_is_three_parts_with_one_blank_between) {
  check({
    {"no target", line("GET HTTP/1.1")},
    {"no version", line("GET /")},
    {"a method alone", line("GET")},
    {"HTTP/0.9", line("GET /") + "\r\n"},
    {"two blanks before the target", line("GET  / HTTP/1.1")},
    {"two blanks behind the target", line("GET /  HTTP/1.1")},
    {"a tab", line("GET\t/ HTTP/1.1")},
    {"a tab before the version", line("GET /\tHTTP/1.1")},
    {"a blank in front", line(" GET / HTTP/1.1")},
    {"a blank at the end", line("GET / HTTP/1.1 ")},
    {"four parts", line("GET / /x HTTP/1.1")},
    {"a version in the target", line("GET / HTTP/1.1 HTTP/1.1")},
    {"HTTP/2", line("GET / HTTP/2.0")},
    {"HTTP/1.2", line("GET / HTTP/1.2")},
    {"HTTP/1.10", line("GET / HTTP/1.10")},
    {"HTTP/01.1", line("GET / HTTP/01.1")},
    {"a small http", line("GET / http/1.1")},
    {"another protocol", line("GET / RTSP/1.0")},
    {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n"},
    {"a method in quotes", line("\"GET\" / HTTP/1.1")},
    {"a method with a colon", line("GET: / HTTP/1.1")},
    {"a method with a control", line("GE\x01T / HTTP/1.1")},
    {"a method beyond ASCII", line("G\xc3\x89T / HTTP/1.1")},
    {"an empty method", line(" / HTTP/1.1")},
    {"a method of 33 characters", line(std::string(33, 'A') + " / HTTP/1.1")},
  });
  EXPECT_EQ(error_of(line(std::string(32, 'A') + " / HTTP/1.1")), errc{});
}

TEST(http_guard, a_target_is_a_path_in_visible_ascii) {
  check({
    {"a whole URL", line("GET http://a/ HTTP/1.1")},
    {"an authority", line("CONNECT a:443 HTTP/1.1")},
    {"an asterisk", line("OPTIONS * HTTP/1.1")},
    {"no slash", line("GET jobs HTTP/1.1")},
    {"a query alone", line("GET ?a=1 HTTP/1.1")},
    {"a NUL", line("GET /\0 HTTP/1.1"s)},
    {"a bare CR", line("GET /\rx HTTP/1.1")},
    {"a bare LF", line("GET /\nx HTTP/1.1")},
    {"DEL", line("GET /\x7f HTTP/1.1")},
    {"UTF-8", line("GET /\xc3\xbc HTTP/1.1")},
    {"a tab", line("GET /a\tb HTTP/1.1")},
  });
}

TEST(http_guard, a_target_has_at_most_4096_bytes) {
  EXPECT_EQ(error_of(line("GET /" + std::string(4095, 'a') + " HTTP/1.1")), errc{});
  EXPECT_EQ(error_of(line("GET /" + std::string(4096, 'a') + " HTTP/1.1")), errc::uri_too_long);
  EXPECT_EQ(error_of(line("GET /abc HTTP/1.1"), {.target_bytes = 3}), errc::uri_too_long);
}

TEST(http_guard, there_are_at_most_64_headers) {
  EXPECT_EQ(error_of(get_with(repeat("X: y\r\n", 63))), errc{}); // and the Host
  EXPECT_EQ(error_of(get_with(repeat("X: y\r\n", 64))), errc::header_too_large);
  EXPECT_EQ(error_of(get_with("X: y\r\n"), {.headers = 1}), errc::header_too_large);
}

TEST(http_guard, a_header_is_a_name_a_colon_and_a_value_on_one_line) {
  check({
    {"no colon", get_with("Accept\r\n")},
    {"no name", get_with(": x\r\n")},
    {"a blank before the colon", get_with("Accept : x\r\n")},
    {"a tab before the colon", get_with("Accept\t: x\r\n")},
    {"a folded line", get_with("Accept: x\r\n y\r\n")},
    {"a folded line with a tab", get_with("Accept: x\r\n\ty\r\n")},
    {"a folded line that looks like a header", get_with("Accept: x\r\n Content-Length: 5\r\n")},
    {"a folded line that is blank", get_with("Accept: x\r\n \r\n")},
    {"a fold behind the request line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
    {"a blank in the name", get_with("Acc ept: x\r\n")},
    {"a slash in the name", get_with("Acc/ept: x\r\n")},
    {"a control in the name", get_with("Acc\x02"
                                       "ept: x\r\n")},
    {"a NUL in the name", get_with("Acc\0ept: x\r\n"s)},
    {"UTF-8 in the name", get_with("Acc\xc3\xa9pt: x\r\n")},
    {"a NUL in the value", get_with("Accept: a\0b\r\n"s)},
    {"a bare CR in the value", get_with("Accept: a\rb\r\n")},
    {"a bare LF in the value", get_with("Accept: a\nContent-Length: 5\r\n")},
    {"a bare CR before the CRLF", get_with("Accept: a\r\r\n")},
    {"an escape in the value", get_with("Accept: \x1b[2J\r\n")},
    {"a vertical tab before the value", get_with("Accept:\x0b"
                                                 "a\r\n")},
    {"DEL in the value", get_with("Accept: a\x7f\r\n")},
  });
  EXPECT_EQ(error_of(get_with("X: a\tb \xc3\xa9\r\nEmpty:\r\nBlank: \t \r\nNone:x\r\nX-!#$%&'*+.^_`|~: 1\r\n")),
            errc{});
}

TEST(http_guard, there_is_one_host) {
  check({
    {"none", "GET / HTTP/1.1\r\n\r\n"},
    {"none among others", "GET / HTTP/1.1\r\nAccept: x\r\nX-Host: a\r\n\r\n"},
    {"two", get_with("Host: b\r\n")},
    {"the same twice", get_with("Host: a\r\n")},
    {"two in other letters", get_with("hOST: a\r\n")},
    {"two on HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"},
    {"an empty one", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
    {"a blank one", "GET / HTTP/1.1\r\nHost:  \r\n\r\n"},
    {"two in one", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
    {"with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
    {"with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
    {"with a user", "GET / HTTP/1.1\r\nHost: me@a\r\n\r\n"},
    {"a URL", "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n"},
    {"with a query", "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n"},
    {"with a backslash", "GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n"},
    {"beyond ASCII", "GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n"},
  });
  for (std::string name :
       {"a", "a.example:8080", "127.0.0.1:1", "[::1]:8080", "[fe80::1%25eth0]", "xn--e1aybc", "a_b-c"})
    EXPECT_EQ(error_of("GET / HTTP/1.1\r\nHost: " + name + "\r\n\r\n"), errc{}) << name;
  EXPECT_EQ(error_of("GET / HTTP/1.0\r\n\r\n"), errc{});
}

TEST(http_guard, a_length_is_given_once_in_digits) {
  check({
    {"two", post_with("Content-Length: 5\r\nContent-Length: 6\r\n")},
    {"the same twice", post_with("Content-Length: 5\r\nContent-Length: 5\r\n")},
    {"in other letters", post_with("Content-Length: 5\r\ncontent-length: 5\r\n")},
    {"a list", post_with("Content-Length: 5, 5\r\n")},
    {"an empty one", post_with("Content-Length:\r\n")},
    {"a sign", post_with("Content-Length: +5\r\n")},
    {"negative", post_with("Content-Length: -5\r\n")},
    {"hexadecimal", post_with("Content-Length: 0x5\r\n")},
    {"a fraction", post_with("Content-Length: 5.0\r\n")},
    {"digits beyond ASCII", post_with("Content-Length: \xd9\xa5\r\n")},
    {"two numbers", post_with("Content-Length: 5 5\r\n")},
    {"20 digits", post_with("Content-Length: 18446744073709551616\r\n")},
    {"leading zeros beyond 19 digits", post_with("Content-Length: 00000000000000000005\r\n")},
  });
  EXPECT_EQ(error_of(post_with("Content-Length:9999999999999999999\r\n")), errc{});
  EXPECT_EQ(error_of(post_with("CONTENT-LENGTH: 0 \t\r\n")), errc{});
}

TEST(http_guard, a_body_is_chunked_or_has_a_length) {
  check({
    // the five that Beast 1.81 serves, the rest of the body as a second request
    {"gzip with a length", post_with("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n")},
    {"chunked, then gzip", post_with("Transfer-Encoding: chunked, gzip\r\n")},
    {"gzip", post_with("Transfer-Encoding: gzip\r\n")},
    {"xchunked", post_with("Transfer-Encoding: xchunked\r\n")},
    {"chunked on HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"chunked with a length", post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")},
    {"a length with chunked", post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
    {"gzip, then chunked", post_with("Transfer-Encoding: gzip, chunked\r\n")},
    {"chunked twice", post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
    {"chunked twice in one", post_with("Transfer-Encoding: chunked, chunked\r\n")},
    {"chunked, then identity", post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")},
    {"identity", post_with("Transfer-Encoding: identity\r\n")},
    {"an empty one", post_with("Transfer-Encoding:\r\n")},
    {"a comma in front", post_with("Transfer-Encoding: ,chunked\r\n")},
    {"a comma behind", post_with("Transfer-Encoding: chunked,\r\n")},
    {"a parameter", post_with("Transfer-Encoding: chunked;q=1\r\n")},
    {"in quotes", post_with("Transfer-Encoding: \"chunked\"\r\n")},
    {"a vertical tab in front", post_with("Transfer-Encoding:\x0b"
                                          "chunked\r\n")},
    {"a letter beyond ASCII that folds to k", post_with("Transfer-Encoding: chun\xe2\x84\xaa"
                                                        "ed\r\n")},
  });
  EXPECT_EQ(error_of(post_with("Transfer-Encoding: chunked\r\n")), errc{});
  EXPECT_EQ(error_of(post_with("transfer-encoding:\tChunKed \r\n")), errc{});
}

TEST(http_guard, what_decides_a_request_is_given_once) {
  for (std::string name : {"Origin", "Authorization", "Content-Type", "Content-Encoding", "Sec-WebSocket-Key",
                           "Sec-WebSocket-Version", "Expect"}) {
    EXPECT_EQ(error_of(get_with(name + ": x\r\n")), errc{}) << name;
    EXPECT_EQ(error_of(get_with(name + ": x\r\nAccept: y\r\n" + name + ": x\r\n")), errc::bad_request) << name;
  }
  for (std::string name : {"Connection", "Upgrade", "X-Forwarded-For", "Accept", "Cookie", "Sec-WebSocket-Protocol"})
    EXPECT_EQ(error_of(get_with(name + ": x\r\n" + name + ": y\r\n")), errc{}) << name;
}

TEST(http_guard, heads_of_real_clients_pass) {
  check({
    {"curl", "GET /health HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n", errc{}},
    {"curl, posting",
     "POST /jobs HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
     "Authorization: Bearer hw_0123\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n",
     errc{}},
    {"curl, posting much",
     "POST /jobs HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
     "Content-Length: 200000\r\nContent-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\n",
     errc{}},
    {"curl, from a pipe",
     "POST /jobs HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
     "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n\r\n",
     errc{}},
    {"curl -0", "GET / HTTP/1.0\r\nHost: localhost:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n", errc{}},
    {"Chrome, a page",
     "GET /demo HTTP/1.1\r\nHost: localhost:8080\r\nConnection: keep-alive\r\n"
     "sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"\r\nsec-ch-ua-mobile: ?0\r\n"
     "sec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) "
     "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"
     "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
     "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n"
     "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: de-CH,de;q=0.9,en;q=0.8\r\n"
     "Cookie: theme=dark; _ga=GA1.1.1; x=\"y z\"\r\n\r\n",
     errc{}},
    {"Chrome, a WebSocket",
     "GET /socket.io/?EIO=4&transport=websocket&sid=AbC-_1 HTTP/1.1\r\nHost: localhost:8080\r\nConnection: Upgrade\r\n"
     "Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
     "Upgrade: websocket\r\nOrigin: http://localhost:8080\r\nSec-WebSocket-Version: 13\r\n"
     "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
     "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n",
     errc{}},
    {"Firefox, a WebSocket",
     "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost:8080\r\n"
     "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0\r\nAccept: */*\r\n"
     "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nSec-WebSocket-Version: 13\r\n"
     "Origin: null\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
     errc{}},
    {"Safari, an event stream",
     "GET /jobs/42/events HTTP/1.1\r\nHost: [::1]:8080\r\nAccept: text/event-stream\r\nLast-Event-ID: 17\r\n"
     "Sec-Fetch-Site: same-origin\r\nCache-Control: no-cache\r\nAccept-Language: en-GB,en;q=0.9\r\n"
     "User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)\r\n"
     "Connection: keep-alive\r\nAccept-Encoding: gzip, deflate\r\nPriority: u=3, i\r\n\r\n",
     errc{}},
    {"a browser's preflight",
     "OPTIONS /jobs/42 HTTP/1.1\r\nHost: api.example\r\nAccept: */*\r\nAccess-Control-Request-Method: GET\r\n"
     "Access-Control-Request-Headers: authorization\r\nOrigin: https://app.example\r\nSec-Fetch-Mode: cors\r\n"
     "Referer: https://app.example/\r\n\r\n",
     errc{}},
    {"node ws",
     "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nSec-WebSocket-Version: 13\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
     "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nHost: localhost:8080\r\n\r\n",
     errc{}},
    {"engine.io-client in node, polling",
     "POST /socket.io/?EIO=4&transport=polling&t=abc12&sid=AbC-_1 HTTP/1.1\r\nUser-Agent: node-XMLHttpRequest\r\n"
     "Accept: */*\r\nContent-type: text/plain;charset=UTF-8\r\nHost: localhost:8080\r\nContent-Length: 2\r\n"
     "Connection: keep-alive\r\n\r\n",
     errc{}},
    {"node fetch",
     "POST /jobs HTTP/1.1\r\nhost: localhost:8080\r\nconnection: keep-alive\r\ncontent-type: application/json\r\n"
     "accept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\nuser-agent: node\r\n"
     "accept-encoding: gzip, deflate\r\ncontent-length: 13\r\n\r\n",
     errc{}},
    {"Python requests",
     "POST /jobs HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: python-requests/2.32.3\r\n"
     "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nContent-Length: 13\r\n"
     "Content-Type: application/json\r\n\r\n",
     errc{}},
    {"urllib",
     "GET / HTTP/1.1\r\nAccept-Encoding: identity\r\nHost: localhost:8080\r\nUser-Agent: Python-urllib/3.11\r\n"
     "Connection: close\r\n\r\n",
     errc{}},
    {"aiohttp, a WebSocket",
     "GET /socket.io/?transport=websocket&EIO=4&t=1.5 HTTP/1.1\r\nHost: localhost:8080\r\nUpgrade: websocket\r\n"
     "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
     "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nUser-Agent: Python/3.11 aiohttp/3.9.1\r\n\r\n",
     errc{}},
    {"websocket-client",
     "GET /socket.io/?transport=websocket&EIO=4 HTTP/1.1\r\nUpgrade: websocket\r\nHost: localhost:8080\r\n"
     "Origin: http://localhost:8080\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
     "Connection: Upgrade\r\n\r\n",
     errc{}},
    {"httpx",
     "GET / HTTP/1.1\r\nHost: localhost:8080\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n"
     "Connection: keep-alive\r\nUser-Agent: python-httpx/0.27.0\r\n\r\n",
     errc{}},
    {"Go",
     "GET /ready HTTP/1.1\r\nHost: headway:8080\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n",
     errc{}},
    {"wrk", "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n", errc{}},
    {"ab", "GET / HTTP/1.0\r\nHost: localhost:8080\r\nUser-Agent: ApacheBench/2.3\r\nAccept: */*\r\n\r\n", errc{}},
    {"nginx in front",
     "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
     "Host: app.example\r\nX-Real-IP: 203.0.113.9\r\nX-Forwarded-For: 198.51.100.7, 203.0.113.9\r\n"
     "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\nSec-WebSocket-Version: 13\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
     errc{}},
    {"a load balancer's check", "HEAD / HTTP/1.0\r\n\r\n", errc{}},
  });
}

} // namespace
} // namespace headway
