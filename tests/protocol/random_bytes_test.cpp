// Whatever a peer sends: no crash, no exception, no hang. The seed is printed; HEADWAY_SEED repeats a run.
#include "net/protocol/base64.hpp"
#include "net/protocol/engineio_session.hpp"
#include "net/protocol/jwt.hpp"
#include "net/protocol/socketio_session.hpp"
#include "net/protocol/utf8.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

namespace headway {
namespace {

class random_bytes : public testing::Test {
protected:
  random_bytes() {
    auto* wanted = std::getenv("HEADWAY_SEED");
    auto seed = wanted ? std::strtoull(wanted, nullptr, 10) : std::random_device{}();
    std::cout << "HEADWAY_SEED=" << seed << '\n';
    random_.seed(seed);
  }

  std::size_t below(std::size_t n) { return random_() % n; }

  std::string bytes(std::size_t max) {
    std::string out(below(max + 1), '\0');
    for (auto& c : out)
      c = static_cast<char>(random_());
    return out;
  }

  /// UTF-8, as text frames are, without the separator of polling payloads.
  std::string text(std::size_t max) {
    static const std::vector<std::string> characters{"a", "b", "\x7f", "\n", "4", "ä", "€", "😀"};
    std::string out;
    for (auto n = below(max + 1); n > 0; --n)
      out += characters[below(characters.size())];
    return out;
  }

  /// Made of the pieces that decoders look for, so that it comes further than noise does.
  std::string plausible() {
    static const std::vector<std::string> pieces{"0",           "1",        "2",
                                                 "3",           "4",        "5",
                                                 "6",           "b",        "-",
                                                 "/",           ",",        "[",
                                                 "]",           "{",        "}",
                                                 ":",           "\"",       "\"ev\"",
                                                 "\"connect\"", "\x1e",     "AQID",
                                                 "==",          "probe",    "12",
                                                 "/custom",     "[\"ev\"]", R"({"_placeholder":true,"num":0})",
                                                 "null",        "1e5",      "\\u00e4",
                                                 "\xff",        "51-"};
    std::string out;
    for (auto n = below(8); n > 0; --n)
      out += below(10) == 0 ? bytes(3) : pieces[below(pieces.size())];
    return out;
  }

  std::string input() { return below(4) == 0 ? bytes(40) : plausible(); }

