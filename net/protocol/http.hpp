// HTTP as the layers above see it: plain values, whatever library reads and writes the bytes.
#pragma once

#include "core/errc.hpp"
#include "core/json.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headway {

struct http_request {
  std::string method; ///< upper case
  std::string path;   ///< percent-encoded, without the query
  std::string query;  ///< without "?"
  std::string body;
  std::string content_type;     ///< as sent; empty: none
  std::string content_encoding; ///< as sent; empty: none
  std::string authorization;    ///< as sent; empty: none
  std::string origin;           ///< as sent; empty: none
  std::string host;
  std::string user_agent;
  std::string accept;
  std::string last_event_id;
  std::string forwarded_for; ///< X-Forwarded-For, all of them joined by commas
  std::string cors_headers;  ///< Access-Control-Request-Headers
  std::string address;       ///< of the client, without its port
};

struct http_answer {
  int status = 200;
  std::string content_type; ///< empty: no body
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers; ///< beside Content-Type and Content-Length
  bool close = false;                                       ///< the connection ends with this answer
};

http_answer json_answer(int status, const json& body);

/// application/problem+json: {type, title, status, code, detail?}. `code` is the stable name of the error.
http_answer problem(errc code, std::string_view detail = {});

/// Percent-decodes; "+" stays. @returns bad_request for a broken escape.
result<std::string> percent_decode(std::string_view text);

/// Query parameters by name, percent-decoded, "+" as space.
/// The last of duplicates wins; broken escapes are kept as they are.
class query_params {
public:
  explicit query_params(std::string_view query);
  /// Empty where absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  /// Names in the order in which they came (the order tells client families apart).
  const std::vector<std::pair<std::string, std::string>>& all() const { return params_; }

private:
  std::vector<std::pair<std::string, std::string>> params_;
};

} // namespace headway
