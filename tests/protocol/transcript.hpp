// TRANSCRIPTS  a session's life as text.
//
//   > what happens        the test writes both; `replay` carries out the ">" lines on a real session and writes down
//   < what comes of it    what it answers: the two texts must be the same
#pragma once

#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headway {

/// Splits at the first blank: "post 4a b" is {"post", "4a b"}.
inline std::pair<std::string, std::string> first_word(const std::string& line) {
  auto blank = line.find(' ');
  return {line.substr(0, blank), blank == std::string::npos ? std::string{} : line.substr(blank + 1)};
}

/// The transcript as it really goes. `act` gets a verb and its argument, and answers the lines that come of it.
inline std::string replay(std::string_view script,
                          const std::function<std::vector<std::string>(const std::string&, const std::string&)>& act) {
  std::istringstream lines{std::string{script}};
  std::string real = "\n";
  for (std::string line; std::getline(lines, line);) {
    auto start = line.find_first_not_of(' ');
    if (start == std::string::npos || line[start] != '>')
      continue;
    auto [verb, argument] = first_word(line.substr(start + 2));
    real += line.substr(start) + '\n';
    for (auto& answer : act(verb, argument))
      real += "< " + answer + '\n';
  }
  return real;
}

/// The script without indentation and comments ("#").
inline std::string expected(std::string_view script) {
  std::istringstream lines{std::string{script}};
  std::string out = "\n";
  for (std::string line; std::getline(lines, line);) {
    auto start = line.find_first_not_of(' ');
    if (start != std::string::npos && line[start] != '#')
      out += line.substr(start) + '\n';
  }
  return out;
}

} // namespace headway

/// The script says what really happens.
#define EXPECT_TRANSCRIPT(session, script) EXPECT_EQ((session)(script), ::headway::expected(script))
