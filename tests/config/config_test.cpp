#include "config/config.hpp"

#include "config/flags.hpp"
#include "config/settings.hpp"
#include "core/json.hpp"

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace headway {

namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class config_test : public testing::Test {
protected:
  void SetUp() override {
    auto name = testing::TempDir() + "headway-config-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view text) {
    auto path = (folder_ / name).string();
    std::ofstream{path, std::ios::binary} << text;
    return path;
  }

  static loaded_config load(std::vector<std::string> args, const env_map& env = {}) { return load_config(args, env); }

  loaded_config load_file(std::string_view text, const env_map& env = {}) {
    return load({"--config", file("headway.json", text)}, env);
  }

private:
  std::filesystem::path folder_;
};

} // namespace

// --- precedence

TEST_F(config_test, everything_works_without_a_file) {
  auto loaded = load({});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.warnings, IsEmpty());
  EXPECT_EQ(loaded.value.host, "127.0.0.1");
  EXPECT_EQ(loaded.value.port, 8000);
  EXPECT_EQ(loaded.value.database_url, "sqlite://headway.db");
  EXPECT_EQ(loaded.value.throttle.min_interval_ms, 100U);
  EXPECT_EQ(loaded.value.engineio.ping_interval_ms, 25'000U);
  EXPECT_FALSE(loaded.value.dev);
}

TEST_F(config_test, flags_beat_environment_beats_file_beats_default) {
  auto path = file("headway.json", R"({"port":1,"host":"file","log_level":"warn","throttle":{"min_interval_ms":1}})");
  env_map env{{"HEADWAY_PORT", "2"}, {"HEADWAY_HOST", "environment"}, {"HEADWAY_CONFIG", path}};
  auto loaded = load({"--port", "3"}, env);
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(loaded.value.port, 3);
  EXPECT_EQ(loaded.value.host, "environment");
  EXPECT_EQ(loaded.value.log_level, "warn");
  EXPECT_EQ(loaded.value.throttle.min_interval_ms, 1U);
  EXPECT_EQ(loaded.sources["port"], "flag --port");
  EXPECT_EQ(loaded.sources["host"], "environment HEADWAY_HOST");
  EXPECT_EQ(loaded.sources["log_level"], "file " + path);
  EXPECT_EQ(loaded.sources["database_url"], "default");
}

TEST_F(config_test, a_flag_names_the_file_before_the_environment_does) {
  auto other = file("other.json", R"({"port":1})");
  auto loaded = load({"--config", file("mine.json", R"({"port":2})")}, {{"HEADWAY_CONFIG", other}});
  EXPECT_EQ(loaded.value.port, 2);
}

TEST_F(config_test, the_prefixed_name_beats_the_plain_one) {
  EXPECT_EQ(load({}, {{"PORT", "1"}}).value.port, 1);
  EXPECT_EQ(load({}, {{"PORT", "1"}, {"HEADWAY_PORT", "2"}}).value.port, 2);
}

TEST_F(config_test, only_names_that_people_export_are_read_without_prefix) {
  std::set<std::string> plain;
  for (const auto& row : settings())
    if (row.plain_env)
      plain.insert(env_name(row, false));
  EXPECT_THAT(plain, ElementsAre("DATABASE_URL", "FRONTEND_URL", "HOST", "JWT_SECRET", "LOG_LEVEL", "PORT"));
  EXPECT_FALSE(load({}, {{"DEV", "true"}}).value.dev);
}

TEST_F(config_test, an_empty_variable_is_not_set) {
  auto loaded = load({}, {{"PORT", ""}, {"HEADWAY_PORT", ""}, {"HEADWAY_CONFIG", ""}, {"JWT_SECRET", ""}});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(loaded.value.port, 8000);
  EXPECT_EQ(load({}, {{"PORT", "1"}, {"HEADWAY_PORT", ""}}).value.port, 1);
}

TEST_F(config_test, a_kubernetes_service_link_is_no_port) {
  auto loaded = load({}, {{"HEADWAY_PORT", "tcp://10.0.0.1:8000"}, {"PORT", "9000"}});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.warnings, ElementsAre(HasSubstr("HEADWAY_PORT")));
  EXPECT_EQ(loaded.value.port, 9000);
}

