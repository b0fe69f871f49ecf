#include "core/room_name.hpp"

#include <gtest/gtest.h>

#include <string>
#include <unordered_set>

namespace headway {

TEST(room_name, every_kind_goes_to_text_and_back) {
  for (auto kind : {room_kind::job, room_kind::batch, room_kind::project, room_kind::user, room_kind::campaign,
                    room_kind::agent, room_kind::global}) {
    room_name room{kind, kind == room_kind::global ? "" : "a-1.B_2"};
    auto back = parse_room_name(to_string(room));
    ASSERT_TRUE(back) << to_string(room);
    EXPECT_EQ(*back, room);
  }
}

TEST(room_name, an_id_may_hold_colons) {
  auto room = parse_room_name("job:etl:2026:1");
  ASSERT_TRUE(room);
  EXPECT_EQ(room->kind, room_kind::job);
  EXPECT_EQ(room->id, "etl:2026:1");
}

TEST(room_name, malformed_names_are_bad_requests) {
  for (const std::string text : {"", "job", "job:", ":42", "jobs:42", "JOB:42", " job:42", "job:4 2", "job:a/b",
                                 "job:é", "global:", "global:1", "Global", "job:\n"}) {
    auto room = parse_room_name(text);
    ASSERT_FALSE(room) << text;
    EXPECT_EQ(room.error(), errc::bad_request) << text;
  }
}

TEST(room_name, an_id_has_at_most_128_characters) {
  EXPECT_TRUE(parse_room_name("job:" + std::string(128, 'a')));
  EXPECT_FALSE(parse_room_name("job:" + std::string(129, 'a')));
}

TEST(room_name, the_same_id_in_two_kinds_is_two_rooms) {
  std::unordered_set<room_name> rooms{{room_kind::job, "1"}, {room_kind::batch, "1"}, {room_kind::job, "1"}};
  EXPECT_EQ(rooms.size(), 2U);
}

} // namespace headway
