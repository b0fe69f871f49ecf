// The embedded engine: one file, WAL, every commit synced. See store.hpp for what it promises.
#pragma once

#include "storage/store.hpp"

#include <memory>
#include <string>

namespace headway {

/// @throws store_open_error where the file is missing, is no database of ours or has another version.
std::unique_ptr<store> open_sqlite_store(const std::string& path);

/// Makes the file (mode 0600) and its directory where they are missing. @returns the schema's version.
/// @throws store_open_error
int migrate_sqlite(const std::string& path);

} // namespace headway
