#include "core/json.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace headway {

namespace {

using namespace std::string_literals;

std::string repeat(std::string_view part, std::size_t n) {
  std::string out;
  out.reserve(part.size() * n);
  for (std::size_t i = 0; i < n; ++i)
    out += part;
  return out;
}

std::string nested(std::size_t depth) { return repeat("[", depth) + repeat("]", depth); }

/// `[item,item,...]`
std::string array_of(std::size_t n) { return n == 0 ? "[]" : "[" + repeat("1,", n - 1) + "1]"; }

std::string object_of(std::size_t n) {
  std::string out = "{";
  for (std::size_t i = 0; i < n; ++i)
    out += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  return out + "}";
}

/// The error that `text` is refused with; `errc{}` where it is taken.
errc refusal(std::string_view text, const json_limits& limits = {}) {
  auto value = parse_json(text, limits);
  return value ? errc{} : value.error();
}

} // namespace

TEST(json_parse, takes_every_kind_of_value) {
  for (const auto* text : {"null", "true", "false", "0", "-1", "1.5", "1e3", "\"\"", "[]", "{}",
                           " { \"a\" : [ 1 , {} ] } ", "18446744073709551615", "-9223372036854775808"})
    EXPECT_EQ(refusal(text), errc{}) << text;
}

TEST(json_parse, keeps_the_order_of_keys) {
  auto value = parse_json(R"({"zebra":1,"apple":2,"mango":{"b":1,"a":2}})");
  ASSERT_TRUE(value);
  EXPECT_EQ(dump_json(*value), R"({"zebra":1,"apple":2,"mango":{"b":1,"a":2}})");
}

TEST(json_parse, keeps_numbers_in_their_type) {
  auto value = parse_json(R"([42,-7,12.5,"42"])");
  ASSERT_TRUE(value);
  EXPECT_TRUE((*value)[0].is_number_integer());
  EXPECT_TRUE((*value)[2].is_number_float());
  EXPECT_TRUE((*value)[3].is_string());
  EXPECT_EQ(dump_json(*value), R"([42,-7,12.5,"42"])");
}

TEST(json_parse, anything_but_one_json_text_is_bad_json) {
  for (const auto& text :
       {""s,      " "s,     "{"s,       "}"s,     "[1,]"s,    "{\"a\":1,}"s, "{a:1}"s,     "'a'"s,
        "{} {}"s, "1 2"s,   "{}x"s,     "nul"s,   "NaN"s,     "Infinity"s,   "-Infinity"s, "+1"s,
        "01"s,    ".5"s,    "1."s,      "0x1"s,   "// c\n1"s, "/* c */1"s,   "\"a\nb\""s,  "\"\\x41\""s,
        "[1"s,    "\"abc"s, "{\"a\"}"s, "{1:2}"s, "\0"s,      "{}\0"s,       "{}\0{}"s,    "[1\0]"s})
    EXPECT_EQ(refusal(text), errc::bad_json) << text;
}

TEST(json_parse, a_number_beyond_a_double_is_bad_json) {
  for (const auto* text : {"1e999", "-1e999", "[1e999]", "{\"progress\":1e999}"})
    EXPECT_EQ(refusal(text), errc::bad_json) << text;
}

TEST(json_parse, invalid_utf8_is_bad_json) {
  for (const auto& text :
       {"\"\xFF\""s, "\"\xC0\xAF\""s, "\"\xED\xA0\x80\""s, "\"\xF4\x90\x80\x80\""s, "\"\xE2\x82\""s, "{\"\xFF\":1}"s})
    EXPECT_EQ(refusal(text), errc::bad_json);
}

TEST(json_parse, u0000_and_lone_surrogates_are_bad_json) {
  for (const auto* text : {R"("\u0000")", R"({"a\u0000b":1})", R"("\ud800")", R"("\udc00")", R"("\ud800\ud800")",
                           R"("\ud800x")", R"("\udfff\ud800")"})
    EXPECT_EQ(refusal(text), errc::bad_json) << text;
  EXPECT_EQ(refusal(R"("\ud83d\ude80")"), errc{}); // a pair is a character
}

TEST(json_parse, duplicate_keys_are_bad_json) {
  EXPECT_EQ(refusal(R"({"a":1,"a":2})"), errc::bad_json);
  EXPECT_EQ(refusal(R"({"x":[{"b":1,"c":2,"b":3}]})"), errc::bad_json);
  EXPECT_EQ(refusal(R"({"a":1,"\u0061":2})"), errc::bad_json);
  EXPECT_EQ(refusal(R"({"a":{"a":1},"b":{"a":1}})"), errc{}); // the same key in two objects is none
}

TEST(json_parse, a_depth_of_32_passes_and_33_does_not) {
  EXPECT_EQ(refusal(nested(32)), errc{});
  EXPECT_EQ(refusal(nested(33)), errc::json_limit);
  EXPECT_EQ(refusal(repeat("{\"a\":", 32) + "1" + repeat("}", 32)), errc{});
  EXPECT_EQ(refusal(repeat("{\"a\":", 33) + "1" + repeat("}", 33)), errc::json_limit);
}

