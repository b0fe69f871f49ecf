// Which databases are opened, which are refused.
#include "tests/storage/database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace headway::test {

namespace {

class migrations : public testing::TestWithParam<engine> {
protected:
  /// The sentence with which `call` is refused.
  template <class Call>
  static std::string refusal(Call call) {
    try {
      call();
    } catch (const store_open_error& error) {
      return error.what();
    }
    return "not refused";
  }

  std::unique_ptr<database> database_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(engines, migrations, testing::ValuesIn(engines()),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(migrations, are_applied_once) {
  EXPECT_EQ(migrate_store(database_->url()), 1);
  EXPECT_EQ(migrate_store(database_->url()), 1);
  EXPECT_EQ(database_->ask("SELECT count(*) FROM headway_schema"), "1");
  EXPECT_EQ(open_store(database_->url())->head().value(), 0U);
}

TEST_P(migrations, may_be_started_by_several_at_once) {
  auto work = [&] { EXPECT_EQ(migrate_store(database_->url()), 1); };
  std::jthread other{work};
  work();
  other.join();
  EXPECT_EQ(database_->ask("SELECT count(*) FROM headway_schema"), "1");
}

TEST_P(migrations, are_asked_for_where_the_schema_is_missing) {
  database_->execute("CREATE TABLE notes (id integer)");
  EXPECT_THAT(refusal([&] { open_store(database_->url()); }), testing::HasSubstr("headway migrate"));
}

TEST_P(migrations, refuse_a_newer_schema) {
  migrate_store(database_->url());
  database_->execute("INSERT INTO headway_schema (version, name) VALUES (999, 'future')");
  EXPECT_THAT(refusal([&] { open_store(database_->url()); }), testing::HasSubstr("version 999"));
  EXPECT_THAT(refusal([&] { migrate_store(database_->url()); }), testing::HasSubstr("version 999"));
}

TEST_P(migrations, refuse_a_foreign_schema_and_leave_it_alone) {
  database_->execute("CREATE TABLE jobs (id integer)");
  EXPECT_THAT(refusal([&] { migrate_store(database_->url()); }), testing::HasSubstr("not Headway's"));
  EXPECT_THAT(refusal([&] { open_store(database_->url()); }), testing::HasSubstr("not Headway's"));
  EXPECT_EQ(database_->ask("SELECT count(*) FROM jobs"), "0");
}

TEST_P(migrations, refuse_a_damaged_schema) {
  migrate_store(database_->url());
  database_->execute("DROP TABLE log");
  EXPECT_THAT(refusal([&] { open_store(database_->url()); }), testing::HasSubstr("\"log\" is missing"));
}

TEST(store_url, that_names_no_engine_is_refused_without_repeating_it) {
  for (auto text : {"", "mysql://u:secret@h/d", "sqlite://", "sqlite:///some/folder/", "postgres:secret"}) {
    try {
      open_store({text});
      FAIL() << text;
    } catch (const store_open_error& error) {
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("secret")));
    }
  }
}

} // namespace

} // namespace headway::test
