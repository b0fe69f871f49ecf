// UTF-8 (RFC 3629): what a text from a peer must be, and where it may be cut.
#pragma once

#include <cstddef>
#include <string_view>

namespace headway {

/// No stray or missing continuation bytes, no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

/// The longest start of a UTF-8 text that has at most `bytes_max` bytes and ends with a whole character.
std::string_view utf8_start(std::string_view text, std::size_t bytes_max) noexcept;

} // namespace headway
