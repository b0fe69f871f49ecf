// The shared engine: any number of nodes on one log. See store.hpp for what it promises.
#pragma once

#include "storage/store.hpp"

#include <memory>
#include <string>

namespace headway {

/// @throws store_open_error where the server is not reached or the database has another version.
std::unique_ptr<store> open_postgres_store(const std::string& url);

/// @returns the schema's version. @throws store_open_error
int migrate_postgres(const std::string& url);

} // namespace headway
