// A fresh, private database for one test, on either engine.
#pragma once

#include "storage/make_store.hpp"

#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace headway::test {

class database {
public:
  virtual ~database() = default;

  /// Exists, is empty, holds no schema yet.
  virtual store_url url() const = 0;
  /// Behind the store's back.
  virtual void execute(const std::string& sql) = 0;
  /// First column of the first row, as text.
  virtual std::string ask(const std::string& sql) = 0;
};

struct engine {
  std::string name;
  std::unique_ptr<database> (*make)();
};

/// What GoogleTest prints of it.
inline void PrintTo(const engine& what, std::ostream* out) { *out << what.name; }

/// For INSTANTIATE_TEST_SUITE_P.
std::vector<engine> engines();

std::unique_ptr<database> make_sqlite_database();
std::unique_ptr<database> make_postgres_database();

} // namespace headway::test
