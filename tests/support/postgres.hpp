// A private PostgreSQL: its own cluster in a temporary folder, reached by a socket in there, gone when the object is.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace headway::test {

/// Runs the server as the user `postgres` where we are root, which PostgreSQL refuses to run as. The server dies with
/// the thread that started it, also by kill -9; folders that were left so are removed by the next one.
class postgres_cluster {
public:
  /// @throws std::runtime_error with what the server said.
  postgres_cluster();
  ~postgres_cluster();
  postgres_cluster(const postgres_cluster&) = delete;
  postgres_cluster& operator=(const postgres_cluster&) = delete;

  /// Makes an empty database. @returns its URL.
  std::string make_database();

  /// "postgres://postgres@%2Ftmp%2F…/name"
  std::string url(const std::string& database) const;

  /// Of the server: ".s.PGSQL.5432" is in there.
  const std::string& folder() const { return folder_; }

  /// As kill -9 would: connections break, nothing is flushed.
  void stop();
  void start();

private:
  /// Runs a program of PostgreSQL to its end. @throws std::runtime_error with its output.
  void run(const std::vector<std::string>& command) const;
  bool answers() const;

  std::string binaries_;
  std::string folder_;
  pid_t server_ = -1;
  int databases_ = 0;
};

/// One for this program, started when first asked for.
postgres_cluster& shared_postgres();

} // namespace headway::test
