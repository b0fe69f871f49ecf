// The table of settings: one row each, from which files, environment, flags, help and listings are made.
#pragma once

#include "config/config.hpp"
#include "core/errc.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace headway {

using setting_field = std::variant<std::string& (*)(config&), std::vector<std::string>& (*)(config&),
                                   bool& (*)(config&), std::uint16_t& (*)(config&), std::uint32_t& (*)(config&),
                                   std::size_t& (*)(config&), double& (*)(config&)>;

/// What is wrong with a value, as the end of a sentence: "must begin with a slash". None: nothing.
using setting_check = std::optional<std::string> (*)(const config&);

struct setting {
  std::string_view name; ///< "throttle.min_interval_ms"
  setting_field field;
  std::string_view help;
  double min = 0; ///< of numbers
  double max = 0;
  setting_check check = nullptr;
  bool secret = false;    ///< never shown; may come from a file that NAME_FILE names
  bool plain_env = false; ///< also read without the prefix: PORT
  bool limit = false;     ///< a bound that a peer can run into: it stands in docs/limits.md
};

/// In settings_table.cpp.
std::span<const setting> settings();

/// The row of that name, or nullptr.
const setting* find_setting(std::string_view name);

/// "HEADWAY_THROTTLE_MIN_INTERVAL_MS"; without the prefix "THROTTLE_MIN_INTERVAL_MS".
std::string env_name(const setting& row, bool prefixed);

/// "TEXT", "LIST", "BOOL", "INT" or "NUMBER".
std::string_view type_name(const setting& row);

/// Sets `row` in `into` from text. @returns what is wrong with it, as the end of a sentence.
std::optional<std::string> assign(const setting& row, config& into, std::string_view text);

/// The value as text, as `assign` takes it.
std::string value_text(const setting& row, const config& from);

/// The value as a person may see it: secrets masked, also the password within a URL.
std::string masked_text(const setting& row, std::string_view text);

} // namespace headway
