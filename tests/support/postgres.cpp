#include "tests/support/postgres.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

/// libpqxx 6.4 forgets one small result each time a connection breaks under a query (make_result throws before it owns
/// it).
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx-6.4.so\n"; }

namespace headway::test {

namespace {

namespace fs = std::filesystem;

constexpr const char* prefix = "headway-pg-";

/// The newest of Debian's versions.
std::string find_binaries() {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator{"/usr/lib/postgresql", ignored})
    if (fs::exists(version.path() / "bin" / "initdb"))
      found.push_back(version.path() / "bin");
  if (found.empty())
    throw std::runtime_error{"no PostgreSQL in /usr/lib/postgresql"};
  return std::ranges::max(found);
}

/// Folders whose maker is no more: "headway-pg-PID-XXXXXX".
void remove_leftovers() {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{fs::temp_directory_path(), ignored}) {
    auto name = entry.path().filename().string();
    if (!name.starts_with(prefix))
      continue;
    auto pid = std::atoi(name.c_str() + std::string_view{prefix}.size());
    if (pid > 0 && ::kill(pid, 0) != 0)
      fs::remove_all(entry.path(), ignored);
  }
}

const passwd* server_user() {
  if (::geteuid() != 0)
    return nullptr;
  auto* user = ::getpwnam("postgres");
  if (!user)
    throw std::runtime_error{"no user \"postgres\" to run PostgreSQL as"};
  return user;
}

/// Starts a program, its output appended to `log`. It gets `death_signal` when we die, however we do.
pid_t spawn(const std::vector<std::string>& command, const std::string& log, int death_signal) {
  std::vector<char*> arguments;
  for (const auto& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  auto* user = server_user();
  auto parent = ::getpid();
  auto child = ::fork();
  if (child != 0)
    return child;
  if (user && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0))
    ::_exit(126);
  ::prctl(PR_SET_PDEATHSIG, death_signal); // after setuid, which clears it
  if (::getppid() != parent)
    ::_exit(125);
  if (auto out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600); out >= 0) {
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
  }
  if (auto in = ::open("/dev/null", O_RDONLY); in >= 0)
    ::dup2(in, STDIN_FILENO);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

std::string read_file(const std::string& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

postgres_cluster::postgres_cluster() : binaries_{find_binaries()} {
  remove_leftovers();
  auto pattern = (fs::temp_directory_path() / (prefix + std::to_string(::getpid()) + "-XXXXXX")).string();
  if (!::mkdtemp(pattern.data()))
    throw std::runtime_error{"mkdtemp failed"};
  folder_ = pattern;
  if (auto* user = server_user(); user && ::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0)
    throw std::runtime_error{"chown failed"};
  // --no-sync is for initdb's own files: the server syncs as always
  run({binaries_ + "/initdb", "-D", folder_ + "/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
       "--locale=C.UTF-8", "--no-sync", "--no-instructions"});
  start();
}

postgres_cluster::~postgres_cluster() {
  stop();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string postgres_cluster::make_database() {
  auto name = "test" + std::to_string(++databases_);
  run({binaries_ + "/createdb", "-h", folder_, "-U", "postgres", "-T", "template0", name});
  return url(name);
}

std::string postgres_cluster::url(const std::string& database) const {
  std::string host;
  for (auto c : folder_)
    host += c == '/' ? "%2F" : std::string{c};
  return "postgres://postgres@" + host + "/" + database;
}

void postgres_cluster::start() {
  if (server_ > 0)
    return;
  server_ = spawn({binaries_ + "/postgres", "-D", folder_ + "/data", "-k", folder_, "-c", "listen_addresses=", "-c",
                   "shared_buffers=32MB", "-c", "max_connections=40"},
                  folder_ + "/server.log", SIGQUIT);
  constexpr auto patience = std::chrono::seconds{30};
  for (auto end = std::chrono::steady_clock::now() + patience; std::chrono::steady_clock::now() < end;
       std::this_thread::sleep_for(std::chrono::milliseconds{20})) {
    if (answers())
      return;
    if (::waitpid(server_, nullptr, WNOHANG) == server_) {
      server_ = -1;
      break;
    }
  }
  throw std::runtime_error{"PostgreSQL did not start: " + read_file(folder_ + "/server.log")};
}

void postgres_cluster::stop() {
  if (server_ <= 0)
    return;
  ::kill(server_, SIGQUIT); // immediate: its backends break off
  ::waitpid(server_, nullptr, 0);
  server_ = -1;
}

bool postgres_cluster::answers() const {
  try {
    run({binaries_ + "/pg_isready", "-q", "-h", folder_});
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

void postgres_cluster::run(const std::vector<std::string>& command) const {
  auto log = folder_ + "/tools.log";
  auto status = 0;
  auto child = spawn(command, log, SIGTERM);
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0)
    throw std::runtime_error{command[0] + " failed: " + read_file(log)};
}

postgres_cluster& shared_postgres() {
  static postgres_cluster cluster;
  return cluster;
}

} // namespace headway::test
