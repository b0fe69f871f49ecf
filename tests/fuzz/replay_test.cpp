// Replays the kept bytes of corpus/TARGET through every target: what a fuzzer once found stays found.
#include "tests/fuzz/fuzz.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

// In this build each target's LLVMFuzzerTestOneInput has a name of its own, see CMakeLists.txt.
#define TARGETS                                                                                                        \
  TARGET(encodings)                                                                                                    \
  TARGET(engineio_packet)                                                                                              \
  TARGET(engineio_payload)                                                                                             \
  TARGET(http_guard)                                                                                                   \
  TARGET(json)                                                                                                         \
  TARGET(jwt)                                                                                                          \
  TARGET(plain)                                                                                                        \
  TARGET(room_name)                                                                                                    \
  TARGET(sessions)                                                                                                     \
  TARGET(socketio_packet)                                                                                              \
  TARGET(websocket_guard)

#define TARGET(name) extern "C" int fuzz_##name(const std::uint8_t*, std::size_t);
TARGETS
#undef TARGET

namespace {

namespace fs = std::filesystem;

const fs::path folder = fs::path{HEADWAY_SOURCE_DIR} / "tests/fuzz";

struct target {
  std::string name;
  int (*run)(const std::uint8_t*, std::size_t);
};

std::ostream& operator<<(std::ostream& out, const target& t) { return out << t.name; }

#define TARGET(name) {#name, fuzz_##name},
const std::vector<target> targets{TARGETS};
#undef TARGET

/// The names of what is in a folder, sorted, as far as `wanted`.
template <class Wanted>
std::vector<std::string> names_in(const fs::path& path, Wanted wanted) {
  std::vector<std::string> names;
  for (auto& entry : fs::directory_iterator{path})
    if (wanted(entry))
      names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

std::vector<std::uint8_t> read(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

class fuzz_corpus : public testing::TestWithParam<target> {};

TEST_P(fuzz_corpus, breaks_no_promise) {
  auto corpus = folder / "corpus" / GetParam().name;
  auto files = names_in(corpus, [](auto& entry) { return entry.is_regular_file(); });
  ASSERT_FALSE(files.empty()) << corpus << " is empty";
  for (auto& file : files) {
    std::cout << "corpus/" << GetParam().name << '/' << file << std::endl; // the last one is the one that broke it
    auto bytes = read(corpus / file);
    EXPECT_EQ(GetParam().run(bytes.data(), bytes.size()), 0);
  }
  const std::uint8_t none = 0;
  EXPECT_EQ(GetParam().run(&none, 0), 0);
}

INSTANTIATE_TEST_SUITE_P(replay, fuzz_corpus, testing::ValuesIn(targets), [](auto& test) { return test.param.name; });

TEST(fuzz_targets, each_has_a_source_and_a_corpus) {
  std::vector<std::string> expected, sources;
  for (auto& one : targets)
    expected.push_back(one.name);
  for (auto& name : names_in(folder, [](auto& entry) { return entry.path().extension() == ".cpp"; }))
    if (name != "replay_test.cpp")
      sources.push_back(name.substr(0, name.size() - 4));
  EXPECT_EQ(sources, expected);
  EXPECT_EQ(names_in(folder / "corpus", [](auto& entry) { return entry.is_directory(); }), expected);
}

} // namespace
