// The settings as flags of a command.
#pragma once

#include "config/config.hpp"

#include <span>

namespace CLI { // NOLINT: its header takes seconds to compile
class App;
}

namespace headway {

/// Adds --config and a flag for each setting to `command`, with help; parsing fills `into`, which must outlive it.
void add_config_flags(CLI::App& command, config_flags& into);

/// A command line of nothing but flags, and the rest of the way. A wrong flag is an error like any other.
loaded_config load_config(std::span<const std::string> args, const env_map& env);

} // namespace headway
