#include "core/log.hpp"

#include "core/json.hpp"
#include "core/time.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace headway::log {

namespace {

/// Longer values say nothing more to a person and could flood the log.
constexpr std::size_t max_field_bytes = 256;

spdlog::logger& logger() {
  static auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("headway", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}

/// The same event again and again says nothing new: ten of a kind a second are written, the rest are counted.
class pace {
public:
  /// None: not to be written. Otherwise how many were left out before it.
  std::optional<std::uint64_t> take(std::string_view event) {
    constexpr int in_a_second = 10;
    std::lock_guard lock{mutex_};
    auto second = std::chrono::steady_clock::now().time_since_epoch() / std::chrono::seconds{1};
    auto& kind = kinds_[std::string{event}]; // names are constants of ours: a few dozen
    if (kind.second != second) {
      kind.second = second;
      kind.written = 0;
    }
    if (kind.written < in_a_second) {
      ++kind.written;
      return std::exchange(kind.left_out, 0);
    }
    ++kind.left_out;
    return std::nullopt;
  }

private:
  struct counts {
    std::int64_t second = 0;
    int written = 0;
    std::uint64_t left_out = 0;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, counts> kinds_;
};

pace& pace_of_all() {
  static pace instance;
  return instance;
}

void write(spdlog::level::level_enum level, std::string_view event, fields f) {
  if (!logger().should_log(level))
    return;
  auto left_out = pace_of_all().take(event);
  if (!left_out)
    return;
  json line;
  line["time"] = iso8601(wall_clock_ms());
  line["level"] = std::string{spdlog::level::to_string_view(level).data()};
  line["event"] = event;
  for (const auto& [name, data] : f) {
    std::visit(
      [&, &key = name](const auto& v) {
        if constexpr (std::is_convertible_v<decltype(v), std::string_view>)
          line[std::string{key}] = std::string_view{v}.substr(0, max_field_bytes);
        else
          line[std::string{key}] = v;
      },
      data);
  }
  if (*left_out > 0)
    line["left_out"] = *left_out;
  // ensure_ascii escapes everything that could move a terminal's cursor or forge a line
  logger().log(level, line.dump(-1, ' ', true, json::error_handler_t::replace));
}

} // namespace

bool set_level(std::string_view level) {
  auto parsed = level == "warn" ? spdlog::level::warn : spdlog::level::from_str(std::string{level});
  if (parsed == spdlog::level::off && level != "off")
    return false;
  logger().set_level(parsed);
  return true;
}

void debug(std::string_view event, fields f) { write(spdlog::level::debug, event, f); }
void info(std::string_view event, fields f) { write(spdlog::level::info, event, f); }
void warn(std::string_view event, fields f) { write(spdlog::level::warn, event, f); }
void error(std::string_view event, fields f) { write(spdlog::level::err, event, f); }

} // namespace headway::log