// --- every row of the table

TEST_F(config_test, every_setting_can_come_from_each_source) {
  for (const auto& row : settings()) {
    auto name = std::string{row.name};
    auto text = value_text(row, config{});
    if (text.empty())
      text = type_name(row) == "LIST" ? (row.name == "frontend_url" ? "https://a.example" : "10.0.0.0/8")
                                      : std::string(32, 's');
    auto type = type_name(row);
    auto in_json = type == "TEXT" || type == "LIST" ? dump_json(json(text)) : text;
    auto dot = name.find('.');
    auto nested = dot == std::string::npos
                    ? "{\"" + name + "\":" + in_json + "}"
                    : "{\"" + name.substr(0, dot) + "\":{\"" + name.substr(dot + 1) + "\":" + in_json + "}}";

    auto by_flag = load({"--" + name + "=" + text});
    EXPECT_EQ(by_flag.sources[name], "flag --" + name) << testing::PrintToString(by_flag.errors);
    auto by_env = load({}, {{env_name(row, true), text}});
    EXPECT_EQ(by_env.sources[name], "environment " + env_name(row, true)) << testing::PrintToString(by_env.errors);
    auto by_file = load_file(nested);
    EXPECT_TRUE(by_file.sources[name].starts_with("file ")) << nested << testing::PrintToString(by_file.errors);
    EXPECT_THAT(by_file.warnings, IsEmpty()) << nested;
  }
}

TEST_F(config_test, a_default_lies_within_its_own_bounds) {
  for (const auto& row : settings()) {
    config c;
    auto text = value_text(row, c);
    if (!text.empty()) {
      EXPECT_EQ(assign(row, c, text), std::nullopt) << row.name << " = " << text;
    }
  }
}

TEST_F(config_test, names_become_variables_and_flags) {
  EXPECT_EQ(load({}, {{"HEADWAY_THROTTLE_MIN_INTERVAL_MS", "7"}}).value.throttle.min_interval_ms, 7U);
  EXPECT_EQ(load({"--throttle.min_interval_ms", "7"}).value.throttle.min_interval_ms, 7U);
  EXPECT_EQ(load({"--database-url", "sqlite:///x.db"}).value.database_url, "sqlite:///x.db");
  EXPECT_EQ(load({"--database_url=sqlite:///x.db"}).value.database_url, "sqlite:///x.db");
  EXPECT_TRUE(load({"--dev"}).value.dev);
  EXPECT_FALSE(load({"--dev=false"}, {{"HEADWAY_DEV", "1"}}).value.dev);
  EXPECT_EQ(load_file(R"({"throttle.min_interval_ms":7})").value.throttle.min_interval_ms, 7U);
}

TEST_F(config_test, the_example_file_is_the_table) {
  std::ifstream in{std::string{HEADWAY_SOURCE_DIR} + "/config/headway.example.json"};
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), example_config()) << "update config/headway.example.json";
}

TEST_F(config_test, the_example_file_says_the_defaults) {
  auto loaded = load_file(example_config());
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.warnings, IsEmpty());
  for (const auto& row : settings())
    EXPECT_EQ(value_text(row, loaded.value), value_text(row, config{})) << row.name;
}

TEST_F(config_test, the_help_names_every_setting_its_default_and_its_variable) {
  CLI::App app{"headway"};
  config_flags flags;
  add_config_flags(app, flags);
  auto help = app.help();
  for (const auto& row : settings()) {
    EXPECT_THAT(help, HasSubstr("--" + std::string{row.name}));
    EXPECT_THAT(help, HasSubstr(env_name(row, !row.plain_env)));
  }
  EXPECT_THAT(help, HasSubstr("--port INT=8000"));
}

