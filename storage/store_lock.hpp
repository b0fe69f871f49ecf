// One serving process per SQLite database: two would not corrupt it, but each would miss what the other commits.
#pragma once

#include "storage/make_store.hpp"

#include <memory>
#include <string>

namespace headway {

/// Holds `<database>.lock` until it is destroyed or the process dies. Readers and `headway key` do not ask for it.
class store_lock {
public:
  /// @throws store_open_error where another process (or another lock in this one) holds it.
  explicit store_lock(const std::string& database_path);
  ~store_lock();
  store_lock(const store_lock&) = delete;
  store_lock& operator=(const store_lock&) = delete;

private:
  int fd_ = -1;
};

/// For the process that serves. Null for PostgreSQL, which any number of nodes may share.
/// @throws store_open_error
std::unique_ptr<store_lock> lock_store(const store_url& url);

} // namespace headway
