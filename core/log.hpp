// Logs: one JSON object a line. An event name, then fields. Of one name ten lines a second are written; the next one
// then says how many were left out. Never tokens, session ids, bodies or query strings.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace headway::log {

using value = std::variant<std::string_view, std::string, std::int64_t, std::uint64_t, double, bool>;

struct field {
  std::string_view name;
  value data;

  field(std::string_view n, const char* v) : name{n}, data{std::string_view{v}} {}
  field(std::string_view n, std::string_view v) : name{n}, data{v} {}
  field(std::string_view n, std::string v) : name{n}, data{std::move(v)} {}
  field(std::string_view n, bool v) : name{n}, data{v} {}
  field(std::string_view n, double v) : name{n}, data{v} {}
  template <std::signed_integral T>
  field(std::string_view n, T v) : name{n}, data{static_cast<std::int64_t>(v)} {}
  template <std::unsigned_integral T>
  field(std::string_view n, T v) : name{n}, data{static_cast<std::uint64_t>(v)} {}
};

using fields = std::initializer_list<field>;

/// Sets the least level that is written: "debug", "info", "warn", "error" or "off". False for an unknown one.
bool set_level(std::string_view level);

void debug(std::string_view event, fields f = {});
void info(std::string_view event, fields f = {});
void warn(std::string_view event, fields f = {});
void error(std::string_view event, fields f = {});

} // namespace headway::log
