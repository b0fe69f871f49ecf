#include "storage/pg_text.hpp"

#include "storage/sql.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace headway {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD"; // U+FFFD

/// Bytes of the valid, non-zero UTF-8 character at the start of `text`; 0 where there is none.
std::size_t character_length(std::string_view text) {
  auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  auto lead = byte(0);
  if (lead < 0x80)
    return lead == 0 ? 0 : 1;
  if (lead >= 0xC2 && lead <= 0xDF)
    return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    auto low = lead == 0xE0 ? 0xA0U : 0x80U;  // below: overlong
    auto high = lead == 0xED ? 0x9FU : 0xBFU; // above: a surrogate
    return byte(1) >= low && byte(1) <= high && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    auto low = lead == 0xF0 ? 0x90U : 0x80U;
    auto high = lead == 0xF4 ? 0x8FU : 0xBFU; // above: beyond U+10FFFF
    return byte(1) >= low && byte(1) <= high && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

/// ASCII that needs no backslash: nearly all there is, so it is copied in runs.
constexpr bool is_plain(char c) { return c > 0 && c != '"' && c != '\\'; }

enum class escape { no, yes };

/// Appends cleaned text, where asked with a backslash before quotes and backslashes.
void append(std::string& out, std::string_view text, escape quotes) {
  while (!text.empty()) {
    auto run = static_cast<std::size_t>(std::ranges::find_if_not(text, is_plain) - text.begin());
    out += text.substr(0, run);
    text.remove_prefix(run);
    if (text.empty())
      return;
    auto length = character_length(text);
    if (length == 0)
      out += replacement;
    else if (length == 1 && quotes == escape::yes)
      out += '\\';
    out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> digits{};
  auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end);
}

} // namespace

std::string pg_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append(out, text, escape::no);
  return out;
}

void pg_array::add(std::string_view text) {
  separate();
  text_ += '"';
  append(text_, text, escape::yes);
  text_ += '"';
}

void pg_array::add(std::int64_t number) {
  separate();
  append_number(text_, number);
}

void pg_array::add(std::uint64_t number) { add(sql::to_bigint(number)); }

void pg_array::add(double number) {
  separate();
  append_number(text_, number);
}

const std::string& pg_array::literal() {
  if (!closed_)
    text_ += '}';
  closed_ = true;
  return text_;
}

void pg_array::separate() {
  if (closed_)
    text_.pop_back();
  closed_ = false;
  if (text_.size() > 1)
    text_ += ',';
}

} // namespace headway
