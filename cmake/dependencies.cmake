# All of them are Debian 12 packages; scripts/bootstrap installs them.
find_package(Threads REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PQXX REQUIRED IMPORTED_TARGET libpqxx)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
find_package(SQLiteCpp REQUIRED)
find_package(CLI11 REQUIRED)

# Debian ships no CAFConfig.cmake.
find_path(CAF_INCLUDE caf/all.hpp HINTS ${HEADWAY_CAF_ROOT}/include REQUIRED)
find_library(CAF_CORE caf_core HINTS ${HEADWAY_CAF_ROOT}/lib REQUIRED)
add_library(caf_core INTERFACE)
target_include_directories(caf_core SYSTEM INTERFACE ${CAF_INCLUDE})
target_link_libraries(caf_core INTERFACE ${CAF_CORE} Threads::Threads)
