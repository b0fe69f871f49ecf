#include "storage/postgres_link.hpp"

#include "storage/store.hpp"

#include <libpq-fe.h>

#include <array>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>

namespace headway {

namespace {

/// libpq's own limits. The URL's win.
constexpr std::array<std::pair<const char*, const char*>, 9> defaults{{
  {"connect_timeout", "3"}, // s
  {"keepalives", "1"},
  {"keepalives_idle", "5"}, // s
  {"keepalives_interval", "2"},
  {"keepalives_count", "3"},
  {"tcp_user_timeout", "10000"}, // ms
  {"application_name", "headway"},
  {"client_encoding", "UTF8"},
  {"target_session_attrs", "read-write"}, // with several hosts: the primary
}};

/// The server's limits, ms: a frozen node must not keep the log's lock from the others.
constexpr std::string_view session_limits =
  "-c statement_timeout=10000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=10000";

using settings = std::map<std::string, std::string>;

settings parse_url(const std::string& url) {
  auto free_options = [](PQconninfoOption* options) { PQconninfoFree(options); };
  std::unique_ptr<PQconninfoOption, decltype(free_options)> options{PQconninfoParse(url.c_str(), nullptr),
                                                                    free_options};
  if (!options) // libpq's own words would repeat the URL, and its password
    throw store_open_error{"The PostgreSQL URL is malformed; write postgres://user:password@host:port/database."};
  settings out;
  for (auto* option = options.get(); option->keyword; ++option)
    if (option->val && *option->val)
      out[option->keyword] = option->val;
  return out;
}

/// As `key='value'`, with quotes and backslashes escaped.
std::string connection_text(const settings& all) {
  std::string out;
  for (const auto& [key, value] : all) {
    out += key + "='";
    for (auto c : value) {
      if (c == '\'' || c == '\\')
        out += '\\';
      out += c;
    }
    out += "' ";
  }
  return out;
}

/// True for the states after which a connection is of no more use: lost, server stopping, a primary turned standby.
bool ends_connection(const std::string& sqlstate) {
  return sqlstate.starts_with("08") || sqlstate.starts_with("57P") || sqlstate == "25006" || sqlstate.empty();
}

} // namespace

std::unique_ptr<pqxx::connection> connect_postgres(const std::string& url) {
  auto all = parse_url(url);
  for (const auto& [key, value] : defaults)
    all.try_emplace(key, value);
  auto& options = all["options"]; // the later of two settings wins: the URL's
  options = std::string{session_limits} + " " + options;
  auto connection = std::make_unique<pqxx::connection>(connection_text(all));
  return connection;
}

postgres_link::postgres_link(std::string url, prepare_statements prepare) : url_{std::move(url)}, prepare_{prepare} {
  open();
}

pqxx::connection* postgres_link::get() {
  if (connection_)
    return connection_.get();
  return backoff_.ready(std::chrono::steady_clock::now()) ? get_now() : nullptr;
}

pqxx::connection* postgres_link::get_now() {
  if (connection_)
    return connection_.get();
  try {
    open();
    log::info("store.connected", {{"engine", "postgres"}});
  } catch (const std::exception& error) {
    complaint_.say("connect", first_line(error));
    drop();
  }
  return connection_.get();
}

void postgres_link::after(const std::exception& error) {
  auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
  if (!sql || ends_connection(sql->sqlstate()) || (connection_ && !connection_->is_open()))
    drop();
}

void postgres_link::open() {
  connection_ = connect_postgres(url_);
  prepare_(*connection_);
  backoff_.worked();
}

void postgres_link::drop() {
  connection_.reset();
  backoff_.failed(std::chrono::steady_clock::now());
}

std::string first_line(const std::exception& error) {
  std::string_view text{error.what()};
  return std::string{text.substr(0, text.find('\n'))};
}

} // namespace headway
