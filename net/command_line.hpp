// The program's subcommands: serve, token, key, migrate, check-config, version.
#pragma once

#include "net/server.hpp"

namespace headway {

/// Exit codes: 0 well, 1 failed while running, 2 usage or configuration, 3 the store.
int run_command_line(int argc, char** argv, const server_hooks& hooks = {});

} // namespace headway
