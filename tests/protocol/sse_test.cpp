#include "net/protocol/sse.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace headway::sse {
namespace {

using namespace std::string_literals;

struct heard {
  std::string name;
  std::string data;
  std::string last_id;

  bool operator==(const heard&) const = default;
};

/// What an EventSource makes of a stream: the standard's algorithm, "Interpreting an event stream", line by line.
std::vector<heard> listen(std::string_view stream) {
  std::vector<heard> out;
  heard now;
  while (!stream.empty()) {
    auto line = stream.substr(0, stream.find_first_of("\r\n"));
    stream.remove_prefix(line.size());
    stream.remove_prefix(stream.starts_with("\r\n") ? 2 : stream.empty() ? 0 : 1);
    if (line.empty()) {
      if (!now.data.empty()) {
        now.data.pop_back(); // the LF behind the last line
        out.push_back(now);
      }
      now = {"", "", now.last_id};
      continue;
    }
    auto field = line.substr(0, line.find(':'));
    auto value = line.substr(std::min(field.size() + 1, line.size()));
    if (value.starts_with(' '))
      value.remove_prefix(1);
    if (field == "event")
      now.name = value;
    else if (field == "data")
      now.data += std::string{value} + '\n';
    else if (field == "id")
      now.last_id = value;
  }
  return out;
}

TEST(sse_event, is_fields_and_an_empty_line) {
  EXPECT_EQ(event("job_update", 17, R"({"a":1})"), "id: 17\nevent: job_update\ndata: {\"a\":1}\n\n");
  EXPECT_EQ(event("job_update", std::nullopt, "x"), "event: job_update\ndata: x\n\n");
  EXPECT_EQ(event("", 0, "x"), "id: 0\ndata: x\n\n");
}

TEST(sse_event, each_line_of_data_is_a_field) {
  EXPECT_EQ(event("e", {}, "a\nb"), "event: e\ndata: a\ndata: b\n\n");
  EXPECT_EQ(event("e", {}, "a\r\nb\rc"), "event: e\ndata: a\ndata: b\ndata: c\n\n");
  EXPECT_EQ(event("e", {}, ""), "event: e\ndata: \n\n");
  EXPECT_EQ(event("e", {}, "a\n"), "event: e\ndata: a\ndata: \n\n");
  EXPECT_EQ(event("e", {}, "\n\n"), "event: e\ndata: \ndata: \ndata: \n\n");
  EXPECT_EQ(event("e", {}, "\n\r"), "event: e\ndata: \ndata: \ndata: \n\n") << "LF CR are two";
}

TEST(sse_event, is_heard_as_it_was_said) {
  for (auto& data : {"x"s, " x"s, ":x"s, "data: x"s, "a\nevent: forged\n\nid: 9"s, "a\n\n\nb"s, "\n"s, "\xc3\xbc"s})
    EXPECT_EQ(listen(event("job_update", 17, data)), (std::vector<heard>{{"job_update", data, "17"}})) << data;
  EXPECT_EQ(listen(event("e", 1, "a\r\nb\rc")), (std::vector<heard>{{"e", "a\nb\nc", "1"}}));
  EXPECT_EQ(listen(event("e", 1, "a") + comment("x") + retry(std::chrono::seconds{3}) + event("f", 2, "b")),
            (std::vector<heard>{{"e", "a", "1"}, {"f", "b", "2"}}));
}

TEST(sse_event, a_name_forges_no_field) {
  EXPECT_EQ(event("a\r\ndata: x\n\n", {}, "y"), "event: adata: x\ndata: y\n\n");
}

TEST(sse_comment, is_passed_over_whatever_it_says) {
  EXPECT_EQ(comment("keep-alive"), ": keep-alive\n\n");
  EXPECT_EQ(comment("a\ndata: x"), ": a\n: data: x\n\n");
  EXPECT_EQ(comment(""), ": \n\n");
  EXPECT_TRUE(listen(comment("a\r\ndata: x\n\ndata: y")).empty());
}

TEST(sse_retry, is_in_milliseconds) { EXPECT_EQ(retry(std::chrono::seconds{3}), "retry: 3000\n\n"); }

TEST(sse_last_event_id, is_a_whole_number_as_it_was_given) {
  EXPECT_EQ(read_last_event_id("0"), 0U);
  EXPECT_EQ(read_last_event_id("17"), 17U);
  EXPECT_EQ(read_last_event_id("9007199254740992"), 9007199254740992U);
  for (auto& text : {""s, " 17"s, "17 "s, "+17"s, "-0"s, "017"s, "00"s, "1.0"s, "1e3"s, "0x11"s, "17\n"s, "17\0"s,
                     "9007199254740993"s, "18446744073709551616"s, "99999999999999999999999"s, "null"s, "\xd9\xa5"s})
    EXPECT_EQ(read_last_event_id(text), std::nullopt) << text;
}

} // namespace
} // namespace headway::sse
