// PRINCIPAL  who speaks, and what that one may do. Every transport asks here.
#pragma once

#include "core/job.hpp"
#include "core/room_name.hpp"

#include <set>
#include <string>

namespace headway {

struct principal {
  std::string user_id;            ///< `sub` of the token as text; of an API key: its name
  bool user_id_is_number = false; ///< the token's `sub` was a JSON number
  std::string email;              ///< empty: none
  std::set<std::string, std::less<>> scopes;
  epoch_ms expires_at = 0; ///< 0: never (an API key)
  bool is_service = false; ///< a backend service (API key, or a token with scope `ingest`), not a person

  bool has_scope(std::string_view scope) const { return scopes.contains(scope); }
};

/// The scope that lets a token report jobs.
inline constexpr std::string_view ingest_scope = "ingest";

/// May create jobs and report about any of them.
bool may_ingest(const principal& who);

/// May read this job: by HTTP, as history, or by joining its room.
bool may_read(const principal& who, const job_info& job);

} // namespace headway
