// MIGRATE  which migrations a database still needs. Forward only. The engines read the schema and run the SQL; what may
// be run is decided here, once for all of them.
#pragma once

#include "storage/store.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headway {

/// A file of `migrations/<engine>/NNN_name.sql`, built into the binary.
struct migration {
  int version = 0; ///< NNN: 1, 2, 3 ... without gaps
  std::string_view name;
  std::string_view sql;
};

std::span<const migration> sqlite_migrations();
std::span<const migration> postgres_migrations();

/// The table that tells a database of ours from any other that has a table called `jobs`.
inline constexpr std::string_view schema_table = "headway_schema";

/// What a database holds.
struct schema_state {
  std::vector<std::string> tables;
  int version = 0; ///< largest in `headway_schema`, where that exists
};

/// Runs `apply` for each migration that is missing; the caller holds the engine's lock. @returns the newest version.
/// @throws store_open_error for a foreign or newer schema.
int apply_migrations(std::span<const migration> all, const schema_state& found,
                     const std::function<void(const migration&)>& apply);

/// @throws store_open_error unless the schema is ours, whole and of the newest version.
void require_current(std::span<const migration> all, const schema_state& found);

} // namespace headway
