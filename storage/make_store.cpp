#include "storage/make_store.hpp"

#include "storage/postgres_store.hpp"
#include "storage/sqlite_store.hpp"
#include "storage/store_lock.hpp"

#include <string_view>

namespace headway {

namespace {

constexpr std::string_view sqlite_scheme = "sqlite://";

bool is_postgres(std::string_view url) { return url.starts_with("postgres://") || url.starts_with("postgresql://"); }

/// @throws store_open_error; without the text of the URL, which may hold a password.
std::string sqlite_path(std::string_view url) {
  if (!url.starts_with(sqlite_scheme))
    throw store_open_error{"The database URL must start with sqlite:// or postgres://."};
  auto path = url.substr(sqlite_scheme.size());
  if (path.empty() || path.ends_with('/'))
    throw store_open_error{
      "The database URL names no file; write sqlite:///absolute/path.db or sqlite://relative/path.db."};
  return std::string{path};
}

} // namespace

std::unique_ptr<store> open_store(const store_url& url) {
  if (is_postgres(url.text))
    return open_postgres_store(url.text);
  return open_sqlite_store(sqlite_path(url.text));
}

int migrate_store(const store_url& url) {
  if (is_postgres(url.text))
    return migrate_postgres(url.text);
  return migrate_sqlite(sqlite_path(url.text));
}

std::unique_ptr<store_lock> lock_store(const store_url& url) {
  if (is_postgres(url.text))
    return nullptr;
  return std::make_unique<store_lock>(sqlite_path(url.text));
}

} // namespace headway
