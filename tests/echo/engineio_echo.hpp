// ENGINE.IO ECHO  every message comes back as it came; nothing else is ever sent.
#pragma once

#include "actors/engineio_connection.hpp"

namespace headway::echo {

/// A factory for `open_engineio`.
application_factory engineio_echo();

} // namespace headway::echo
