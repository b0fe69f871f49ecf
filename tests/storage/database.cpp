#include "tests/storage/database.hpp"

#include "tests/support/postgres.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <pqxx/pqxx>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace headway::test {

namespace {

class sqlite_database final : public database {
public:
  sqlite_database() {
    auto pattern = (std::filesystem::temp_directory_path() / "headway-sqlite-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      throw std::runtime_error{"mkdtemp failed"};
    folder_ = pattern;
  }
  ~sqlite_database() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  store_url url() const override { return {"sqlite://" + path()}; }
  void execute(const std::string& sql) override { open().exec(sql); }
  std::string ask(const std::string& sql) override { return open().execAndGet(sql).getString(); }

private:
  std::string path() const { return (folder_ / "data" / "headway.db").string(); }

  SQLite::Database open() const {
    std::filesystem::create_directories(folder_ / "data");
    return SQLite::Database{path(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 5000};
  }

  std::filesystem::path folder_;
};

class postgres_database final : public database {
public:
  store_url url() const override { return {url_}; }
  void execute(const std::string& sql) override { run(sql); }
  std::string ask(const std::string& sql) override { return run(sql).at(0)[0].as<std::string>(); }

private:
  pqxx::result run(const std::string& sql) const {
    pqxx::connection connection{url_};
    pqxx::nontransaction work{connection};
    return work.exec(sql);
  }

  std::string url_ = shared_postgres().make_database();
};

} // namespace

std::unique_ptr<database> make_sqlite_database() { return std::make_unique<sqlite_database>(); }

std::unique_ptr<database> make_postgres_database() { return std::make_unique<postgres_database>(); }

std::vector<engine> engines() { return {{"sqlite", make_sqlite_database}, {"postgres", make_postgres_database}}; }

} // namespace headway::test
