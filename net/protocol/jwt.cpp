// Which library, of the two that Debian 12 has:
//
//   libjwt 1.10.2-1+deb12u1    compares signatures in constant time (CVE-2024-25189, fixed in this very revision),
//                              calls OpenSSL, which is linked anyway, and does HMAC, RSA and ECDSA only. Chosen.
//   rhonabwy 1.1.11-1          compares them with strcmp (CVE-2024-25714, fixed in later releases only) and brings
//                              GnuTLS and libcurl, with code that fetches keys from URLs in the token's header.
//
// libjwt computes and compares, nothing else: it picks the algorithm from the token's header, reads base64 leniently
// and claims without limits. So the algorithm is compared before and after it, the three parts are checked before it,
// and the claims are read by our own bounded parser.
#include "net/protocol/jwt.hpp"

#include "core/json.hpp"
#include "net/protocol/base64.hpp"

#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace headway {

namespace {

constexpr std::size_t secret_bytes_min = 32;
constexpr std::size_t signature_bytes = 32; // HMAC-SHA256
constexpr std::size_t sub_bytes_max = 128;
constexpr double latest_s = 253'402'300'799; // the end of the year 9999: later ones would overflow milliseconds

constexpr std::string_view key_prefix = "hw_";
constexpr std::size_t key_bytes = 32;

struct jwt_deleter {
  void operator()(jwt_t* token) const { jwt_free(token); }
};
using jwt_ptr = std::unique_ptr<jwt_t, jwt_deleter>;

struct c_text_deleter {
  void operator()(char* text) const { std::free(text); }
};

struct token_parts {
  std::string header;
  std::string claims;
};

result<token_parts> split(std::string_view token) {
  auto first = token.find('.');
  auto second = token.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos)
    return errc::auth_invalid;
  auto header = base64url_decode(token.substr(0, first));
  auto claims = base64url_decode(token.substr(first + 1, second - first - 1));
  auto signature = base64url_decode(token.substr(second + 1)); // a third dot is no base64
  if (!header || !claims || !signature || signature->size() != signature_bytes)
    return errc::auth_invalid;
  return token_parts{std::move(*header), std::move(*claims)};
}

bool header_agrees(std::string_view text) {
  auto header = parse_json(text);
  if (!header)
    return false;
  auto* alg = find_text(*header, "alg");
  return alg && *alg == "HS256" && !find(*header, "crit"); // RFC 7515, 4.1.11: we understand no extension
}

bool signature_holds(std::string_view token, std::string_view secret) {
  jwt_t* raw = nullptr;
  auto failed = jwt_decode(&raw, std::string{token}.c_str(), reinterpret_cast<const unsigned char*>(secret.data()),
                           static_cast<int>(secret.size()));
  jwt_ptr decoded{raw};
  return failed == 0 && decoded && jwt_get_alg(decoded.get()) == JWT_ALG_HS256;
}

/// No blank and no control character; in UTF-8, U+0080 to U+00A0 (C1 and a blank) are 0xC2 and the byte itself.
bool is_visible(std::string_view text) {
  unsigned char before = 0;
  return std::ranges::all_of(text, [&before](unsigned char c) {
    auto follows_c2 = std::exchange(before, c) == 0xC2;
    return c > 0x20 && c != 0x7f && !(follows_c2 && c <= 0xA0);
  });
}

/// False where the claim is there and is no number.
bool read_seconds(const json& claims, std::string_view name, std::optional<double>& out) {
  auto* claim = find(claims, name);
  if (claim && claim->is_number())
    out = claim->get<double>(); // finite: parse_json refuses 1e999
  return !claim || out;
}

bool read_subject(const json& claims, principal& who) {
  auto* sub = find(claims, "sub");
  if (!sub)
    return false;
  who.user_id_is_number = sub->is_number_unsigned();
  if (who.user_id_is_number)
    who.user_id = std::to_string(sub->get<std::uint64_t>());
  else if (auto* text = sub->get_ptr<const std::string*>())
    who.user_id = *text;
  return !who.user_id.empty() && who.user_id.size() <= sub_bytes_max && is_visible(who.user_id);
}

