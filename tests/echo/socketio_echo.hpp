// SOCKET.IO ECHO  namespaces "/" and "/custom", open to everyone.
//
//   CONNECT payload --------------> 40{"sid"}, then event auth(payload), {} where there was none
//   message(args...) -------------> event message-back(args...)     in "/" only, as the next
//   message-with-ack(args...) ----> acknowledged with args
//
// Any other event is not answered; nothing is sent unasked.
#pragma once

#include "actors/engineio_connection.hpp"

#include <chrono>

namespace headway::echo {

/// A factory for `open_engineio`. `connect_timeout`: from the Engine.IO open to the first namespace joined.
application_factory socketio_echo(std::chrono::milliseconds connect_timeout);

} // namespace headway::echo
