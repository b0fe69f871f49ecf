// The wall around handlers: what one throws costs its own connection, and is counted.
#include "actors/connection.hpp"
#include "tests/actors/actor_test.hpp"
#include "tests/actors/ports.hpp"

#include <stdexcept>

namespace headway::test {

namespace {

class throwing : public connection {
public:
  explicit throwing(std::shared_ptr<bool> gone) : gone_{std::move(gone)} {}
  ~throwing() override { *gone_ = true; }
  void on_frame(const frame_arrived& msg) override {
    if (msg.data == "throw")
      throw std::runtime_error{"planted"};
    ++frames;
  }
  void on_time() override {}
  void on_outbound_changed() override {}
  void on_release() override {}

  int frames = 0;

private:
  std::shared_ptr<bool> gone_;
};

using wall_test = actor_test;

TEST_F(wall_test, a_connection_whose_handler_throws_ends_and_no_other) {
  auto gone = std::make_shared<bool>(false), other_gone = std::make_shared<bool>(false);
  auto open = [&](const std::shared_ptr<bool>& flag) {
    return spawn_connection(sys, nullptr, counters,
                            [flag](connection_self) { return std::make_unique<throwing>(flag); });
  };
  auto unlucky = open(gone), other = open(other_gone);
  auto taken = std::make_shared<bool>(false);
  run();
  caf::anon_send(unlucky, frame_arrived{nullptr, "throw", false, [taken] { *taken = true; }});
  caf::anon_send(other, frame_arrived{nullptr, "fine", false, [] {}});
  run();
  EXPECT_TRUE(*gone);
  EXPECT_FALSE(*other_gone);
  EXPECT_TRUE(*taken);
  EXPECT_EQ(counters.handler_exceptions.Value(), 1);
  EXPECT_EQ(counters.actors_lost.Value(), 0);
  caf::anon_send_exit(other, caf::exit_reason::user_shutdown);
  run();
}

TEST(walled, counts_and_swallows_what_is_thrown) {
  metrics counters;
  EXPECT_TRUE(walled(counters, "test", [] {}));
  EXPECT_FALSE(walled(counters, "test", [] { throw std::runtime_error{"planted"}; }));
  EXPECT_FALSE(walled(counters, "test", [] { throw 42; }));
  EXPECT_EQ(counters.handler_exceptions.Value(), 2);
}

} // namespace

} // namespace headway::test