bool read_scopes(const json& claims, principal& who) {
  auto* scope = find(claims, "scope");
  if (!scope)
    return true;
  if (scope->is_array()) {
    for (auto& word : *scope) {
      if (!word.is_string())
        return false;
      who.scopes.insert(word.get<std::string>());
    }
    return true;
  }
  auto* text = scope->get_ptr<const std::string*>();
  if (!text)
    return false;
  for (std::size_t at = 0; at < text->size();) {
    auto end = std::min(text->find(' ', at), text->size());
    if (end > at)
      who.scopes.insert(text->substr(at, end - at));
    at = end + 1;
  }
  return true;
}

std::string hex(const unsigned char* bytes, std::size_t n) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < n; ++i) {
    out += digits[bytes[i] >> 4U];
    out += digits[bytes[i] & 0x0FU];
  }
  return out;
}

} // namespace

result<principal> verify_jwt(std::string_view token, const jwt_options& options, epoch_ms now) {
  if (token.empty())
    return errc::auth_missing;
  if (token.size() > options.token_bytes_max || options.secret.size() < secret_bytes_min)
    return errc::auth_invalid;
  auto parts = split(token);
  if (!parts || !header_agrees(parts->header) || !signature_holds(token, options.secret))
    return errc::auth_invalid;
  auto claims = parse_json(parts->claims);
  if (!claims)
    return errc::auth_invalid;

  principal who;
  std::optional<double> exp, nbf, iat;
  if (!read_subject(*claims, who) || !read_scopes(*claims, who) || !read_seconds(*claims, "exp", exp) ||
      !read_seconds(*claims, "nbf", nbf) || !read_seconds(*claims, "iat", iat) || !exp)
    return errc::auth_invalid;
  auto now_s = static_cast<double>(now) / 1000;
  auto leeway = static_cast<double>(options.leeway_s);
  if (nbf.value_or(now_s) > now_s + leeway || iat.value_or(now_s) > now_s + leeway)
    return errc::auth_invalid;
  if (options.max_age_s > 0) {
    if (!iat)
      return errc::auth_invalid;
    exp = std::min(*exp, *iat + static_cast<double>(options.max_age_s));
  }
  who.expires_at = static_cast<epoch_ms>(std::clamp(*exp, 0.0, latest_s) * 1000);
  if (now >= who.expires_at)
    return errc::auth_expired;

  who.is_service = who.has_scope(ingest_scope);
  if (auto* email = find_text(*claims, "email"))
    who.email = *email;
  return who;
}

std::string sign_jwt(const json& claims, std::string_view secret) {
  jwt_t* raw = nullptr;
  if (jwt_new(&raw) != 0)
    throw std::bad_alloc{};
  jwt_ptr token{raw};
  auto* key = reinterpret_cast<const unsigned char*>(secret.data());
  if (jwt_add_grants_json(raw, dump_json(claims).c_str()) != 0 ||
      jwt_set_alg(raw, JWT_ALG_HS256, key, static_cast<int>(secret.size())) != 0)
    throw std::invalid_argument{"sign_jwt: claims must be an object, the secret must not be empty"};
  std::unique_ptr<char, c_text_deleter> text{jwt_encode_str(raw)};
  if (!text)
    throw std::runtime_error{"sign_jwt: libjwt could not sign"};
  return text.get();
}

std::string make_api_key() {
  std::array<unsigned char, key_bytes> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
    throw std::runtime_error{"no random numbers from OpenSSL"};
  return std::string{key_prefix} + hex(random.data(), random.size());
}

std::string hash_api_key(std::string_view key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(key.data(), key.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error{"no SHA-256 from OpenSSL"};
  return hex(digest.data(), size);
}

bool is_api_key(std::string_view text) noexcept {
  auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.starts_with(key_prefix) && text.size() == key_prefix.size() + 2 * key_bytes &&
         std::ranges::all_of(text.substr(key_prefix.size()), is_hex);
}

} // namespace headway
