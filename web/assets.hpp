// The files of the built-in page, part of the program: served from this table and from nowhere else.
#pragma once

#include <span>
#include <string_view>

namespace headway {

struct web_asset {
  std::string_view path; ///< of the request, exactly: "/demo", "/demo/demo.js"
  std::string_view content_type;
  std::string_view body;
};

std::span<const web_asset> web_assets();

} // namespace headway
