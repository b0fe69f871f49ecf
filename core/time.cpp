#include "core/time.hpp"

#include <array>
#include <chrono>
#include <cstdio>

namespace headway {

epoch_ms wall_clock_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string iso8601(epoch_ms time) {
  using namespace std::chrono;
  auto point = sys_time<milliseconds>{milliseconds{time}};
  auto day = floor<days>(point);
  year_month_day date{day};
  hh_mm_ss clock{point - day};
  std::array<char, 48> buffer{};
  auto n =
    std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02lld:%02lld:%02lld.%03lldZ",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<long long>(clock.hours().count()), static_cast<long long>(clock.minutes().count()),
                  static_cast<long long>(clock.seconds().count()), static_cast<long long>(clock.subseconds().count()));
  return {buffer.data(), static_cast<std::size_t>(n)};
}

} // namespace headway
