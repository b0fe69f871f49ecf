#include "web/assets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace headway {

namespace {

using testing::HasSubstr;
using testing::Not;

const web_asset* find_asset(std::string_view path) {
  auto all = web_assets();
  auto it = std::ranges::find(all, path, &web_asset::path);
  return it == all.end() ? nullptr : &*it;
}

std::string body_of(std::string_view path) {
  const auto* asset = find_asset(path);
  return asset ? std::string{asset->body} : std::string{};
}

} // namespace

TEST(web_assets, are_the_files_byte_by_byte) {
  for (auto [path, file] :
       {std::pair{"/demo", "index.html"}, {"/demo/demo.js", "demo.js"}, {"/demo/demo.css", "demo.css"}}) {
    std::ifstream in{std::string{HEADWAY_SOURCE_DIR} + "/web/demo/" + file, std::ios::binary};
    std::ostringstream text;
    text << in.rdbuf();
    EXPECT_EQ(body_of(path), text.str()) << path;
  }
}

TEST(web_assets, have_unique_paths_and_a_type) {
  std::set<std::string_view> paths;
  for (const auto& asset : web_assets()) {
    EXPECT_TRUE(paths.insert(asset.path).second) << asset.path;
    EXPECT_TRUE(asset.path == "/docs" || asset.path == "/demo" || asset.path.starts_with("/demo/")) << asset.path;
    EXPECT_FALSE(asset.content_type.empty()) << asset.path;
    EXPECT_FALSE(asset.body.empty()) << asset.path;
  }
}

TEST(web_assets, hold_the_stock_client_of_the_4_8_line) {
  EXPECT_THAT(body_of("/demo/socket.io.min.js").substr(0, 200), HasSubstr("Socket.IO v4.8."));
}

TEST(demo_page, asks_only_for_what_is_in_the_table) {
  auto page = body_of("/demo");
  std::regex reference{R"re((?:src|href)="([^"]*)")re"};
  int found = 0;
  for (auto it = std::sregex_iterator{page.begin(), page.end(), reference}; it != std::sregex_iterator{}; ++it) {
    ++found;
    EXPECT_NE(find_asset((*it)[1].str()), nullptr) << (*it)[1];
  }
  EXPECT_GE(found, 4);
}

TEST(demo_page, fits_a_policy_without_inline_code) {
  auto page = body_of("/demo");
  EXPECT_FALSE(std::regex_search(page, std::regex{R"(\sstyle=|\son[a-z]+=|<style|javascript:)"}));
  EXPECT_FALSE(std::regex_search(page, std::regex{R"(<script[^>]*>[^<])"}));
}

TEST(demo_page, shows_what_workers_say_as_text_only) {
  auto script = body_of("/demo/demo.js");
  for (const auto* way : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("})
    EXPECT_THAT(script, Not(HasSubstr(way)));
}

} // namespace headway
