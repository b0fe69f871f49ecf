# cmake -DOUTPUT=web_assets.cpp -DASSETS="path|file;..." -P embed.cmake
set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_svg "image/svg+xml")
set(type_md "text/plain; charset=utf-8") # so that a browser shows it

set(rows "")
foreach(asset IN LISTS ASSETS)
  string(REPLACE "|" ";" parts "${asset}")
  list(GET parts 0 path)
  list(GET parts 1 file)
  cmake_path(GET file EXTENSION LAST_ONLY extension)
  string(SUBSTRING "${extension}" 1 -1 extension)
  if(NOT DEFINED type_${extension})
    message(FATAL_ERROR "web/embed.cmake knows no content type for ${file}")
  endif()
  file(READ "${file}" bytes HEX)
  file(SIZE "${file}" size)
  # 64 bytes a line, each as \xNN, so nothing in them can end the literal.
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
  string(REPEAT "\\\\x.." 64 line)
  string(REGEX REPLACE "(${line})" "\\1\"\n   \"" bytes "${bytes}")
  string(APPEND rows "  {\"${path}\", \"${type_${extension}}\", {\"${bytes}\", ${size}}},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Made by web/embed.cmake.
#include \"web/assets.hpp\"

namespace headway {

namespace {

constexpr web_asset table[] = {
${rows}};

} // namespace

std::span<const web_asset> web_assets() { return table; }

} // namespace headway
")