TEST_F(config_test, flags_work_on_a_subcommand) {
  CLI::App app{"headway"};
  config_flags flags;
  auto* serve = app.add_subcommand("serve");
  add_config_flags(*serve, flags);
  app.parse("serve --dev --throttle.min_interval_ms 0 --port 0", false);
  auto loaded = load_config(flags, {});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_TRUE(loaded.value.dev);
  EXPECT_EQ(loaded.value.port, 0);
  EXPECT_EQ(loaded.value.throttle.min_interval_ms, 0U);
}

// --- what is wrong is said

TEST_F(config_test, an_unknown_key_in_the_file_is_a_warning) {
  auto loaded = load_file(R"({"prot":1,"throttle":{"min_intervall_ms":1},"future":{"a":{"b":1}}})");
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.warnings,
              ElementsAre(HasSubstr("\"prot\""), HasSubstr("\"throttle.min_intervall_ms\""), HasSubstr("\"future\"")));
}

TEST_F(config_test, an_unknown_flag_is_an_error) {
  EXPECT_THAT(load({"--prot", "1"}).errors, ElementsAre(HasSubstr("--prot")));
}

TEST_F(config_test, a_bad_value_is_an_error_that_names_setting_value_and_source) {
  EXPECT_THAT(load({"--port", "65536"}).errors,
              ElementsAre("The setting port is \"65536\" (from flag --port) but must be 0 to 65535."));
  EXPECT_THAT(load({}, {{"PORT", "http"}}).errors,
              ElementsAre("The setting port is \"http\" (from environment PORT) but must be a whole number."));
  EXPECT_THAT(load_file(R"({"port":"8000"})").errors,
              ElementsAre(AllOf(HasSubstr("port is \"8000\" (from file "), HasSubstr("must be a whole number"))));
}

TEST_F(config_test, bad_values_of_every_type_are_refused) {
  for (const auto* arg :
       {"--port=-1", "--port=8000x", "--port= 80", "--port=0x50", "--port=99999999999999999999", "--port=1e3",
        "--throttle.min_delta=nan", "--throttle.min_delta=101", "--throttle.min_delta=-0.1",
        "--throttle.min_delta=1e999", "--rate_limit.burst=0", "--log_level=loud", "--database_url=mysql://x",
        "--database_url=sqlite://", "--socketio.path=socket.io", "--socketio.path=/", "--frontend_url=example.org",
        "--frontend_url=https://example.org/path", "--storage.readers=0"})
    EXPECT_EQ(load({arg}).errors.size(), 1U) << arg;
  for (const auto* text : {R"({"port":1.5})", R"({"port":null})", R"({"dev":"true"})", R"({"dev":1})", R"({"host":5})",
                           R"({"throttle":{"min_delta":"5"}})", R"({"frontend_url":[1]})", R"({"port":{"a":1}})"})
    EXPECT_EQ(load_file(text).errors.size(), 1U) << text;
}

TEST_F(config_test, limits_are_whole_positive_and_finite) {
  for (const auto* arg : {"--connections.total_max=-1", "--connections.total_max=1.5", "--connections.per_second=inf",
                          "--connections.per_second=-1", "--http.pipelined_max=0", "--storage.pending_bytes_max=0"})
    EXPECT_EQ(load({arg}).errors.size(), 1U) << arg;
}

TEST_F(config_test, all_errors_are_told_at_once) {
  EXPECT_EQ(load({"--port=x", "--log_level=y"}, {{"HEADWAY_DEV", "maybe"}}).errors.size(), 3U);
}

TEST_F(config_test, a_file_that_is_missing_or_no_json_is_an_error) {
  EXPECT_THAT(load({"--config", "/nonexistent/headway.json"}).errors, ElementsAre(HasSubstr("cannot be read")));
  EXPECT_THAT(load({"--config", "/"}).errors, ElementsAre(HasSubstr("cannot be read")));
  for (const auto* text : {"", "port = 8000", "[]", "{\"port\":1,}", "{\"port\":1,\"port\":2}"})
    EXPECT_THAT(load_file(text).errors, ElementsAre(HasSubstr("is not a JSON object"))) << text;
}

TEST_F(config_test, an_environment_that_is_right_does_not_hide_a_wrong_file) {
  EXPECT_EQ(load_file(R"({"port":"x"})", {{"PORT", "1"}}).errors.size(), 1U);
}

