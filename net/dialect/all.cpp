#include "net/dialect/core.hpp"
#include "net/dialect/dialect.hpp"
#include "net/dialect/job.hpp"

#include <array>

namespace headway {

std::span<const dialect* const> dialects() {
  static const core_words core;
  static const job_dialect job;
  static const std::array<const dialect*, 2> table{&job, &core};
  return table;
}

dialect_index core_dialect() { return 1; }

} // namespace headway
