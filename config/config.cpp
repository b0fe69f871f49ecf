#include "config/config.hpp"

#include "config/settings.hpp"
#include "core/json.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

extern char** environ; // NOLINT: POSIX

namespace headway {

namespace {

std::optional<std::string> read_file(const std::string& path) {
  std::error_code ignored;
  std::ifstream in{path, std::ios::binary};
  if (!in || std::filesystem::is_directory(path, ignored)) // a folder opens, and throws when it is read
    return std::nullopt;
  return std::string{std::istreambuf_iterator<char>{in}, {}};
}

std::string in_quotes(std::string_view text) { return dump_json(json(text)); }

/// The text of a setting's value in a file, where its JSON type is the setting's.
std::optional<std::string> text_of(const setting& row, const json& value) {
  auto type = type_name(row);
  if (type == "INT")
    return value.is_number_integer() ? std::optional{value.dump()} : std::nullopt;
  if (type == "NUMBER")
    return value.is_number() ? std::optional{value.dump()} : std::nullopt;
  if (type == "BOOL")
    return value.is_boolean() ? std::optional{value.dump()} : std::nullopt;
  if (value.is_string())
    return value.get<std::string>();
  if (type != "LIST" || !value.is_array())
    return std::nullopt;
  std::string out;
  for (const auto& item : value) {
    if (!item.is_string())
      return std::nullopt;
    out += item.get<std::string>() + ",";
  }
  return out;
}

std::string_view wanted_type(const setting& row) {
  auto type = type_name(row);
  if (type == "INT")
    return "must be a whole number";
  if (type == "NUMBER")
    return "must be a number";
  if (type == "BOOL")
    return "must be true or false";
  return type == "LIST" ? "must be a text or a list of texts" : "must be a text";
}

class loader {
public:
  explicit loader(const env_map& env) : env_{env} {
    for (const auto& row : settings())
      out_.sources[std::string{row.name}] = "default";
  }

  void file(const std::string& path) {
    auto text = read_file(path);
    if (!text) {
      error("The configuration file " + path + " cannot be read.");
      return;
    }
    auto root = parse_json(*text);
    if (!root || !root->is_object()) {
      error("The configuration file " + path + " is not a JSON object.");
      return;
    }
    object(path, "", *root);
  }

  void environment() {
    for (const auto& row : settings()) {
      if (from_environment(row, true) || !row.plain_env)
        continue;
      from_environment(row, false);
    }
  }

  void flags(const config_flags& flags) {
    for (const auto& [name, text] : flags.values)
      if (const auto* row = find_setting(name))
        set(*row, text, "flag --" + name);
  }

  loaded_config take() { return std::move(out_); }

  void error(std::string sentence) { out_.errors.push_back(std::move(sentence)); }

private:
  void object(const std::string& path, const std::string& prefix, const json& members) {
    for (const auto& [key, value] : members.items()) {
      auto name = prefix + key;
      if (const auto* row = find_setting(name))
        from_file(*row, value, "file " + path);
      else if (value.is_object() && is_prefix(name))
        object(path, name + ".", value);
      else
        out_.warnings.push_back("The configuration file " + path + " has an unknown setting " + in_quotes(name) + ".");
    }
  }

  static bool is_prefix(const std::string& name) {
    return std::ranges::any_of(settings(), [&](const setting& row) { return row.name.starts_with(name + "."); });
  }

  void from_file(const setting& row, const json& value, const std::string& source) {
    auto text = text_of(row, value);
    if (!text)
      refuse(row, value.dump(), source, wanted_type(row));
    else
      set(row, *text, source);
  }

  /// @returns true where the environment has this setting, be it right or wrong.
  bool from_environment(const setting& row, bool prefixed) {
    auto name = env_name(row, prefixed);
    auto text = env(name);
    if (name == "HEADWAY_PORT" && text.starts_with("tcp://")) { // Kubernetes sets this for a service named headway
      out_.warnings.push_back("The environment variable HEADWAY_PORT is a Kubernetes service link; it is ignored.");
      text = {};
    }
    auto file = row.secret ? env(name + "_FILE") : std::string_view{};
    if (!text.empty() && !file.empty()) {
      error("Only one of the environment variables " + name + " and " + name + "_FILE may be set.");
      return true;
    }
    if (!text.empty())
      set(row, text, "environment " + name);
    else if (!file.empty())
      from_secret_file(row, std::string{file}, name + "_FILE");
    return !text.empty() || !file.empty();
  }