// --- lists

TEST_F(config_test, origins_are_split_at_commas_and_lose_their_slash) {
  auto loaded = load({}, {{"FRONTEND_URL", "http://localhost:3000/, https://a.example  https://b.example,"}});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.value.frontend_url,
              ElementsAre("http://localhost:3000", "https://a.example", "https://b.example"));
  EXPECT_THAT(load_file(R"({"frontend_url":["http://a.example","http://b.example"]})").value.frontend_url,
              ElementsAre("http://a.example", "http://b.example"));
}

TEST_F(config_test, an_origin_may_stand_for_hosts_with_one_label_more_or_for_all) {
  for (const auto* good : {"*", "https://*.example.org", "http://*.localhost:3000",
                           "https://*.example.org,https://a.example", "http://[::1]:8000", "https://example.org:8443"})
    EXPECT_THAT(load({std::string{"--frontend_url="} + good}).errors, IsEmpty()) << good;
  for (const auto* bad : {"*.example.org", "https://*", "https://*.", "https://*example.org", "https://a.*.example.org",
                          "https://*.*.example.org", "https://example.*", "https://example.org?x",
                          "https://u@example.org", "https://", "ftp://example.org"})
    EXPECT_THAT(load({std::string{"--frontend_url="} + bad}).errors, ElementsAre(HasSubstr("comma list of origins")))
      << bad;
}

TEST_F(config_test, proxies_are_addresses_and_networks) {
  auto loaded = load({}, {{"HEADWAY_TRUSTED_PROXIES", "10.0.0.0/8, ::1 192.0.2.7"}});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.value.trusted_proxies, ElementsAre("10.0.0.0/8", "::1", "192.0.2.7"));
  for (const auto* bad : {"10.0.0.1,x", "0.0.0.0/0", "10.0.0.0/33"})
    EXPECT_EQ(load({std::string{"--trusted_proxies="} + bad}).errors.size(), 1U) << bad;
  EXPECT_THAT(
    load({"--trusted_proxies=localhost"}).errors,
    ElementsAre("The setting trusted_proxies is \"localhost\" (from flag --trusted_proxies) but must be a comma list "
                "of addresses or networks like 10.0.0.0/8 or ::1, without names and without /0."));
}

TEST_F(config_test, the_main_namespace_keeps_its_slash) {
  EXPECT_THAT(load({}).value.socketio.namespaces, ElementsAre("/"));
  EXPECT_THAT(load({"--socketio.namespaces=/,/jobs"}).value.socketio.namespaces, ElementsAre("/", "/jobs"));
}

TEST_F(config_test, namespaces_are_what_packets_can_name) {
  for (const auto& bad : {std::string{"jobs"}, std::string{","}, std::string{"/\x1e"}, "/" + std::string(64, 'x')})
    EXPECT_EQ(load({"--socketio.namespaces=" + bad}).errors.size(), 1U) << bad;
}

// --- secrets

TEST_F(config_test, a_secret_can_come_from_a_file) {
  std::string secret(40, 'k');
  auto path = file("secret", secret + "\r\n");
  EXPECT_EQ(load({}, {{"JWT_SECRET_FILE", path}}).value.jwt_secret, secret);
  EXPECT_EQ(load({}, {{"HEADWAY_JWT_SECRET_FILE", path}}).value.jwt_secret, secret);
  auto url = file("url", "postgres://u:p@db/headway\n");
  EXPECT_EQ(load({}, {{"DATABASE_URL_FILE", url}}).value.database_url, "postgres://u:p@db/headway");
}

TEST_F(config_test, a_prefixed_secret_file_beats_a_plain_variable) {
  auto path = file("secret", std::string(40, 'k'));
  auto loaded = load({}, {{"HEADWAY_JWT_SECRET_FILE", path}, {"JWT_SECRET", std::string(40, 'p')}});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(loaded.value.jwt_secret, std::string(40, 'k'));
}

