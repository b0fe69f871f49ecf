// PORTS  transports that keep what was sent, for the tests of connections.
#pragma once

#include "actors/outbound.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace headway::test {

class recording_websocket : public websocket_port {
public:
  void send(const frame_ptr& packet) override { texts.emplace_back(packet->payload()); }
  void flush() override {}
  void send_first(const frame_ptr& packet) override { texts.emplace_back(packet->payload()); }
  void ping() override { ++pings; }
  void cut() override { closed = 0; }
  void close(std::uint16_t code) override { closed = code; }
  std::size_t queued_bytes() const override { return queued; }

  std::vector<std::string> texts;
  std::optional<std::uint16_t> closed; ///< 0: cut
  int pings = 0;
  std::size_t queued = 0; ///< what the socket did not take yet
};

class recording_stream : public stream_port {
public:
  void send(const frame_ptr& piece) override { body += piece->payload(); }
  void flush() override {}
  void close() override { closed = true; }
  std::size_t queued_bytes() const override { return queued; }

  std::string body;
  bool closed = false;
  std::size_t queued = 0;
};

class recording_http : public http_port {
public:
  void answer(http_answer&& a) override { answered = std::move(a); }
  stream_port_ptr stream(http_answer&& head, std::function<void()> on_end) override {
    if (!streams)
      return nullptr;
    answered = std::move(head);
    peer_goes = std::move(on_end);
    return body;
  }

  std::optional<http_answer> answered; ///< or the head of its stream
  bool streams = true;                 ///< false: other requests were sent along
  std::shared_ptr<recording_stream> body = std::make_shared<recording_stream>();
  std::function<void()> peer_goes;
};

} // namespace headway::test
