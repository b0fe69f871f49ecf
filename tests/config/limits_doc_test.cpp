// docs/limits.md and the table of settings say the same.
#include "config/settings.hpp"
#include "core/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace headway {

namespace {

using testing::HasSubstr;
using testing::Not;

/// The cells of "| a | b |", without blanks around them; none for any other line.
std::vector<std::string> cells_of(const std::string& line) {
  static const std::regex cell{R"(\|\s*((?:[^|]*[^|\s])?)\s*(?=\|))"};
  std::vector<std::string> out;
  for (std::sregex_iterator it{line.begin(), line.end(), cell}, end; line.starts_with('|') && it != end; ++it)
    out.push_back((*it)[1]);
  return out;
}

struct listed_limit {
  std::string value; ///< "262144"
  std::string seen;
  std::string metric;
};

/// The rows whose first cell is `a.setting`. A setting that is listed twice fails the test.
std::map<std::string, listed_limit> listed_limits() {
  std::ifstream in{std::string{HEADWAY_SOURCE_DIR} + "/docs/limits.md"};
  std::map<std::string, listed_limit> out;
  for (std::string line; std::getline(in, line);) {
    auto cells = cells_of(line);
    if (cells.size() != 4 || !cells[0].starts_with('`'))
      continue;
    auto name = cells[0].substr(1, cells[0].size() - 2);
    auto is_new = out.emplace(name, listed_limit{cells[1].substr(0, cells[1].find(' ')), cells[2], cells[3]}).second;
    EXPECT_TRUE(is_new) << name << " is listed twice";
  }
  return out;
}

bool is_number(const setting& row) { return type_name(row) == "INT" || type_name(row) == "NUMBER"; }

} // namespace

TEST(limits_doc, lists_every_limit_with_its_default) {
  auto listed = listed_limits();
  for (const auto& row : settings()) {
    if (!row.limit)
      continue;
    auto it = listed.find(std::string{row.name});
    ASSERT_NE(it, listed.end()) << row.name << " is missing in docs/limits.md";
    EXPECT_EQ(it->second.value, value_text(row, config{})) << row.name;
  }
}

TEST(limits_doc, lists_nothing_else) {
  for (const auto& [name, limit] : listed_limits()) {
    const auto* row = find_setting(name);
    ASSERT_NE(row, nullptr) << name << " is no setting";
    EXPECT_TRUE(row->limit) << name << " is not marked as a limit in config/settings_table.cpp";
  }
}

TEST(limits_doc, says_of_each_what_a_client_sees_and_where_it_is_counted) {
  metrics known;
  known.refused("x");
  known.limit_exceeded("x");
  known.disconnects("x");
  known.ingest_requests(400);
  auto names = known.render();
  for (const auto& [name, limit] : listed_limits()) {
    EXPECT_FALSE(limit.seen.empty()) << name;
    if (limit.metric == "none")
      continue;
    ASSERT_TRUE(limit.metric.starts_with('`') && limit.metric.ends_with('`')) << name;
    auto family = limit.metric.substr(1, limit.metric.find_first_of("{`", 1) - 1);
    EXPECT_THAT(names, HasSubstr("# HELP " + family + " ")) << name;
  }
}

TEST(limits_doc, leaves_out_no_number_that_bounds_a_peer) {
  const std::set<std::string_view> bounds_ourselves{"storage.batch_writes_max", "shutdown.timeout_ms"};
  for (const auto& row : settings()) {
    auto sounds_like_one = row.name.ends_with("_max") || row.name.ends_with("_min") || row.name.ends_with("_burst") ||
                           row.name.ends_with("_timeout_ms") || row.name.find("per_second") != std::string_view::npos;
    if (is_number(row) && sounds_like_one && !bounds_ourselves.contains(row.name)) {
      EXPECT_TRUE(row.limit) << row.name;
    }
    EXPECT_TRUE(!row.limit || is_number(row)) << row.name << " is no number";
  }
}

TEST(limits_doc, where_zero_is_no_limit_the_help_says_so) {
  for (const auto& row : settings()) {
    if (row.limit && row.min == 0) {
      EXPECT_THAT(row.help, HasSubstr("; 0: ")) << row.name;
    } else if (row.limit) {
      EXPECT_THAT(row.help, Not(HasSubstr("0: "))) << row.name;
    }
  }
}

} // namespace headway
