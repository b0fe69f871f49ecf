// Bounded JSON in and out. Nothing here throws on what a peer sent.
#pragma once

#include "core/errc.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace headway {

/// Keeps the order of keys: what a client wrote comes back as it was written.
using json = nlohmann::ordered_json;

/// Checked while parsing, before anything deep or wide is built.
struct json_limits {
  std::size_t depth = 32;
  std::size_t members = 256;         ///< of one object
  std::size_t elements = 4096;       ///< of one array
  std::size_t string_bytes = 65'536; ///< of one string or key
  std::size_t digits = 32;           ///< of one number, whole or not: sign, point and exponent count, too
};

/// @returns bad_json for anything but one JSON text in UTF-8 without U+0000, lone surrogates, duplicate keys or
///          numbers beyond a double; json_limit where a bound is passed.
result<json> parse_json(std::string_view text, const json_limits& limits = {});

/// Compact; invalid UTF-8 is replaced, never thrown at.
std::string dump_json(const json& value);

/// For text that `dump_json` made (kept in the store or in a job): null where it is empty or broken after all.
json trusted_json(std::string_view text);

/// A progress as JSON: a whole number without a fraction (42, not 42.0).
json number_json(double value);

/// Member `key` if `object` is an object that has it, else nullptr.
const json* find(const json& object, std::string_view key);

/// Member `key` if it is a text, else nullptr.
const std::string* find_text(const json& object, std::string_view key);

} // namespace headway
