// HTTP GUARD  what a request head may look like, checked on its raw bytes before any parser sees it.
//
//   POST /jobs HTTP/1.1\r\n          METHOD SP /target SP HTTP/1.0|1.1
//   Host: a.example\r\n              once, and all that decides how a request is framed at most once
//   Content-Length: 2\r\n            digits, or else Transfer-Encoding: exactly "chunked", on HTTP/1.1
//   \r\n                             the end; what follows is body
//
// Why: Beast 1.81 takes heads that another server on the way would frame otherwise ("TE: gzip" with a length, chunked
// in HTTP/1.0), and serves the rest as a second request. A head that passes here has one reading.
#pragma once

#include "core/errc.hpp"

#include <cstddef>
#include <string_view>

namespace headway {

struct head_limits {
  std::size_t headers = 64;
  std::size_t target_bytes = 4096;
};

/// `head`: from the request line to the empty line, and nothing else. Its length is the caller's to bound.
/// @returns uri_too_long, header_too_large for too many headers, bad_request for everything else that RFC 9112 forbids
///          or leaves to guess.
result<void> guard_head(std::string_view head, const head_limits& limits = {});

} // namespace headway
