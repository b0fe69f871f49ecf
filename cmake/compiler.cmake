# Flags of our own code; libraries' headers come as SYSTEM.
find_program(CCACHE ccache)
if(CCACHE)
  # Without these it takes no file that uses a precompiled header. A base folder: clones at other paths share the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_ABSSTDERR=1
      ${CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

add_library(headway_flags INTERFACE)
if(NOT HEADWAY_FUZZ) # g++ is who warns; clang has a mind of its own
  target_compile_options(headway_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
endif()
# g++ 12 sees overlaps and overflows in optimised std::string code that are not there (GCC bugs 105651, 105329).
target_compile_options(headway_flags INTERFACE
  $<$<CONFIG:Release>:-Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds>)
target_include_directories(headway_flags INTERFACE ${PROJECT_SOURCE_DIR})

if(HEADWAY_SANITIZE)
  add_compile_options(-fsanitize=${HEADWAY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  if(HEADWAY_SANITIZE STREQUAL "thread")
    # Asio has fences, which g++ 12 cannot instrument; its locks, which it can, order the same accesses.
    add_compile_options(-Wno-tsan)
  endif()
  add_link_options(-fsanitize=${HEADWAY_SANITIZE})
  if(HEADWAY_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link -D_GLIBCXX_ASSERTIONS)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong -fstack-clash-protection
                      -fcf-protection)
  add_link_options(-Wl,-z,relro,-z,now)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  add_link_options(-pie)
endif()

# headway_library(NAME sources... DEPENDS targets... PRECOMPILE headers...)
function(headway_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;PRIVATE_DEPENDS;PRECOMPILE" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} PRIVATE headway_flags ${ARG_PRIVATE_DEPENDS})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  if(ARG_PRECOMPILE)
    target_precompile_headers(${name} PRIVATE ${ARG_PRECOMPILE})
  endif()
endfunction()
