// An HTTP answer as bytes.
#pragma once

#include "net/protocol/http.hpp"

#include <string>
#include <string_view>

namespace headway {

/// Status line, headers, body. `origin`: the web origin that may read it, "*", or empty. `head_only`: for HEAD.
std::string to_text(const http_answer& answer, std::string_view origin, bool keep_alive, bool head_only);

/// Status line and headers of an answer whose body goes on until the connection ends.
std::string to_stream_head(const http_answer& answer, std::string_view origin);

} // namespace headway
