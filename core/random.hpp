// Unguessable names.
#pragma once

#include <cstddef>
#include <string>

namespace headway {

/// `bytes` random bytes of the operating system's generator as base64url (4 characters for 3 bytes).
std::string random_name(std::size_t bytes = 18);

} // namespace headway
