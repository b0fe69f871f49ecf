#include "config/flags.hpp"

#include "config/settings.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace headway {

namespace {

/// "--throttle.min_interval_ms"; without a prefix also with dashes, as people type it: "--log-level,--log_level".
std::string flag_names(const setting& row) {
  auto name = "--" + std::string{row.name};
  if (row.name.find('.') != std::string_view::npos)
    return name;
  auto dashed = name;
  std::ranges::replace(dashed, '_', '-');
  return dashed == name ? name : dashed + "," + name;
}

std::string help_of(const setting& row) {
  auto text = std::string{row.help} + " (" + env_name(row, !row.plain_env);
  if (row.secret)
    text += ", " + env_name(row, !row.plain_env) + "_FILE";
  return text + ")";
}

/// Settings of one prefix stand together in the help.
std::string group_of(const setting& row) {
  auto dot = row.name.find('.');
  return dot == std::string_view::npos ? "Settings" : "Settings: " + std::string{row.name.substr(0, dot)};
}

} // namespace

void add_config_flags(CLI::App& command, config_flags& into) {
  command.add_option("--config", into.config_path, "A JSON file with settings (HEADWAY_CONFIG)")
    ->type_name("PATH")
    ->group("Settings");
  config defaults;
  for (const auto& row : settings()) {
    CLI::Option* option = nullptr;
    if (type_name(row) == "BOOL") {
      option = command.add_flag_function(
        flag_names(row),
        [&into, &row](std::int64_t n) { into.values[std::string{row.name}] = n > 0 ? "true" : "false"; }, help_of(row));
    } else {
      option = command.add_option_function<std::string>(
        flag_names(row), [&into, &row](const std::string& text) { into.values[std::string{row.name}] = text; },
        help_of(row));
      option->type_name(std::string{type_name(row)});
      option->default_str(value_text(row, defaults));
    }
    option->group(group_of(row));
  }
}

loaded_config load_config(std::span<const std::string> args, const env_map& env) {
  CLI::App app{"headway"};
  config_flags flags;
  add_config_flags(app, flags);
  try {
    app.parse(std::vector<std::string>{args.rbegin(), args.rend()}); // it takes them from the back
  } catch (const CLI::ParseError& e) {
    loaded_config out;
    out.errors.emplace_back(e.what());
    return out;
  }
  return load_config(flags, env);
}

} // namespace headway