  void from_secret_file(const setting& row, const std::string& path, const std::string& variable) {
    auto text = read_file(path);
    while (text && (text->ends_with('\n') || text->ends_with('\r')))
      text->pop_back();
    if (!text || text->empty())
      error("The file " + path + ", named by the environment variable " + variable + ", cannot be read or is empty.");
    else
      set(row, *text, "environment " + variable);
  }

  /// Empty is the same as not set: a wrapper script exports what it has.
  std::string_view env(const std::string& name) const {
    auto it = env_.find(name);
    return it == env_.end() ? std::string_view{} : std::string_view{it->second};
  }

  void set(const setting& row, std::string_view text, const std::string& source) {
    if (text.empty())
      return;
    if (auto wrong = assign(row, out_.value, text))
      refuse(row, in_quotes(masked_text(row, text)), source, *wrong);
    else
      out_.sources[std::string{row.name}] = source;
  }

  void refuse(const setting& row, std::string value, const std::string& source, std::string_view why) {
    if (row.secret && row.name != "database_url")
      value = "***";
    error("The setting " + std::string{row.name} + " is " + value + " (from " + source + ") but " + std::string{why} +
          ".");
  }

  const env_map& env_;
  loaded_config out_;
};

/// Parts of secrets that stand in examples all over the world.
constexpr std::array<std::string_view, 6> well_known{
  "changeme", "change-me", "change_me", "change-this", "change-in-production", "your-secret"};

} // namespace

env_map environment() {
  env_map out;
  for (auto** entry = environ; entry && *entry; ++entry) {
    std::string_view text{*entry};
    auto equals = text.find('=');
    if (equals != std::string_view::npos)
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

loaded_config load_config(const config_flags& flags, const env_map& env) {
  loader load{env};
  auto path = flags.config_path;
  if (auto it = env.find("HEADWAY_CONFIG"); path.empty() && it != env.end())
    path = it->second;
  if (!path.empty())
    load.file(path);
  load.environment();
  load.flags(flags);
  return load.take();
}

std::vector<std::string> problems_of_serving(const config& c) {
  constexpr std::size_t least_bytes = 32;
  if (c.dev)
    return {};
  if (c.jwt_secret.empty())
    return {"No JWT secret is set: give JWT_SECRET at least 32 random bytes, for example from `openssl rand -hex 32`, "
            "or try the server with --dev."};
  if (c.jwt_secret.size() < least_bytes)
    return {"The JWT secret has " + std::to_string(c.jwt_secret.size()) +
            " bytes but must have at least 32; "
            "`openssl rand -hex 32` makes one."};
  std::string lower = c.jwt_secret;
  std::ranges::transform(lower, lower.begin(), [](unsigned char ch) { return static_cast<char>(std::tolower(ch)); });
  for (auto part : well_known)
    if (lower.find(part) != std::string::npos)
      return {"The JWT secret is one from an example that anybody can guess; `openssl rand -hex 32` makes one."};
  return {};
}

std::string describe(const loaded_config& loaded) {
  std::string out;
  for (const auto& row : settings()) {
    auto source = loaded.sources.find(row.name);
    out += std::string{row.name} + " = " + masked_text(row, value_text(row, loaded.value));
    out += "  (" + (source == loaded.sources.end() ? std::string{"default"} : source->second) + ")\n";
  }
  return out;
}

std::string example_config() {
  json root = json::object();
  config defaults;
  for (const auto& row : settings()) {
    auto text = value_text(row, defaults);
    auto type = type_name(row);
    json value = type == "TEXT" || type == "LIST" ? json(text) : trusted_json(text);
    auto dot = row.name.find('.');
    if (dot == std::string_view::npos)
      root[std::string{row.name}] = value;
    else
      root[std::string{row.name.substr(0, dot)}][std::string{row.name.substr(dot + 1)}] = value;
  }
  return root.dump(2) + "\n";
}

} // namespace headway
