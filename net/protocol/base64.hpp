// Base64 (RFC 4648), strict: a text that does not encode back to itself is none.
#pragma once

#include "core/errc.hpp"

#include <string>
#include <string_view>

namespace headway {

/// Standard alphabet, padded.
std::string base64_encode(std::string_view bytes);
/// @returns bad_request for missing padding, blanks, other characters, or bits behind the last byte.
result<std::string> base64_decode(std::string_view text);

/// URL alphabet without padding, as tokens have it.
/// @returns bad_request for padding and everything `base64_decode` refuses.
result<std::string> base64url_decode(std::string_view text);

} // namespace headway
