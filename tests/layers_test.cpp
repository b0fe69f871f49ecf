// Includes point left, and Beast stays in .cpp files. Reads the sources; needs nothing of ours to build.
//
//   core <- net/protocol, net/dialect, storage, config, web <- actors <- net/transport, net/api, net/cluster <- net/*
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

struct room {
  std::string_view folder;
  int layer;
};

/// A file may include its own room and rooms of lower layers; rooms of one layer do not know each other.
/// The first match counts, so net/ itself (main and the wiring of the server) comes after its inner rooms.
// clang-format off
constexpr room rooms[] = {
  {"core/", 0},
  {"net/protocol/", 1}, {"net/dialect/", 1}, {"storage/", 1}, {"config/", 1}, {"web/", 1},
  {"actors/", 2},
  {"net/transport/", 3}, {"net/api/", 3}, {"net/cluster/", 3},
  {"net/", 4},
  {"tests/", 5}, {"bench/", 5},
};
// clang-format on

const room* room_of(std::string_view path) {
  const auto* it = std::ranges::find_if(rooms, [&](const room& r) { return path.starts_with(r.folder); });
  return it == std::end(rooms) ? nullptr : it;
}

struct include {
  std::string path;
  bool quoted = false;
};

std::optional<include> include_in(std::string_view line) {
  auto skip_space = [&line] { line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size())); };
  skip_space();
  if (!line.starts_with('#'))
    return std::nullopt;
  line.remove_prefix(1);
  skip_space();
  if (!line.starts_with("include"))
    return std::nullopt;
  line.remove_prefix(std::string_view{"include"}.size());
  skip_space();
  if (line.empty() || (line[0] != '"' && line[0] != '<'))
    return std::nullopt;
  auto quoted = line[0] == '"';
  auto end = line.find(quoted ? '"' : '>', 1);
  if (end == std::string_view::npos)
    return std::nullopt;
  return include{std::string{line.substr(1, end - 1)}, quoted};
}

bool is_test(std::string_view path) { return path.starts_with("tests/") || path.starts_with("bench/"); }

/// What is wrong with the includes of one file, each as "file:line includes what: why".
std::vector<std::string> violations(const std::string& path, const std::string& text) {
  std::vector<std::string> out;
  const auto* from = room_of(path);
  std::istringstream lines{text};
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    auto found = include_in(line);
    if (!found)
      continue;
    auto complain = [&](std::string_view why) {
      out.push_back(path + ":" + std::to_string(number) + " includes " + found->path + ": " + std::string{why});
    };
    if (found->path.starts_with("boost/beast") && path.ends_with(".hpp"))
      complain("Beast stays in .cpp files");
    const auto* to = room_of(found->path);
    if (!found->quoted) {
      if (to)
        complain("our headers are quoted");
      continue;
    }
    if (is_test(path))
      continue; // may include everything, also its neighbours by a bare name
    if (!to)
      complain("paths begin at the root of the tree");
    else if (!from)
      complain("this file is in no known room");
    else if (to != from && to->layer >= from->layer)
      complain("includes point left");
  }
  return out;
}

std::string read(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// All C++ files of the tree, relative to its root.
std::vector<std::string> sources() {
  const fs::path root{HEADWAY_SOURCE_DIR};
  std::vector<std::string> out;
  for (auto it = fs::recursive_directory_iterator{root}; it != fs::recursive_directory_iterator{}; ++it) {
    auto name = it->path().filename().string();
    if (it->is_directory() && (name == "build" || name == "node_modules" || name.starts_with('.'))) {
      it.disable_recursion_pending();
      continue;
    }
    auto extension = it->path().extension();
    if (it->is_regular_file() && (extension == ".hpp" || extension == ".cpp"))
      out.push_back(fs::relative(it->path(), root).generic_string());
  }
  std::ranges::sort(out);
  return out;
}

} // namespace

TEST(layers, every_include_of_the_tree_points_left) {
  auto files = sources();
  ASSERT_GT(files.size(), 10U) << "is " << HEADWAY_SOURCE_DIR << " the tree?";
  for (const auto& file : files)
    EXPECT_THAT(violations(file, read(fs::path{HEADWAY_SOURCE_DIR} / file)), IsEmpty());
}

TEST(layers, every_header_is_included_once) {
  for (const auto& file : sources()) {
    if (file.ends_with(".hpp")) {
      EXPECT_NE(read(fs::path{HEADWAY_SOURCE_DIR} / file).find("#pragma once"), std::string::npos) << file;
    }
  }
}

TEST(layers_check, lets_the_left_be_included) {
  EXPECT_THAT(violations("core/job.cpp", "#include \"core/job.hpp\"\n#include <vector>\n"), IsEmpty());
  EXPECT_THAT(violations("actors/job.cpp", "#include \"actors/job.hpp\"\n#include \"core/job.hpp\"\n"
                                           "#include \"storage/store.hpp\"\n#include \"net/protocol/session.hpp\"\n"),
              IsEmpty());
  EXPECT_THAT(violations("net/main.cpp", "#include \"net/server.hpp\"\n#include \"net/api/router.hpp\"\n"
                                         "#include \"config/config.hpp\"\n"),
              IsEmpty());
  EXPECT_THAT(violations("tests/core/job_test.cpp", "#include \"net/main.hpp\"\n#include \"helper.hpp\"\n"), IsEmpty());
}

TEST(layers_check, notices_an_include_to_the_right) {
  EXPECT_THAT(violations("core/job.cpp", "// a comment\n  #  include \"storage/store.hpp\"\n"),
              ElementsAre("core/job.cpp:2 includes storage/store.hpp: includes point left"));
  EXPECT_THAT(violations("storage/store.hpp", "#include \"actors/message.hpp\"\n"), testing::SizeIs(1));
  EXPECT_THAT(violations("actors/lane.cpp", "#include \"net/transport/outbound.hpp\"\n"), testing::SizeIs(1));
  EXPECT_THAT(violations("net/api/router.cpp", "#include \"net/server.hpp\"\n"), testing::SizeIs(1));
  EXPECT_THAT(violations("core/job.cpp", "#include \"tests/helper.hpp\"\n"), testing::SizeIs(1));
}

TEST(layers_check, notices_rooms_of_one_layer_that_know_each_other) {
  EXPECT_THAT(violations("net/dialect/job.cpp", "#include \"net/protocol/socketio.hpp\"\n"), testing::SizeIs(1));
  EXPECT_THAT(violations("net/api/ingest.cpp", "#include \"net/transport/http.hpp\"\n"), testing::SizeIs(1));
  EXPECT_THAT(violations("storage/sqlite_store.cpp", "#include \"config/config.hpp\"\n"), testing::SizeIs(1));
}

TEST(layers_check, notices_beast_in_a_header) {
  EXPECT_THAT(violations("net/transport/http.hpp", "#include <boost/beast/http.hpp>\n"),
              ElementsAre("net/transport/http.hpp:1 includes boost/beast/http.hpp: Beast stays in .cpp files"));
  EXPECT_THAT(violations("net/transport/http.cpp", "#include <boost/beast/http.hpp>\n"), IsEmpty());
}

TEST(layers_check, notices_paths_that_hide_their_room) {
  EXPECT_THAT(violations("core/job.cpp", "#include \"job.hpp\"\n"), testing::SizeIs(1));
  EXPECT_THAT(violations("core/job.cpp", "#include <core/job.hpp>\n"), testing::SizeIs(1));
  EXPECT_THAT(violations("attic/old.cpp", "#include \"core/job.hpp\"\n"), testing::SizeIs(1));
}
