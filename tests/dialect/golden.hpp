// GOLDEN FILES  what a dialect says, one JSON line a case, kept beside the tests and reviewed like code.
#pragma once

#include "core/json.hpp"
#include "net/dialect/dialect.hpp"

#include <string>
#include <vector>

namespace headway {

class golden_file {
public:
  /// `name` in tests/dialect/golden/.
  explicit golden_file(const std::string& name);

  /// What was asked and what came of it.
  void add(const std::string& what, const std::vector<wire_event>& events);

  /// Compares all lines with the file. With HEADWAY_UPDATE_GOLDEN set it writes the file instead: look at the diff.
  void check() const;

private:
  std::string path_;
  std::vector<std::string> lines_;
};

} // namespace headway
