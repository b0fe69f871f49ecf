#include "net/api/route.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace headway {

namespace {

using testing::ElementsAre;
using testing::Optional;

TEST(routes, no_two_rows_say_the_same) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const auto& row : routes()) {
    EXPECT_TRUE(seen.emplace(row.method, row.pattern).second) << row.method << ' ' << row.pattern;
    EXPECT_NE(row.handle, nullptr) << row.pattern;
    EXPECT_TRUE(row.pattern.starts_with('/')) << row.pattern;
  }
}

TEST(routes, whatever_writes_wants_the_right_to_ingest) {
  for (const auto& row : routes()) {
    if (row.method != "GET") {
      EXPECT_EQ(row.who, access::ingest) << row.pattern;
    }
  }
}

TEST(match_path, fits_part_by_part) {
  EXPECT_THAT(match_path("/", "/"), Optional(ElementsAre()));
  EXPECT_THAT(match_path("/health", "/health"), Optional(ElementsAre()));
  EXPECT_THAT(match_path("/api/v1/jobs/{}", "/api/v1/jobs/42"), Optional(ElementsAre("42")));
  EXPECT_THAT(match_path("/api/v1/jobs/{}/{}", "/api/v1/jobs/42/complete"), Optional(ElementsAre("42", "complete")));
}

TEST(match_path, wants_all_parts_and_no_more) {
  for (const auto* path : {"", "/", "/api/v1/jobs", "/api/v1/jobs/", "/api/v1/jobs/42/", "/api/v1/jobs/42/x",
                           "/api/v1/jobs//x", "api/v1/jobs/42", "//api/v1/jobs/42", "/API/v1/jobs/42"})
    EXPECT_FALSE(match_path("/api/v1/jobs/{}", path)) << path;
  EXPECT_FALSE(match_path("/health", "/health/"));
  EXPECT_FALSE(match_path("/", ""));
}

TEST(match_path, decodes_a_variable_part_after_it_was_cut_out) {
  EXPECT_THAT(match_path("/jobs/{}", "/jobs/a%2Fb"), Optional(ElementsAre("a/b")));
  EXPECT_THAT(match_path("/jobs/{}", "/jobs/a+b%20c"), Optional(ElementsAre("a+b c")));
}

TEST(match_path, broken_escape_fits_nothing) {
  EXPECT_FALSE(match_path("/jobs/{}", "/jobs/%2"));
  EXPECT_FALSE(match_path("/jobs/{}", "/jobs/%zz"));
}

} // namespace

} // namespace headway
