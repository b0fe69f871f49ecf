// JSON that is taken keeps to the limits, is what nlohmann reads without limits, and is the same when dumped and
// parsed.
#include "core/json.hpp"

#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace {

using namespace headway;

// Small, so that short inputs come to the limits. Digits: a double's 17, with sign, point and exponent.
constexpr json_limits limits{.depth = 6, .members = 4, .elements = 6, .string_bytes = 24, .digits = 32};

void check_text(const std::string& text) {
  PROMISE(text.size() <= limits.string_bytes && text.find('\0') == std::string::npos);
}

void check(const json& value, std::size_t depth) {
  if (value.is_structured())
    PROMISE(depth <= limits.depth);
  if (auto* text = value.get_ptr<const std::string*>())
    check_text(*text);
  if (value.is_number_float())
    PROMISE(std::isfinite(value.get<double>()));
  if (value.is_array())
    PROMISE(value.size() <= limits.elements);
  if (value.is_object()) {
    PROMISE(value.size() <= limits.members);
    std::set<std::string> keys;
    for (auto& [key, member] : value.items()) {
      check_text(key);
      PROMISE(keys.insert(key).second);
    }
  }
  if (value.is_structured())
    for (auto& part : value)
      check(part, depth + 1);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto text = fuzz::input{data, size}.rest();
  auto value = parse_json(text, limits);
  if (!value) {
    PROMISE(value.error() == errc::bad_json || value.error() == errc::json_limit);
    return 0;
  }
  check(*value, 1);
  auto unlimited = json::parse(text, nullptr, false);
  PROMISE(!unlimited.is_discarded() && unlimited == *value);
  auto dumped = dump_json(*value);
  auto again = parse_json(dumped, limits);
  PROMISE(again && *again == *value && dump_json(*again) == dumped);
  PROMISE(trusted_json(dumped) == *value);
  return 0;
}
