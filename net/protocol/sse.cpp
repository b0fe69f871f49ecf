#include "net/protocol/sse.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace headway::sse {

namespace {

constexpr std::uint64_t id_max = std::uint64_t{1} << 53U; // what a double, and so every client, can hold

/// Takes a line and its end (LF, CRLF or CR) off `text`. None left: nullopt; an empty text is one empty line.
std::optional<std::string_view> take_line(std::optional<std::string_view>& text) {
  if (!text)
    return std::nullopt;
  auto line = text->substr(0, text->find_first_of("\r\n"));
  auto rest = text->substr(line.size());
  if (rest.empty())
    text.reset();
  else
    text = rest.substr(rest.starts_with("\r\n") ? 2 : 1);
  return line;
}

/// `prefix` and a line, for each line of `text`.
void append_lines(std::string& out, std::string_view prefix, std::optional<std::string_view> text) {
  while (auto line = take_line(text)) {
    out += prefix;
    out += *line;
    out += '\n';
  }
}

} // namespace

std::string event(std::string_view name, std::optional<std::uint64_t> id, std::string_view data) {
  std::string out;
  if (id)
    out += "id: " + std::to_string(*id) + '\n';
  if (!name.empty()) {
    out += "event: ";
    std::ranges::remove_copy_if(name, std::back_inserter(out), [](char c) { return c == '\r' || c == '\n'; });
    out += '\n';
  }
  append_lines(out, "data: ", data);
  return out += '\n';
}

std::string comment(std::string_view text) {
  std::string out;
  append_lines(out, ": ", text);
  return out += '\n';
}

std::string retry(std::chrono::milliseconds time) { return "retry: " + std::to_string(time.count()) + "\n\n"; }

std::optional<std::uint64_t> read_last_event_id(std::string_view text) {
  std::uint64_t id = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), id);
  if (read.ec != std::errc{} || id > id_max || std::to_string(id) != text)
    return std::nullopt;
  return id;
}

} // namespace headway::sse
