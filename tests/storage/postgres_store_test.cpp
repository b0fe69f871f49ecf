// What only the shared engine has: a server that goes away and comes back.
#include "storage/backoff.hpp"
#include "tests/storage/cutting_proxy.hpp"
#include "tests/storage/database.hpp"
#include "tests/storage/sample.hpp"
#include "tests/support/postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

namespace headway::test {

namespace {

using namespace std::chrono_literals;

TEST(backoff, doubles_from_50_ms_to_2_s_and_forgets_when_it_works) {
  backoff tries;
  auto now = steady_time{} + 1h;
  EXPECT_TRUE(tries.ready(now));
  for (auto wait : {50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 2000ms, 2000ms}) {
    tries.failed(now);
    EXPECT_FALSE(tries.ready(now + wait - 1ms));
    EXPECT_TRUE(tries.ready(now + wait));
    now += wait;
  }
  tries.worked();
  EXPECT_TRUE(tries.ready(now));
  tries.failed(now);
  EXPECT_TRUE(tries.ready(now + 50ms));
}

class postgres : public testing::Test {
protected:
  void SetUp() override { migrate_store(url_); }

  /// Tries until it works.
  static std::vector<write_result> commit(store& to, writes batch) {
    for (auto i = 0; i < 200; ++i, std::this_thread::sleep_for(50ms))
      if (auto results = to.commit(batch))
        return *results;
    throw std::runtime_error{"the store did not come back"};
  }

  postgres_cluster cluster_;
  store_url url_{cluster_.make_database()};
};

TEST_F(postgres, that_stops_is_unavailable_and_comes_back_by_itself) {
  auto store = open_store(url_);
  sample_job job{"42"};
  commit(*store, writes{job.create()});
  EXPECT_TRUE(store->is_writable());

  cluster_.stop();
  auto batch = writes{job.progress(10)};
  for (auto i = 0; i < 3; ++i) {
    EXPECT_EQ(store->commit(batch).error(), errc::store_unavailable);
    EXPECT_EQ(store->load_job("42").error(), errc::store_unavailable);
    EXPECT_EQ(store->list_jobs({}).error(), errc::store_unavailable);
    EXPECT_EQ(store->job_events("42", 0, 1).error(), errc::store_unavailable);
    EXPECT_EQ(store->head().error(), errc::store_unavailable);
    EXPECT_EQ(store->find_api_key("x").error(), errc::store_unavailable);
    EXPECT_EQ(store->put_api_key("x", {}).error(), errc::store_unavailable);
    EXPECT_FALSE(store->is_writable());
  }
  EXPECT_EQ(batch[0].events[0]->position, 0U);

  cluster_.start();
  EXPECT_EQ(commit(*store, batch)[0].position, 3U);
  EXPECT_TRUE(store->is_writable());
}

TEST_F(postgres, that_ends_one_connection_loses_nothing) {
  auto store = open_store(url_);
  sample_job job{"42"};
  commit(*store, writes{job.create()});
  auto other = cluster_.make_database(); // any connection that is not the store's
  pqxx::connection admin{url_.text};
  pqxx::nontransaction{admin}.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
                                   "'headway'");
  EXPECT_EQ(store->head().error(), errc::store_unavailable);
  EXPECT_EQ(commit(*store, writes{job.progress(1)})[0].position, 3U);
}

TEST_F(postgres, that_cannot_be_reached_is_an_opening_error_without_secrets) {
  cluster_.stop();
  for (const auto& text :
       {url_.text, std::string{"postgres://u:secret%zz@h/d"}, std::string{"postgres://u:secret@127.0.0.1:1/d"}}) {
    try {
      open_store({text});
      FAIL() << text;
    } catch (const store_open_error& error) {
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("secret")));
    }
  }
}

/// A store that reaches the server through a proxy which cuts its connection at the COMMIT.
class in_doubt : public postgres {
protected:
  void SetUp() override {
    postgres::SetUp();
    std::filesystem::create_directory(folder_);
    proxy_.emplace(folder_, cluster_.folder());
    auto url = url_.text;
    url.replace(url.find(name(cluster_.folder())), name(cluster_.folder()).size(),
                name(cluster_.folder()) + "%2Fproxy");
    store_ = open_store({url});
    commit(*store_, writes{job_.create()});
  }

  static std::string name(const std::string& folder) { return folder.substr(folder.rfind('/') + 1); }

  std::string folder_ = cluster_.folder() + "/proxy";
  std::optional<cutting_proxy> proxy_;
  std::unique_ptr<store> store_;
  sample_job job_{"42"};
};

TEST_F(in_doubt, a_commit_whose_answer_was_lost_is_found_in_the_log) {
  proxy_->arm(cut::after_commit);
  auto batch = writes{job_.progress(10), job_.heartbeat()};
  auto results = store_->commit(batch);
  EXPECT_TRUE(proxy_->has_cut());
  ASSERT_TRUE(results.has_value());
  EXPECT_EQ(results->at(1).position, 3U);
  EXPECT_EQ(batch[0].events[0]->position, 2U);
  EXPECT_EQ(store_->head().value(), 3U);
}

TEST_F(in_doubt, a_commit_that_never_arrived_was_not_written) {
  proxy_->arm(cut::before_commit);
  auto batch = writes{job_.progress(10)};
  EXPECT_EQ(store_->commit(batch).error(), errc::store_unavailable);
  EXPECT_TRUE(proxy_->has_cut());
  EXPECT_EQ(batch[0].events[0]->position, 0U);
  EXPECT_EQ(store_->load_job("42")->seq, 1U);
  EXPECT_EQ(commit(*store_, batch)[0].position, 3U); // the same batch again
}

TEST_F(in_doubt, a_heartbeat_is_simply_sent_again) {
  commit(*store_, writes{job_.progress(10)});
  proxy_->arm(cut::after_commit);
  auto batch = writes{job_.heartbeat()};
  EXPECT_EQ(store_->commit(batch).error(), errc::store_unavailable);
  EXPECT_EQ(commit(*store_, batch)[0].position, 3U);
}

TEST_F(postgres, that_turns_read_only_takes_no_writes) {
  auto store = open_store(url_);
  pqxx::connection admin{url_.text};
  pqxx::nontransaction{admin}.exec("ALTER SYSTEM SET default_transaction_read_only = on");
  pqxx::nontransaction{admin}.exec("SELECT pg_reload_conf()");
  for (auto i = 0; i < 100 && store->is_writable(); ++i)
    std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(store->is_writable());
  sample_job job{"42"};
  auto batch = writes{job.create()};
  EXPECT_EQ(store->commit(batch).error(), errc::store_unavailable);
}

} // namespace

} // namespace headway::test
