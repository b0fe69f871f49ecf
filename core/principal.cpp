#include "core/principal.hpp"

namespace headway {

bool may_ingest(const principal& who) { return who.has_scope(ingest_scope); }

bool may_read(const principal& who, const job_info& job) {
  return may_ingest(who) || (!who.is_service && !who.user_id.empty() && who.user_id == job.user_id);
}

} // namespace headway
