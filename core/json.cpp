#include "core/json.hpp"

#include <cmath>
#include <unordered_set>
#include <vector>

namespace headway {

namespace {

constexpr std::size_t digits_of_64_bits = 20; // -9223372036854775808, 18446744073709551615

/// Passes parse events on to nlohmann's own builder while they keep within the limits.
class bounded_builder {
public:
  using dom_builder = nlohmann::detail::json_sax_dom_parser<json>;

  bounded_builder(json& root, const json_limits& limits) : dom_{root, false}, limits_{limits} {}

  errc error() const { return error_; }

  bool null() { return value() && dom_.null(); }
  bool boolean(bool v) { return value() && dom_.boolean(v); }
  bool number_integer(json::number_integer_t v) { return value() && digits(v) && dom_.number_integer(v); }
  bool number_unsigned(json::number_unsigned_t v) { return value() && digits(v) && dom_.number_unsigned(v); }
  bool number_float(json::number_float_t v, const std::string& text) {
    if (!std::isfinite(v))
      return false;
    return value() && within(text.size(), limits_.digits) && dom_.number_float(v, text);
  }
  bool string(std::string& v) { return value() && text(v) && dom_.string(v); }
  bool binary(json::binary_t&) { return false; }

  bool start_object(std::size_t n) { return value() && open() && dom_.start_object(n); }
  bool key(std::string& v) {
    auto& here = levels_.back();
    if (!within(++here.count, limits_.members) || !text(v))
      return false;
    if (!here.keys.insert(v).second)
      return false; // a duplicate key: which one counts would be a guess
    return dom_.key(v);
  }
  bool end_object() { return close() && dom_.end_object(); }
  bool start_array(std::size_t n) {
    if (!value() || !open())
      return false;
    levels_.back().is_array = true;
    return dom_.start_array(n);
  }
  bool end_array() { return close() && dom_.end_array(); }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

private:
  struct level {
    bool is_array = false;
    std::size_t count = 0;
    std::unordered_set<std::string> keys;
  };

  bool within(std::size_t n, std::size_t max) {
    if (n <= max)
      return true;
    error_ = errc::json_limit;
    return false;
  }
  bool text(const std::string& v) {
    if (v.find('\0') != std::string::npos)
      return false; // PostgreSQL text cannot hold it
    return within(v.size(), limits_.string_bytes);
  }
  /// Of a whole number that fits into 64 bits; a longer one comes as a double with its text.
  template <class Number>
  bool digits(Number v) {
    return limits_.digits >= digits_of_64_bits || within(std::to_string(v).size(), limits_.digits);
  }
  bool value() {
    if (levels_.empty() || !levels_.back().is_array)
      return true;
    return within(++levels_.back().count, limits_.elements);
  }
  bool open() {
    levels_.emplace_back();
    return within(levels_.size(), limits_.depth);
  }
  bool close() {
    levels_.pop_back();
    return true;
  }

  dom_builder dom_;
  const json_limits& limits_;
  std::vector<level> levels_;
  errc error_ = errc::bad_json;
};

} // namespace

result<json> parse_json(std::string_view text, const json_limits& limits) {
  if (text.find('\0') != std::string_view::npos)
    return errc::bad_json; // nlohmann takes it for the end of the text and ignores what follows
  json root;
  bounded_builder builder{root, limits};
  if (!json::sax_parse(text.begin(), text.end(), &builder))
    return builder.error();
  return root;
}

std::string dump_json(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

json trusted_json(std::string_view text) {
  auto value = json::parse(text, nullptr, false);
  return value.is_discarded() ? json{} : value;
}

json number_json(double value) {
  constexpr double exact = 9007199254740992.0; // 2^53
  if (std::trunc(value) == value && std::abs(value) <= exact)
    return static_cast<std::int64_t>(value);
  return value;
}

const json* find(const json& object, std::string_view key) {
  if (!object.is_object())
    return nullptr;
  auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

const std::string* find_text(const json& object, std::string_view key) {
  auto* member = find(object, key);
  return member && member->is_string() ? member->get_ptr<const std::string*>() : nullptr;
}

} // namespace headway
