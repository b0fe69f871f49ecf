// docs/conformance.md names tests that exist, and counts its rows right. Reads the tree; needs nothing of ours to
// build.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// "suite.test" of each TEST and TEST_F in the text.
std::set<std::string> tests_in(const std::string& source) {
  static const std::regex test{R"(\bTEST(?:_F)?\(\s*(\w+),\s*(\w+)\))"};
  std::set<std::string> out;
  for (std::sregex_iterator it{source.begin(), source.end(), test}, end; it != end; ++it)
    out.insert((*it)[1].str() + '.' + (*it)[2].str());
  return out;
}

struct row {
  std::string behaviour;
  std::string mark;
  std::vector<std::string> tests;
};

/// The rows of all tables, without their heads.
std::vector<row> rows_of(const std::string& document) {
  static const std::regex cells{R"(^\| (.*) \| (.*) \| (.*) \|$)"};
  static const std::regex name{"`([^`]*)`"};
  std::vector<row> out;
  std::istringstream lines{document};
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (!std::regex_match(line, found, cells) || found[1] == "behaviour" || found[1] == "---")
      continue;
    row r{found[1], found[2], {}};
    auto tests = found[3].str();
    for (std::sregex_iterator it{tests.begin(), tests.end(), name}, end; it != end; ++it)
      r.tests.push_back((*it)[1]);
    out.push_back(std::move(r));
  }
  return out;
}

/// A file of tests/e2e, or "file::test" of one that has such a test.
bool is_end_to_end(const std::string& name) {
  if (!name.starts_with("tests/e2e/test_"))
    return false;
  auto file = name.substr(0, name.find("::"));
  auto text = read(fs::path{HEADWAY_SOURCE_DIR} / file);
  return !text.empty() &&
         (file == name || text.find("\ndef " + name.substr(file.size() + 2) + '(') != std::string::npos);
}

std::set<std::string> protocol_tests() {
  std::set<std::string> out;
  for (auto& entry : fs::directory_iterator{fs::path{HEADWAY_SOURCE_DIR} / "tests/protocol"})
    if (entry.path().extension() == ".cpp")
      out.merge(tests_in(read(entry.path())));
  return out;
}

std::string document() { return read(fs::path{HEADWAY_SOURCE_DIR} / "docs/conformance.md"); }

} // namespace

TEST(conformance, every_row_names_a_test_that_exists) {
  auto tests = protocol_tests();
  auto rows = rows_of(document());
  ASSERT_GT(rows.size(), 50U) << "is " << HEADWAY_SOURCE_DIR << " the tree?";
  for (auto& r : rows) {
    EXPECT_FALSE(r.tests.empty()) << r.behaviour;
    EXPECT_TRUE(r.mark == "must" || r.mark == "ref" || r.mark == "better") << r.behaviour;
    for (auto& name : r.tests)
      EXPECT_TRUE(tests.contains(name) || is_end_to_end(name)) << name << "\n  " << r.behaviour;
  }
}

TEST(conformance, every_row_is_there_once) {
  std::set<std::string> seen;
  for (auto& r : rows_of(document()))
    EXPECT_TRUE(seen.insert(r.behaviour).second) << r.behaviour;
}

TEST(conformance, the_counts_are_right) {
  std::size_t musts = 0, end_to_end = 0;
  auto rows = rows_of(document());
  for (auto& r : rows) {
    musts += r.mark == "must";
    end_to_end += std::ranges::all_of(r.tests, is_end_to_end);
  }
  auto counts = std::to_string(rows.size()) + " rows, " + std::to_string(musts) + " of them **must**; " +
                std::to_string(end_to_end) + " are end to end only.";
  EXPECT_NE(document().find('\n' + counts + '\n'), std::string::npos) << "it should say: " << counts;
}

TEST(conformance_check, reads_rows_and_tests) {
  auto rows = rows_of("| behaviour | mark | tests |\n| --- | --- | --- |\n| a `b` | must | `x.y`, `z.w` |\ntext\n");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].behaviour, "a `b`");
  EXPECT_EQ(rows[0].mark, "must");
  EXPECT_EQ(rows[0].tests, (std::vector<std::string>{"x.y", "z.w"}));
  EXPECT_EQ(tests_in("TEST(a, b) {}\nTEST_F(c,\n       d) {}\nEXPECT_TEST(e, f)"),
            (std::set<std::string>{"a.b", "c.d"}));
}
