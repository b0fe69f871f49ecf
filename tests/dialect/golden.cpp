#include "tests/dialect/golden.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace headway {

golden_file::golden_file(const std::string& name) : path_{HEADWAY_SOURCE_DIR "/tests/dialect/golden/" + name} {}

void golden_file::add(const std::string& what, const std::vector<wire_event>& events) {
  auto said = json::array();
  for (auto& event : events)
    said.push_back(json::array({event.name, event.payload}));
  auto line = json::object();
  line["case"] = what;
  line["events"] = std::move(said);
  lines_.push_back(dump_json(line));
}

void golden_file::check() const {
  if (std::getenv("HEADWAY_UPDATE_GOLDEN")) {
    std::ofstream out{path_};
    for (auto& line : lines_)
      out << line << '\n';
    ASSERT_TRUE(out.good()) << path_;
    return;
  }
  std::ifstream in{path_};
  ASSERT_TRUE(in.good()) << path_ << " is missing: set HEADWAY_UPDATE_GOLDEN=1 to write it";
  std::vector<std::string> kept;
  for (std::string line; std::getline(in, line);)
    kept.push_back(line);
  for (std::size_t i = 0; i < std::max(kept.size(), lines_.size()); ++i)
    EXPECT_EQ(i < lines_.size() ? lines_[i] : "(no such case any more)", i < kept.size() ? kept[i] : "(a new case)")
      << path_ << ':' << i + 1;
}

} // namespace headway
