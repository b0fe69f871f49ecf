// The name of a store in the configuration, and the store.
#pragma once

#include "storage/store.hpp"

#include <memory>
#include <string>

namespace headway {

/// A URL that may be opened any number of times:
/// `sqlite:///abs/path.db`, `sqlite://rel/path.db`, `postgres://user:pw@host:port/db` (or `postgresql://`).
struct store_url {
  std::string text;
};

/// Opens the store; the writer and every reader call this. The schema must be at the newest version.
/// @throws store_open_error
std::unique_ptr<store> open_store(const store_url& url);

/// Applies the migrations that are missing, under a lock, forward only. @returns the schema's version.
/// @throws store_open_error also for a newer or foreign schema.
int migrate_store(const store_url& url);

} // namespace headway
