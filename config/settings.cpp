#include "config/settings.hpp"

#include "core/json.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <type_traits>

namespace headway {

namespace {

template <class>
constexpr bool always_false = false;

std::string number_text(double value) { return dump_json(number_json(value)); }

std::optional<std::string> in_range(const setting& row, double value) {
  if (value >= row.min && value <= row.max) // also refuses NaN
    return std::nullopt;
  return "must be " + number_text(row.min) + " to " + number_text(row.max);
}

std::optional<std::string> assign_to(const setting&, std::string& to, std::string_view text) {
  to = text;
  return std::nullopt;
}

/// Split at commas and white space.
std::optional<std::string> assign_to(const setting&, std::vector<std::string>& to, std::string_view text) {
  constexpr std::string_view separators = ", \t\r\n";
  to.clear();
  while (true) {
    auto begin = text.find_first_not_of(separators);
    if (begin == std::string_view::npos)
      return std::nullopt;
    text.remove_prefix(begin);
    auto item = text.substr(0, text.find_first_of(separators));
    text.remove_prefix(item.size());
    if (item.size() > 1 && item.ends_with('/')) // a browser's Origin has none
      item.remove_suffix(1);
    to.emplace_back(item);
  }
}

std::optional<std::string> assign_to(const setting&, bool& to, std::string_view text) {
  for (std::string_view yes : {"true", "1", "yes", "on"})
    if (text == yes) {
      to = true;
      return std::nullopt;
    }
  for (std::string_view no : {"false", "0", "no", "off"})
    if (text == no) {
      to = false;
      return std::nullopt;
    }
  return "must be true or false";
}

template <class Number>
  requires std::is_arithmetic_v<Number>
std::optional<std::string> assign_to(const setting& row, Number& to, std::string_view text) {
  Number value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // A number too large for its type is out of range like any other.
  if (error == std::errc::result_out_of_range)
    return in_range(row, row.max + 1);
  if (error != std::errc{} || end != text.data() + text.size()) {
    if (std::is_integral_v<Number> && text.starts_with('-') && text.size() > 1)
      return in_range(row, -1);
    return std::is_integral_v<Number> ? "must be a whole number" : "must be a number";
  }
  if (auto wrong = in_range(row, static_cast<double>(value)))
    return wrong;
  to = value;
  return std::nullopt;
}

} // namespace

const setting* find_setting(std::string_view name) {
  auto it = std::ranges::find(settings(), name, &setting::name);
  return it == settings().end() ? nullptr : &*it;
}

std::string env_name(const setting& row, bool prefixed) {
  std::string out = prefixed ? "HEADWAY_" : "";
  for (char c : row.name)
    out += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string_view type_name(const setting& row) {
  return std::visit(
    [](auto field) -> std::string_view {
      using type = std::remove_reference_t<std::invoke_result_t<decltype(field), config&>>;
      if constexpr (std::is_same_v<type, std::string>)
        return "TEXT";
      else if constexpr (std::is_same_v<type, std::vector<std::string>>)
        return "LIST";
      else if constexpr (std::is_same_v<type, bool>)
        return "BOOL";
      else if constexpr (std::is_integral_v<type>)
        return "INT";
      else if constexpr (std::is_same_v<type, double>)
        return "NUMBER";
      else
        static_assert(always_false<type>);
    },
    row.field);
}

std::optional<std::string> assign(const setting& row, config& into, std::string_view text) {
  auto candidate = into; // `into` keeps its value where this one is wrong
  auto wrong = std::visit([&](auto field) { return assign_to(row, field(candidate), text); }, row.field);
  if (!wrong && row.check)
    wrong = row.check(candidate);
  if (!wrong)
    into = std::move(candidate);
  return wrong;
}

std::string value_text(const setting& row, const config& from) {
  auto copy = from; // fields are accessors of a mutable config
  return std::visit(
    [&](auto field) -> std::string {
      const auto& value = field(copy);
      using type = std::remove_cvref_t<decltype(value)>;
      if constexpr (std::is_same_v<type, std::string>) {
        return value;
      } else if constexpr (std::is_same_v<type, std::vector<std::string>>) {
        std::string out;
        for (const auto& item : value)
          out += (out.empty() ? "" : ",") + item;
        return out;
      } else if constexpr (std::is_same_v<type, bool>) {
        return value ? "true" : "false";
      } else {
        return number_text(static_cast<double>(value));
      }
    },
    row.field);
}

std::string masked_text(const setting& row, std::string_view text) {
  constexpr std::string_view mask = "***";
  if (!row.secret || text.empty())
    return std::string{text};
  auto scheme = text.find("://");
  if (row.name != "database_url" || scheme == std::string_view::npos)
    return std::string{mask};
  // Of a URL only the password goes: user:PASSWORD@host, and whatever stands in the query.
  std::string out{text.substr(0, std::min(text.find('?'), text.size()))};
  if (out.size() < text.size())
    out += "?" + std::string{mask};
  auto at = out.rfind('@');
  auto colon = out.find(':', scheme + 3);
  if (at != std::string::npos && colon < at)
    out.replace(colon + 1, at - colon - 1, mask);
  return out;
}

} // namespace headway
