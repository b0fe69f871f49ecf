// Tokens: JWT with HS256, and nothing else.
#pragma once

#include "core/errc.hpp"
#include "core/json.hpp"
#include "core/principal.hpp"

#include <string>
#include <string_view>

namespace headway {

struct jwt_options {
  std::string secret;         ///< at least 32 bytes
  std::int64_t leeway_s = 30; ///< how far the clock of whoever signs may be ahead
  std::int64_t max_age_s = 0; ///< since `iat`, which is then required; 0: any
  std::size_t token_bytes_max = 8192;
};

/// The algorithm is pinned: the token's header only has to agree. `exp` is required and ends the token to the
/// millisecond; the leeway applies to `nbf` and `iat`; `sub` is a text of 1 to 128 visible characters or a whole
/// number; `scope` is a text of words (RFC 8693) or an array.
/// @returns auth_missing for an empty token, auth_expired, auth_invalid for everything else.
result<principal> verify_jwt(std::string_view token, const jwt_options& options, epoch_ms now);

/// For development and tests (`headway token`). `claims` must hold sub and exp.
std::string sign_jwt(const json& claims, std::string_view secret);

/// "hw_" and 32 random bytes in hex.
std::string make_api_key();
/// SHA-256 of the key's text, in hex: what the store keeps.
std::string hash_api_key(std::string_view key);
/// Looks like one of ours (prefix and length): tells a key from a JWT in `Authorization: Bearer`.
bool is_api_key(std::string_view text) noexcept;

} // namespace headway
