#include "net/dialect/dialect.hpp"
#include "net/dialect/job.hpp"

#include <array>

namespace headway {

std::span<const dialect* const> dialects() {
  static const job_dialect job;
  static const std::array<const dialect*, 1> table{&job};
  return table;
}

} // namespace headway
