#include "storage/migrate.hpp"

#include <algorithm>
#include <array>

namespace headway {

namespace {

constexpr std::array<std::string_view, 5> our_tables{"jobs", "log", "log_head", "users", "api_keys"};

bool has_table(const schema_state& found, std::string_view name) {
  return std::ranges::find(found.tables, name) != found.tables.end();
}

/// @throws store_open_error for what no migration may touch.
void require_ours(std::span<const migration> all, const schema_state& found) {
  if (!has_table(found, schema_table)) {
    // a database may be shared with other tables, but not with others' tables of our names
    for (auto name : our_tables)
      if (has_table(found, name))
        throw store_open_error{"The database has a table \"" + std::string{name} +
                               "\" that is not Headway's; give Headway a database of its own."};
    return;
  }
  auto newest = all.back().version;
  if (found.version > newest)
    throw store_open_error{"The database has schema version " + std::to_string(found.version) +
                           ", this Headway knows versions up to " + std::to_string(newest) +
                           "; run the newer Headway that wrote it."};
  for (auto name : our_tables)
    if (found.version > 0 && !has_table(found, name))
      throw store_open_error{"The database is damaged: its table \"" + std::string{name} + "\" is missing."};
}

} // namespace

int apply_migrations(std::span<const migration> all, const schema_state& found,
                     const std::function<void(const migration&)>& apply) {
  require_ours(all, found);
  for (const auto& step : all)
    if (step.version > found.version)
      apply(step);
  return all.back().version;
}

void require_current(std::span<const migration> all, const schema_state& found) {
  require_ours(all, found);
  auto newest = all.back().version;
  if (found.version < newest)
    throw store_open_error{"The database has schema version " + std::to_string(found.version) +
                           ", this Headway needs " + std::to_string(newest) + "; run `headway migrate`."};
}

} // namespace headway
