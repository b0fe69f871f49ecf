#include "storage/files.hpp"

#include "storage/store.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace headway {

void make_parent_directory(const std::string& path) {
  auto parent = std::filesystem::path{path}.parent_path();
  if (parent.empty())
    return;
  std::error_code error;
  std::filesystem::create_directories(parent, error);
  if (error)
    throw store_open_error{"Cannot make the directory " + parent.string() + ": " + error.message() + "."};
}

void make_private_file(const std::string& path) {
  // not open(): closing a descriptor of the database would drop the locks of every other connection in this process
  if (::mknod(path.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST)
    throw store_open_error{"Cannot make the database " + path + ": " + std::generic_category().message(errno) + "."};
}

bool has_free_space(const std::string& path) noexcept {
  constexpr std::uint64_t needed_bytes = 4U << 20U;
  struct statvfs disk{};
  return ::statvfs(path.c_str(), &disk) != 0 || std::uint64_t{disk.f_bavail} * disk.f_frsize >= needed_bytes;
}

} // namespace headway
