// LISTENER  accepts TCP connections and hands them to the I/O workers in turn.
#pragma once

#include "net/transport/server.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace headway {

class listener {
public:
  virtual ~listener() = default;
  virtual std::uint16_t port() const = 0;
  /// Accepts no more. From any thread.
  virtual void stop() = 0;
};

/// Port 0 takes a free one. @throws std::runtime_error with one sentence where it cannot listen.
std::shared_ptr<listener> listen(transport_server& server, const std::string& host, std::uint16_t port);

} // namespace headway
