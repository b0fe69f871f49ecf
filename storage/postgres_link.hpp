// LINK  a connection to PostgreSQL that is lost and found again.
//
// Every limit is ours: a server that hangs, a network that drops packets or a lock that is never let go must not hold
// the caller for longer than some seconds.
#pragma once

#include "storage/backoff.hpp"
#include "storage/complaint.hpp"

#include <pqxx/pqxx>

#include <exception>
#include <memory>
#include <string>

namespace headway {

/// Connects, with timeouts set where the URL sets none.
/// @throws store_open_error for a malformed URL, without repeating it; what libpqxx throws where the server is not
/// reached.
std::unique_ptr<pqxx::connection> connect_postgres(const std::string& url);

class postgres_link {
public:
  using prepare_statements = void (*)(pqxx::connection&);

  /// @throws as `connect_postgres`
  postgres_link(std::string url, prepare_statements prepare);

  /// The connection; null while there is none and it is too early to try again, or trying failed.
  pqxx::connection* get();

  /// Tries at once, however early it is. Null where that fails.
  pqxx::connection* get_now();

  /// To be called with whatever a call on the connection threw: drops it where it is of no more use.
  void after(const std::exception& error);

private:
  void open();
  void drop();

  std::string url_;
  prepare_statements prepare_;
  std::unique_ptr<pqxx::connection> connection_;
  backoff backoff_;
  complaint complaint_{"postgres"};
};

/// The engine's words without the lines that may quote a row's values.
std::string first_line(const std::exception& error);

} // namespace headway