  std::mt19937_64 random_;
};

constexpr int rounds = 20'000;

TEST_F(random_bytes, decode_to_errors_or_to_what_encodes_again) {
  for (int i = 0; i < rounds; ++i) {
    auto text = input();
    (void)engineio::decode_packet(text);
    (void)engineio::decode_payload(text, 4);
    (void)percent_decode(text);
    (void)query_params{text};
    if (auto data = base64_decode(text)) {
      EXPECT_EQ(base64_encode(*data), text);
    }
    if (auto p = socketio::decode(text)) {
      auto again = socketio::encode(*p);
      auto q = socketio::decode(again);
      ASSERT_TRUE(q) << text;
      EXPECT_EQ(socketio::encode(*q), again) << text;
    }
  }
}

TEST_F(random_bytes, are_utf8_where_json_says_so) {
  for (int i = 0; i < rounds; ++i) {
    auto some = below(3) == 0 ? bytes(4) : text(3) + bytes(1) + text(1);
    EXPECT_EQ(is_utf8(some), trusted_json(dump_json(some)) == json(some)) << some;
    EXPECT_TRUE(is_utf8(utf8_start(text(20), below(20))));
  }
}

TEST_F(random_bytes, payloads_of_any_packets_come_back) {
  for (int i = 0; i < 2000; ++i) {
    std::vector<frame_ptr> frames;
    for (auto n = 1 + below(16); n > 0; --n) {
      frames.push_back(below(2) == 0 ? text_frame("4" + text(20)) : binary_frame(bytes(20)));
    }
    auto packets = engineio::decode_payload(engineio::encode_payload(frames), 16).value();
    ASSERT_EQ(packets.size(), frames.size());
    for (std::size_t k = 0; k < frames.size(); ++k) {
      auto payload = frames[k]->payload();
      EXPECT_EQ(packets[k].is_binary, frames[k]->is_binary());
      EXPECT_EQ(packets[k].data, payload.substr(frames[k]->is_binary() ? 0 : 1));
    }
  }
}

TEST_F(random_bytes, tokens_are_invalid) {
  jwt_options options{std::string(32, 's')};
  auto good = sign_jwt(json{{"sub", 1}, {"exp", 9e9}}, options.secret);
  for (int i = 0; i < 5000; ++i) {
    auto token = good;
    if (below(2) == 0)
      token = bytes(60) + '.' + bytes(60) + '.' + bytes(50);
    else
      token[below(token.size())] = static_cast<char>(random_());
    if (token != good) {
      EXPECT_FALSE(verify_jwt(token, options, 1'800'000'000'000)) << token;
    }
  }
}

/// Every poll and POST is answered once, packets go to one transport at a time, and nothing happens after the end.
TEST_F(random_bytes, an_engineio_session_keeps_its_promises) {
  using namespace engineio;
  for (int i = 0; i < 1000; ++i) {
    auto now = steady_time{} + std::chrono::hours{1};
    auto first = below(2) == 0 ? transport::polling : transport::websocket;
    session s{{}, "S", first, now};
    std::size_t polls_open = 0, posts_open = 0, sent = 0, delivered = 0;
    bool probe_open = false, post_begun = false, ended = false;
    for (int step = 0; step < 60; ++step) {
      now += std::chrono::milliseconds{below(50) == 0 ? below(30'000) : below(100)};
      auto was_closed = s.is_closed();
      switch (below(12)) {
        case 0:
        case 1:
          ++polls_open;
          s.on_poll(now);
          break;
        case 2:
          if (below(2) == 0 && (!post_begun || below(20) == 0)) {
            posts_open += !s.on_post_begin(now);
            post_begun = !s.is_closed();
            break;
          }
          ++posts_open;
          if (below(20) == 0)
            s.on_post_too_big(below(3) * 1'000'000, now);
          else if (below(40) == 0)
            s.on_post_broken(now);
          else
            s.on_post(below(3) == 0 ? input() : "4a", below(40) == 0, now);
          post_begun = false;
          break;
        case 3:
          if (below(10) == 0 && polls_open > 0) {
            polls_open = 0;
            s.on_poll_aborted(now);
          }
          break;
        case 4:
          if (s.on_probe_open(now)) {
            EXPECT_FALSE(probe_open);
            probe_open = true;
          }
          break;
        case 5:
          if (probe_open)
            s.on_probe_frame(below(2) == 0 ? "2probe" : below(2) == 0 ? "5" : input(), false, now);
          break;
        case 6:
          if (s.live_transport() == transport::websocket)
            s.on_websocket_frame(below(3) == 0 ? input() : "3", below(9) == 0, now);
          break;
        case 7:
          if (below(20) == 0)
            s.close(static_cast<close_reason>(1 + below(7)), now);
          break;
        case 8:
          if (probe_open && below(5) == 0) {
            s.on_probe_closed(now);
            probe_open = false;
          }
          break;
        case 9:
          if (s.wake_up() <= now)
            s.on_time(now);
          break;
        default:
          if (!s.is_closed())
            ++sent;
          s.send(text_frame("4payload"));
          break;
      }
      auto todo = s.take_actions();
      for (auto& f : todo.to_websocket)
        delivered += f->payload() == "4payload";
      if (todo.poll_answer)
        if (auto packets = decode_payload(todo.poll_answer->body, 16))
          delivered += static_cast<std::size_t>(std::ranges::count(*packets, "payload", &packet::data));
      auto answers = std::size_t{todo.poll_answer.has_value()} + std::size_t{todo.second_poll_answer.has_value()};
      ASSERT_LE(answers, polls_open);
      polls_open -= answers;
      ASSERT_LE(std::size_t{todo.post_answer.has_value()}, posts_open);
      posts_open -= todo.post_answer.has_value();
      EXPECT_EQ(posts_open, 0U);
      EXPECT_LE(polls_open, 1U);
      if (todo.promote_probe || todo.close_probe) {
        EXPECT_TRUE(probe_open);
        probe_open = false;
      }
      if (todo.closed != close_reason::none) {
        EXPECT_FALSE(ended);
        ended = true;
      }
      EXPECT_EQ(ended, s.is_closed());
      EXPECT_EQ(s.why_closed() == close_reason::none, !ended);
      if (s.is_closed()) {
        EXPECT_EQ(polls_open, 0U);
        EXPECT_FALSE(probe_open);
      }
      if (was_closed) {
        EXPECT_TRUE(todo.received.empty() && todo.to_websocket.empty() && todo.fault == peer_fault::none);
      }
      EXPECT_LE(delivered, sent);
      if (!s.is_closed() && s.live_transport() == transport::websocket) {
        EXPECT_EQ(delivered, sent);
      }
      if (s.queued_bytes() == 0 && !s.is_closed()) {
        EXPECT_EQ(delivered, sent);
      }
    }
  }
}

/// The value with its attachments in place.
json whole(json value, const std::vector<std::string>& attachments) {
  if (!attachments.empty() && socketio::is_placeholder(value))
    return "bytes " + base64_encode(attachments.at(value["num"].get<std::size_t>()));
  if (value.is_structured())
    for (auto& part : value)
      part = whole(std::move(part), attachments);
  return value;
}

/// An event that goes out again reaches a peer of our own kind with the same arguments.
void expect_echo(const socketio::event_command& event) {
  using namespace socketio;
  session_options options;
  options.limits.arguments = 100;
  options.namespaces = {event.nsp};
  session peer{options, steady_time{}};
  std::vector<outgoing> replies;
  ASSERT_TRUE(peer.on_message({false, event.nsp == "/" ? "0" : "0" + event.nsp}, replies, steady_time{}));
  (void)peer.accept(event.nsp, "S");
  std::vector<command> commands;
  for (auto& one : event_packets(event.nsp, event.name, event.args, event.attachments)) {
    ASSERT_TRUE(commands.empty());
    auto data = one.is_binary ? one.data : one.data.substr(1);
    commands = peer.on_message({one.is_binary, data}, replies, steady_time{}).value();
  }
  auto& echo = std::get<event_command>(commands.at(0));
  EXPECT_EQ(echo.name, event.name);
  EXPECT_EQ(whole(echo.args, echo.attachments), whole(event.args, event.attachments)) << event.args;
}

TEST_F(random_bytes, attachments_come_back_in_their_places) {
  for (int i = 0; i < 2000; ++i) {
    socketio::event_command event{"/", "ev", json::array(), {}, {}};
    for (auto n = below(4); n > 0; --n)
      event.attachments.push_back(bytes(5));
    for (auto n = below(8); n > 0; --n) {
      json value = text(3);
      if (!event.attachments.empty() && below(2) == 0)
        value = json{{"_placeholder", true}, {"num", below(event.attachments.size())}};
      if (below(3) == 0)
        value = json::array({json{{"in", std::move(value)}}});
      event.args.push_back(std::move(value));
    }
    expect_echo(event);
  }
}

TEST_F(random_bytes, a_socketio_session_survives) {
  using namespace socketio;
  for (int i = 0; i < 1000; ++i) {
    session_options options;
    options.namespaces = {"/", "/custom"};
    steady_time now{};
    session s{options, now};
    for (int step = 0; step < 60; ++step) {
      std::vector<outgoing> replies;
      auto commands = s.on_message({below(8) == 0, below(10) == 0 ? "0" : input()}, replies, now);
      if (!commands)
        continue; // the owner would close here; going on must do no harm
      for (auto& one : *commands)
        if (auto* connect = std::get_if<connect_command>(&one))
          (void)(below(2) == 0 ? s.accept(connect->nsp, "S") : s.refuse(connect->nsp, "no"));
        else if (auto* event = std::get_if<event_command>(&one))
          expect_echo(*event);
      now += std::chrono::milliseconds{below(100)};
      (void)s.on_time(now);
      (void)s.wake_up();
    }
  }
}

} // namespace
} // namespace headway
