// What only the embedded engine has: its file, its lock.
#include "storage/store_lock.hpp"
#include "tests/storage/database.hpp"
#include "tests/storage/sample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace headway::test {

namespace {

class sqlite_file : public testing::Test {
protected:
  std::string path() const { return url_.text.substr(std::string_view{"sqlite://"}.size()); }

  std::unique_ptr<database> database_ = make_sqlite_database();
  store_url url_ = database_->url();
};

TEST_F(sqlite_file, is_made_with_its_folder_and_private) {
  ASSERT_FALSE(std::filesystem::exists(path()));
  migrate_store(url_);
  auto store = open_store(url_);
  sample_job job{"42"};
  auto batch = writes{job.create()};
  ASSERT_TRUE(store->commit(batch).has_value());
  using std::filesystem::perms;
  for (auto suffix : {"", "-wal", "-shm"})
    EXPECT_EQ(std::filesystem::status(path() + suffix).permissions(), perms::owner_read | perms::owner_write) << suffix;
}

TEST_F(sqlite_file, is_not_made_by_opening) {
  EXPECT_THROW(open_store(url_), store_open_error);
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(sqlite_file, that_is_no_database_is_refused) {
  std::filesystem::create_directories(std::filesystem::path{path()}.parent_path());
  std::ofstream{path()} << std::string(5000, 'x');
  EXPECT_THROW(open_store(url_), store_open_error);
  EXPECT_THROW(migrate_store(url_), store_open_error);
}

TEST_F(sqlite_file, that_was_removed_takes_no_writes) {
  migrate_store(url_);
  auto store = open_store(url_);
  std::filesystem::remove(path());
  sample_job job{"42"};
  auto batch = writes{job.create()};
  EXPECT_EQ(store->commit(batch).error(), errc::store_unavailable);
  EXPECT_FALSE(store->is_writable());
}

TEST_F(sqlite_file, keeps_its_log_of_changes_bounded) {
  migrate_store(url_);
  auto store = open_store(url_);
  auto reader = open_store(url_);
  sample_job job{"42"};
  auto first = writes{job.create()};
  ASSERT_TRUE(store->commit(first).has_value());
  std::uintmax_t largest = 0;
  for (auto i = 0; i < 300; ++i) {
    std::vector<job_write> batch;
    for (auto k = 0; k < 20; ++k)
      batch.push_back(job.update({.verb = job_verb::output, .chunk = std::string(2000, 'x')}));
    ASSERT_TRUE(store->commit(batch).has_value());
    ASSERT_TRUE(reader->load_job("42").has_value());
    largest = std::max(largest, std::filesystem::file_size(path() + "-wal"));
  }
  EXPECT_LT(largest, 8U << 20U); // 12 MB of chunks went through it
}

TEST_F(sqlite_file, is_served_by_one_at_a_time) {
  auto held = lock_store(url_);
  ASSERT_TRUE(held);
  try {
    lock_store(url_);
    FAIL() << "locked twice";
  } catch (const store_open_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("Another Headway process"));
  }
  migrate_store(url_);
  EXPECT_TRUE(open_store(url_)->is_writable()); // readers and tools do not ask for the lock
  held.reset();
  EXPECT_TRUE(lock_store(url_));
}

TEST_F(sqlite_file, is_free_again_when_its_server_was_killed) {
  auto child = ::fork();
  if (child == 0) {
    auto held = lock_store(url_);
    ::_exit(held ? 0 : 1); // no destructor, as after kill -9
  }
  auto status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(lock_store(url_));
}

} // namespace

} // namespace headway::test
