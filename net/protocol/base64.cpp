#include "net/protocol/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <limits>

namespace headway {

namespace {

constexpr std::size_t max_size = std::numeric_limits<int>::max() / 2; // OpenSSL counts in int

} // namespace

std::string base64_encode(std::string_view bytes) {
  if (bytes.size() > max_size)
    return {};
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0'); // EVP_EncodeBlock ends with a NUL
  auto n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                           reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

result<std::string> base64_decode(std::string_view text) {
  if (text.size() > max_size || text.size() % 4 != 0)
    return errc::bad_request;
  std::string out(text.size() / 4 * 3, '\0');
  auto n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                           reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0)
    return errc::bad_request;
  // EVP_DecodeBlock skips blanks at the ends, takes '=' anywhere and counts padding as bytes: encode again.
  auto padding = static_cast<std::size_t>(text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0);
  out.resize(static_cast<std::size_t>(n) - std::min(padding, static_cast<std::size_t>(n)));
  if (base64_encode(out) != text)
    return errc::bad_request;
  return out;
}

result<std::string> base64url_decode(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos)
    return errc::bad_request;
  std::string standard{text};
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '_', '/');
  standard.append((4 - standard.size() % 4) % 4, '=');
  return base64_decode(standard);
}

} // namespace headway
