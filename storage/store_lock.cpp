#include "storage/store_lock.hpp"

#include "storage/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace headway {

store_lock::store_lock(const std::string& database_path) {
  auto path = database_path + ".lock";
  make_parent_directory(path);
  fd_ = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (fd_ < 0)
    throw store_open_error{"Cannot open the lock file " + path + ": " + std::generic_category().message(errno) + "."};
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0)
    return; // the file stays when we end: removing it would let two processes lock two files of one name
  auto reason = errno;
  ::close(fd_);
  if (reason == EWOULDBLOCK)
    throw store_open_error{"Another Headway process serves " + database_path +
                           "; stop it first, or use PostgreSQL for several nodes."};
  throw store_open_error{"Cannot lock " + path + ": " + std::generic_category().message(reason) + "."};
}

store_lock::~store_lock() { ::close(fd_); }

} // namespace headway
