// Values as the text that PostgreSQL reads: array literals, UTF-8 it accepts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace headway {

/// Text that PostgreSQL takes: it refuses U+0000 and invalid UTF-8, and one such text would fail everybody's batch.
/// Each offending byte becomes U+FFFD.
std::string pg_text(std::string_view text);

/// A one-dimensional array literal: {1,2.5,"a \"b\""}. Texts are always quoted, so `NULL` and `{}` are just texts.
class pg_array {
public:
  void add(std::string_view text); ///< cleaned as by `pg_text`
  void add(std::int64_t number);
  void add(std::uint64_t number); ///< beyond bigint: clamped
  void add(double number);        ///< the shortest text that reads back as the same number

  /// Valid until the next `add`.
  const std::string& literal();

private:
  void separate();

  std::string text_ = "{";
  bool closed_ = false;
};

} // namespace headway