TEST_F(config_test, a_secret_file_that_cannot_be_read_or_is_empty_is_an_error) {
  EXPECT_THAT(load({}, {{"JWT_SECRET_FILE", "/nonexistent/secret"}}).errors, ElementsAre(HasSubstr("JWT_SECRET_FILE")));
  EXPECT_THAT(load({}, {{"JWT_SECRET_FILE", file("empty", "\n")}}).errors, ElementsAre(HasSubstr("is empty")));
}

TEST_F(config_test, a_secret_and_its_file_together_are_an_error) {
  auto path = file("secret", std::string(40, 'k'));
  EXPECT_EQ(load({}, {{"JWT_SECRET_FILE", path}, {"JWT_SECRET", std::string(40, 'p')}}).errors.size(), 1U);
}

TEST_F(config_test, what_is_no_secret_has_no_file_variant) {
  EXPECT_EQ(load({}, {{"PORT_FILE", file("port", "1")}}).value.port, 8000);
}

TEST_F(config_test, secrets_are_never_shown) {
  std::string secret = "0123456789abcdef0123456789abcdef";
  auto loaded =
    load({}, {{"JWT_SECRET", secret}, {"DATABASE_URL", "postgres://anna:hunter2@db:5432/x?password=hunter3"}});
  ASSERT_THAT(loaded.errors, IsEmpty());
  auto text = describe(loaded);
  EXPECT_THAT(text, AllOf(Not(HasSubstr(secret)), Not(HasSubstr("hunter2")), Not(HasSubstr("hunter3"))));
  EXPECT_THAT(text, HasSubstr("jwt_secret = ***  (environment JWT_SECRET)\n"));
  EXPECT_THAT(text, HasSubstr("database_url = postgres://anna:***@db:5432/x?***  (environment DATABASE_URL)\n"));
  EXPECT_THAT(text, HasSubstr("port = 8000  (default)\n"));

  auto wrong = load_file(R"({"jwt_secret":["hunter4"],"database_url":"mysql://anna:hunter5@db/x"})").errors;
  EXPECT_EQ(wrong.size(), 2U);
  for (const auto& sentence : wrong)
    EXPECT_THAT(sentence, Not(HasSubstr("hunter"))) << sentence;
}

TEST_F(config_test, a_password_with_an_at_sign_is_masked_whole) {
  const auto* row = find_setting("database_url");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(masked_text(*row, "postgres://u:p@ss:w@db/x"), "postgres://u:***@db/x");
  EXPECT_EQ(masked_text(*row, "postgres://u@db:5432/x"), "postgres://u@db:5432/x");
  EXPECT_EQ(masked_text(*row, "sqlite:///data/headway.db"), "sqlite:///data/headway.db");
  EXPECT_EQ(masked_text(*row, "u:p@db"), "***");
}

TEST(config_serving, wants_a_secret_of_32_bytes) {
  config c;
  EXPECT_THAT(problems_of_serving(c), ElementsAre(HasSubstr("No JWT secret")));
  c.jwt_secret = std::string(31, 'k');
  EXPECT_THAT(problems_of_serving(c), ElementsAre(AllOf(HasSubstr("31 bytes"), Not(HasSubstr("kkk")))));
  c.jwt_secret = std::string(32, 'k');
  EXPECT_THAT(problems_of_serving(c), IsEmpty());
}

TEST(config_serving, refuses_secrets_from_examples) {
  config c;
  for (const auto* secret : {"your-secret-key-change-in-production", "CHANGEME-CHANGEME-CHANGEME-CHANGEME"}) {
    c.jwt_secret = secret;
    EXPECT_EQ(problems_of_serving(c).size(), 1U) << secret;
  }
}

TEST(config_serving, asks_no_secret_in_development) {
  config c;
  c.dev = true;
  EXPECT_THAT(problems_of_serving(c), IsEmpty());
}

TEST(config_environment, is_the_one_of_this_process) {
  setenv("HEADWAY_TEST_VARIABLE", "a=b", 1);
  EXPECT_EQ(environment()["HEADWAY_TEST_VARIABLE"], "a=b");
  unsetenv("HEADWAY_TEST_VARIABLE");
}

} // namespace headway
