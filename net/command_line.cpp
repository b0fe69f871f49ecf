#include "net/command_line.hpp"

#include "config/flags.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/random.hpp"
#include "core/time.hpp"
#include "net/demo.hpp"
#include "net/protocol/jwt.hpp"
#include "storage/make_store.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <sys/resource.h>

#include <csignal>
#include <iostream>

namespace headway {

namespace {

constexpr int exit_ok = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_store = 3;

/// Reads the settings; prints what is wrong with them. None: exit with `exit_usage`.
std::optional<config> settings_of(const config_flags& flags) {
  auto loaded = load_config(flags, environment());
  for (const auto& warning : loaded.warnings)
    std::cerr << "Warning: " << warning << '\n';
  for (const auto& error : loaded.errors)
    std::cerr << error << '\n';
  if (!loaded.errors.empty())
    return std::nullopt;
  return loaded.value;
}

std::string new_key(const config& settings, const std::string& name) {
  auto key = make_api_key();
  migrate_store({settings.database_url});
  auto done = open_store({settings.database_url})
                ->put_api_key(hash_api_key(key), {name, std::string{ingest_scope}, wall_clock_ms()});
  if (!done)
    throw store_open_error{std::string{text(done.error())}};
  return key;
}

std::string new_token(const config& settings, json claims, std::int64_t lifetime_s) {
  claims["exp"] = wall_clock_ms() / 1000 + lifetime_s;
  return sign_jwt(claims, settings.jwt_secret);
}

// -- serve --------------------------------------------------------------------------------------------------------

void greet_developer(const config& settings, std::uint16_t port, const std::string& key) {
  constexpr std::int64_t day_s = 86'400;
  auto address = "http://" + settings.host + ":" + std::to_string(port);
  auto token = new_token(settings, {{"sub", demo_user}}, day_s);
  std::cout
    << "\nHeadway runs in development mode (--dev): anyone who reaches it can watch the demo. Not for production.\n\n"
    << "  address  " << address << "\n"
    << "  token    " << token << "\n"
    << "  api key  " << key << "\n\n"
    << "Watch a bar move now:\n\n"
    << "  " << address << "/demo\n\n"
    << "Report a job of your own, and watch it at " << address << "/demo#job=42&token=" << token << "\n\n"
    << "  curl -H 'Authorization: Bearer " << key << "' -H 'Content-Type: application/json' \\\n"
    << "       -d '{\"id\":42,\"user_id\":\"" << demo_user << "\"}' " << address << "/api/v1/jobs\n"
    << "  curl -H 'Authorization: Bearer " << key << "' -H 'Content-Type: application/json' \\\n"
    << "       -d '{\"progress\":40,\"message\":\"Crunching\"}' " << address << "/api/v1/jobs/42/progress\n\n"
    << std::flush;
}

/// Development needs no secret and no list of origins.
void fill_in_for_development(config& settings) {
  if (settings.jwt_secret.empty())
    settings.jwt_secret = random_name(36);
  if (settings.frontend_url.empty())
    settings.frontend_url = {"http://localhost:5173", "http://localhost:4173"};
}

void wait_for_signal() {
  boost::asio::io_context waiting;
  boost::asio::signal_set signals{waiting, SIGINT, SIGTERM};
  signals.async_wait([](const boost::system::error_code&, int) {});
  waiting.run();
} // from here on a second signal ends the process at once

int serve(const config_flags& flags, const server_hooks& hooks) {
  auto settings = settings_of(flags);
  if (!settings)
    return exit_usage;
  auto problems = problems_of_serving(*settings);
  for (const auto& problem : problems)
    std::cerr << problem << '\n';
  if (!problems.empty())
    return exit_usage;
  log::set_level(settings->log_level);
  rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core); // there are tokens in memory
  std::signal(SIGPIPE, SIG_IGN);      // NOLINT: a broken connection is an error of that connection
  std::string key;
  if (settings->dev) {
    fill_in_for_development(*settings);
    key = new_key(*settings, "development");
  }
  server running{*settings, hooks};
  if (settings->dev)
    greet_developer(*settings, running.port(), key);
  wait_for_signal();
  running.stop();
  return exit_ok;
}

// -- the small ones -----------------------------------------------------------------------------------------------

int create_key(const config_flags& flags, const std::string& name) {
  auto settings = settings_of(flags);
  if (!settings)
    return exit_usage;
  std::cout << new_key(*settings, name) << '\n';
  return exit_ok;
}

struct token_request {
  std::string sub;
  std::string email;
  std::string scope;
  std::int64_t expires_s = 3600;
};

int create_token(const config_flags& flags, const token_request& wanted) {
  auto settings = settings_of(flags);
  if (!settings)
    return exit_usage;
  if (settings->jwt_secret.empty()) {
    std::cerr << "A token is signed with the server's secret: set JWT_SECRET.\n";
    return exit_usage;
  }
  json claims{{"sub", wanted.sub}};
  if (!wanted.email.empty())
    claims["email"] = wanted.email;
  if (!wanted.scope.empty())
    claims["scope"] = wanted.scope;
  std::cout << new_token(*settings, std::move(claims), wanted.expires_s) << '\n';
  return exit_ok;
}

int migrate(const config_flags& flags) {
  auto settings = settings_of(flags);
  if (!settings)
    return exit_usage;
  std::cout << "The store's schema is at version " << migrate_store({settings->database_url}) << ".\n";
  return exit_ok;
}

int check_config(const config_flags& flags) {
  auto loaded = load_config(flags, environment());
  for (const auto& warning : loaded.warnings)
    std::cerr << "Warning: " << warning << '\n';
  auto problems = loaded.errors;
  if (problems.empty())
    problems = problems_of_serving(loaded.value);
  for (const auto& problem : problems)
    std::cerr << problem << '\n';
  std::cout << describe(loaded);
  return problems.empty() ? exit_ok : exit_usage;
}

} // namespace

