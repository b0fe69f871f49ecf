#include "core/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace headway {

using testing::HasSubstr;

TEST(metrics, render_as_prometheus_text) {
  metrics m;
  m.commits.Increment(3);
  m.connections_websocket.Set(2);
  m.connections_polling.Set(1);
  m.ingest_requests(200).Increment();
  m.ingest_requests(429).Increment(2);
  m.disconnects("ping timeout").Increment();
  m.commit_batch_size.Observe(8);
  auto text = m.render();
  EXPECT_THAT(text, HasSubstr("# TYPE headway_commits_total counter\nheadway_commits_total 3"));
  EXPECT_THAT(text, HasSubstr("headway_connections{transport=\"websocket\"} 2"));
  EXPECT_THAT(text, HasSubstr("headway_connections{transport=\"polling\"} 1"));
  EXPECT_THAT(text, HasSubstr("headway_ingest_requests_total{code=\"200\"} 1"));
  EXPECT_THAT(text, HasSubstr("headway_ingest_requests_total{code=\"429\"} 2"));
  EXPECT_THAT(text, HasSubstr("headway_disconnects_total{reason=\"ping timeout\"} 1"));
  EXPECT_THAT(text, HasSubstr("headway_commit_batch_size_bucket{le=\"8\"} 1"));
  EXPECT_THAT(text, HasSubstr("headway_commit_batch_size_bucket{le=\"4\"} 0"));
}

TEST(metrics, every_name_has_the_prefix_and_a_help_text) {
  metrics m;
  std::istringstream lines{m.render()};
  int helps = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      ++helps;
      EXPECT_TRUE(line.starts_with("# HELP headway_")) << line;
      EXPECT_NE(line.find(' ', 7), std::string::npos) << line;
    } else if (!line.starts_with("#")) {
      EXPECT_TRUE(line.starts_with("headway_")) << line;
    }
  }
  EXPECT_GT(helps, 10);
}

TEST(metrics, what_was_refused_or_dropped_is_told_by_its_reason) {
  metrics m;
  m.refused("connections_per_address").Increment();
  m.limit_exceeded("http.head_bytes_max").Increment(2);
  m.dropped_events("unknown_event").Increment(3);
  auto text = m.render();
  EXPECT_THAT(text, HasSubstr("\nheadway_refused_total{reason=\"connections_per_address\"} 1"));
  EXPECT_THAT(text, HasSubstr("\nheadway_limit_exceeded_total{limit=\"http.head_bytes_max\"} 2"));
  EXPECT_THAT(text, HasSubstr("\nheadway_dropped_events_total{reason=\"unknown_event\"} 3"));
}

TEST(metrics, what_must_stay_zero_is_there_from_the_start) {
  auto text = metrics{}.render();
  EXPECT_THAT(text, HasSubstr("# TYPE headway_actors_lost gauge\nheadway_actors_lost 0\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE headway_handler_exceptions_total counter\nheadway_handler_exceptions_total 0\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE headway_actors gauge\nheadway_actors 0\n"));
}

TEST(metrics, the_same_label_is_the_same_counter) {
  metrics m;
  EXPECT_EQ(&m.ingest_requests(200), &m.ingest_requests(200));
  EXPECT_NE(&m.ingest_requests(200), &m.ingest_requests(202));
}

TEST(metrics, two_servers_in_one_process_count_apart) {
  metrics a;
  metrics b;
  a.commits.Increment();
  EXPECT_EQ(b.commits.Value(), 0);
}

} // namespace headway
