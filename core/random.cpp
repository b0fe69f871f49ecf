#include "core/random.hpp"

#include <sys/random.h>

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace headway {

std::string random_name(std::size_t bytes) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::vector<std::uint8_t> random(bytes);
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    throw std::runtime_error("the operating system gives no random bytes");
  std::string name;
  name.reserve((bytes * 8 + 5) / 6);
  std::uint32_t bits = 0;
  int have = 0;
  for (auto byte : random) {
    bits = (bits << 8U) | byte;
    for (have += 8; have >= 6; have -= 6)
      name += alphabet[(bits >> static_cast<unsigned>(have - 6)) & 63U];
  }
  if (have > 0)
    name += alphabet[(bits << static_cast<unsigned>(6 - have)) & 63U];
  return name;
}

} // namespace headway
