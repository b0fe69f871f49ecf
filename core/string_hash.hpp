// Lets a map of std::string be searched by std::string_view, without a copy.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace headway {

struct string_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

} // namespace headway
