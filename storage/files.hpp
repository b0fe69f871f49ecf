// What the embedded engine needs of the file system.
#pragma once

#include <string>

namespace headway {

/// @throws store_open_error
void make_parent_directory(const std::string& path);

/// An empty file that only we may read, unless there is a file already. @throws store_open_error
void make_private_file(const std::string& path);

/// False where the disk is so full that the next commits may fail.
bool has_free_space(const std::string& path) noexcept;

} // namespace headway
