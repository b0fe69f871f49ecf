#include "net/transport/server.hpp"

#include <gtest/gtest.h>

namespace headway {

TEST(origin_policy, takes_listed_origins_its_own_host_and_no_origin) {
  origin_policy policy{{"https://app.example.org"}};
  EXPECT_TRUE(policy.may_connect("", "api.example.org"));
  EXPECT_TRUE(policy.may_connect("https://app.example.org", "api.example.org"));
  EXPECT_TRUE(policy.may_connect("http://localhost:8000", "localhost:8000"));
}

TEST(origin_policy, refuses_strangers_and_look_alikes) {
  origin_policy policy{{"https://app.example.org"}};
  for (auto evil : {"https://evil.example", "https://app.example.org.evil.example", "https://xapp.example.org",
                    "http://app.example.org", "https://app.example.org:444", "null", "localhost:8000"})
    EXPECT_FALSE(policy.may_connect(evil, "localhost:8000")) << evil;
}

TEST(origin_policy, a_star_answers_a_star) {
  EXPECT_EQ(origin_policy{{"*"}}.answer_to("https://any.example"), "*");
  EXPECT_EQ(origin_policy{{"*"}}.answer_to(""), "");
  EXPECT_EQ(origin_policy{{"https://a.example"}}.answer_to("https://a.example"), "https://a.example");
  EXPECT_EQ(origin_policy{{"https://a.example"}}.answer_to("https://b.example"), "");
}

} // namespace headway