TEST(json_parse, a_hundred_thousand_nested_arrays_are_refused_without_harm) {
  EXPECT_EQ(refusal(nested(100'000)), errc::json_limit);
  EXPECT_EQ(refusal(repeat("[", 100'000)), errc::json_limit);
  EXPECT_EQ(refusal(repeat("{\"a\":", 100'000)), errc::json_limit);
}

TEST(json_parse, depth_counts_what_is_open_not_what_was) {
  EXPECT_EQ(refusal("[" + repeat("[],", 100) + "[]]"), errc{});
}

TEST(json_parse, bounds_the_members_of_an_object) {
  EXPECT_EQ(refusal(object_of(256)), errc{});
  EXPECT_EQ(refusal(object_of(257)), errc::json_limit);
}

TEST(json_parse, bounds_the_elements_of_an_array) {
  EXPECT_EQ(refusal(array_of(4096)), errc{});
  EXPECT_EQ(refusal(array_of(4097)), errc::json_limit);
}

TEST(json_parse, counts_elements_of_every_kind) {
  for (std::string item : {"null", "true", "1", "-1", "1.5", "\"\"", "[]", "{}"}) {
    EXPECT_EQ(refusal("[" + repeat(item + ",", 4095) + item + "]"), errc{}) << item;
    EXPECT_EQ(refusal("[" + repeat(item + ",", 4096) + item + "]"), errc::json_limit) << item;
  }
}

TEST(json_parse, counts_members_not_elements_in_an_object) {
  json_limits small;
  small.elements = 1;
  EXPECT_EQ(refusal(R"({"a":1,"b":[2],"c":{}})", small), errc{});
  EXPECT_EQ(refusal(R"([{"a":1,"b":2}])", small), errc{});
}

TEST(json_parse, an_object_in_an_array_counts_once) {
  EXPECT_EQ(refusal("[" + repeat(R"({"a":1,"b":2},)", 4095) + "{}]"), errc{});
}

TEST(json_parse, bounds_strings_and_keys) {
  EXPECT_EQ(refusal("\"" + std::string(65'536, 'a') + "\""), errc{});
  EXPECT_EQ(refusal("\"" + std::string(65'537, 'a') + "\""), errc::json_limit);
  EXPECT_EQ(refusal("{\"" + std::string(65'537, 'a') + "\":1}"), errc::json_limit);
}

TEST(json_parse, bounds_the_digits_of_a_number) {
  EXPECT_EQ(refusal("0." + std::string(30, '3')), errc{});
  EXPECT_EQ(refusal("0." + std::string(31, '3')), errc::json_limit);
  EXPECT_EQ(refusal(std::string(200, '9')), errc::json_limit);
}

TEST(json_parse, bounds_the_digits_of_whole_numbers_too) {
  EXPECT_EQ(refusal(std::string(32, '9')), errc{});
  EXPECT_EQ(refusal(std::string(33, '9')), errc::json_limit);
  EXPECT_EQ(refusal("-" + std::string(31, '9')), errc{});
  EXPECT_EQ(refusal("-" + std::string(32, '9')), errc::json_limit);
  json_limits small;
  small.digits = 3;
  for (auto* text : {"0", "999", "-99", "[1,22,333]"})
    EXPECT_EQ(refusal(text, small), errc{}) << text;
  for (auto* text : {"1000", "-100", "1.25", "18446744073709551615", "-9223372036854775808", "{\"a\":[1000]}"})
    EXPECT_EQ(refusal(text, small), errc::json_limit) << text;
}

TEST(json_parse, takes_its_limits_as_an_argument) {
  json_limits small;
  small.depth = 1;
  small.members = 1;
  EXPECT_EQ(refusal("{\"a\":1}", small), errc{});
  EXPECT_EQ(refusal("{\"a\":{}}", small), errc::json_limit);
  EXPECT_EQ(refusal("{\"a\":1,\"b\":2}", small), errc::json_limit);
}

TEST(json_dump, invalid_utf8_is_replaced_not_thrown_at) {
  json value;
  value["text"] = "a\xFF\xC3";
  std::string out;
  ASSERT_NO_THROW(out = dump_json(value));
  EXPECT_TRUE(parse_json(out)) << out;
}

TEST(json_dump, is_compact_and_leaves_letters_as_they_are) {
  json value;
  value["ort"] = "Zürich";
  value["n"] = 1;
  EXPECT_EQ(dump_json(value), R"({"ort":"Zürich","n":1})");
}

TEST(json_dump, replaces_in_keys_too) {
  json value;
  value["a\xFF"] = 1;
  EXPECT_TRUE(parse_json(dump_json(value)));
}

TEST(json_trusted, gives_what_was_dumped_and_null_for_nothing) {
  EXPECT_EQ(dump_json(trusted_json(R"({"b":1,"a":2})")), R"({"b":1,"a":2})");
  EXPECT_TRUE(trusted_json("").is_null());
  EXPECT_TRUE(trusted_json("{broken").is_null());
}

TEST(json_number, a_whole_progress_has_no_fraction) {
  EXPECT_EQ(dump_json(number_json(42)), "42");
  EXPECT_EQ(dump_json(number_json(0)), "0");
  EXPECT_EQ(dump_json(number_json(100)), "100");
  EXPECT_EQ(dump_json(number_json(42.5)), "42.5");
  EXPECT_EQ(dump_json(number_json(0.1)), "0.1");
}

TEST(json_find, answers_nullptr_for_all_that_is_not_there) {
  auto value = parse_json(R"({"text":"a","number":1})").value();
  ASSERT_NE(find(value, "number"), nullptr);
  EXPECT_EQ(*find(value, "number"), 1);
  EXPECT_EQ(find(value, "other"), nullptr);
  EXPECT_EQ(find(json::array({1}), "text"), nullptr);
  EXPECT_EQ(find(json{}, "text"), nullptr);
  ASSERT_NE(find_text(value, "text"), nullptr);
  EXPECT_EQ(*find_text(value, "text"), "a");
  EXPECT_EQ(find_text(value, "number"), nullptr);
  EXPECT_EQ(find_text(value, "other"), nullptr);
}

} // namespace headway
