#include "net/transport/io_threads.hpp"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

namespace headway {

TEST(io_threads, a_handler_that_throws_ends_nothing_but_itself) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  metrics counters;
  io_threads threads{system, 1, counters};
  std::promise<void> went_on;
  boost::asio::post(threads.context(0), [] { throw std::runtime_error{"planted"}; });
  boost::asio::post(threads.context(0), [] { throw 42; });
  boost::asio::post(threads.context(0), [&went_on] { went_on.set_value(); });
  EXPECT_EQ(went_on.get_future().wait_for(std::chrono::seconds{30}), std::future_status::ready);
  EXPECT_EQ(counters.handler_exceptions.Value(), 2);
}

TEST(io_threads, are_at_most_as_many_as_a_sid_can_name) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  metrics counters;
  EXPECT_EQ((io_threads{system, 100, counters}.size()), 36U);
}

} // namespace headway