int run_command_line(int argc, char** argv, const server_hooks& hooks) {
  CLI::App app{"Headway: live job progress, durable and in order."};
  app.require_subcommand(1);
  config_flags flags;
  std::function<int()> chosen;
  auto command = [&](const char* name, const char* help, bool has_settings) {
    auto* sub = app.add_subcommand(name, help);
    if (has_settings)
      add_config_flags(*sub, flags);
    return sub;
  };

  command("serve", "Run the server", true)->callback([&] { chosen = [&] { return serve(flags, hooks); }; });

  token_request wanted;
  auto* token = command("token", "Sign a token (JWT) for a user", true);
  token->add_option("--sub", wanted.sub, "The user's id")->required();
  token->add_option("--email", wanted.email, "The user's e-mail address");
  token->add_option("--scope", wanted.scope, "Scopes, e.g. ingest");
  token->add_option("--expires", wanted.expires_s, "Lifetime in seconds")->capture_default_str();
  token->callback([&] { chosen = [&] { return create_token(flags, wanted); }; });

  auto* key = command("key", "API keys of backend services", false);
  key->require_subcommand(1);
  auto* create = key->add_subcommand("create", "Make a key, keep its hash, print it once");
  add_config_flags(*create, flags);
  std::string key_name;
  create->add_option("--name", key_name, "Whose key it is")->required();
  create->callback([&] { chosen = [&] { return create_key(flags, key_name); }; });

  command("migrate", "Bring the store's schema up to date", true)->callback([&] {
    chosen = [&] { return migrate(flags); };
  });
  command("check-config", "Show all settings, where they come from and what is wrong with them", true)->callback([&] {
    chosen = [&] { return check_config(flags); };
  });
  command("version", "Show the version", false)->callback([&] {
    chosen = [] {
      std::cout << "headway " HEADWAY_VERSION " (" HEADWAY_BUILD_TYPE ")\n";
      return exit_ok;
    };
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? exit_ok : exit_usage;
  }
  try {
    return chosen();
  } catch (const store_open_error& e) {
    std::cerr << e.what() << '\n';
    return exit_store;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return exit_failed;
  }
}

} // namespace headway
