// Only what was signed with the secret is taken, as HS256, and only in its time.
//
//   first byte 0: the rest is a token       accepted only with our own HMAC over header and claims
//              1: the rest are claims       rightly signed; accepted only with sub and a time to come
//              2: the rest is a header      rightly signed; accepted only where it says HS256 and no crit
//
// A token that is accepted is refused with any bit changed.
#include "net/protocol/jwt.hpp"

#include "net/protocol/base64.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace {

using namespace headway;

constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";
constexpr epoch_ms now = 1'800'000'000'000;

constexpr std::string_view good_header = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::string_view good_claims = R"({"sub":"alice","exp":1900000000})";

std::string base64url(std::string_view bytes) {
  auto text = base64_encode(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  std::erase(text, '=');
  return text;
}

std::string signature_of(std::string_view body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), out.data(), &size);
  return base64url({reinterpret_cast<char*>(out.data()), size});
}

std::string signed_token(std::string_view header, std::string_view claims) {
  auto body = base64url(header) + '.' + base64url(claims);
  return body + '.' + signature_of(body);
}

/// The promises to be kept where `token` is accepted.
void check_accepted(const std::string& token, const principal& who, std::size_t where) {
  auto end = token.rfind('.');
  PROMISE(end != std::string::npos && token.substr(end + 1) == signature_of(token.substr(0, end)));
  auto dot = token.find('.');
  auto header = json::parse(base64url_decode(token.substr(0, dot)).value(), nullptr, false);
  PROMISE(header.is_object() && header["alg"] == "HS256" && !header.contains("crit"));
  auto claims = json::parse(base64url_decode(token.substr(dot + 1, end - dot - 1)).value(), nullptr, false);
  PROMISE(claims.is_object() && claims.contains("exp") && claims["exp"].is_number());
  PROMISE(claims["exp"].get<double>() * 1000 > static_cast<double>(now));
  PROMISE(claims.contains("sub"));
  PROMISE(who.user_id == (claims["sub"].is_string() ? claims["sub"].get<std::string>() : claims["sub"].dump()));
  PROMISE(!who.user_id.empty() && who.user_id.size() <= 128);
  PROMISE(who.expires_at > now);
  PROMISE(who.is_service == who.has_scope(ingest_scope));

  auto changed = token;
  auto bit = where % (8 * token.size());
  changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
  PROMISE(!verify_jwt(changed, {std::string{secret}}, now));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  auto form = in.byte() % 3;
  auto where = in.below(65'536);
  auto text = in.rest();
  auto token = form == 0   ? std::string{text}
               : form == 1 ? signed_token(good_header, text)
                           : signed_token(text, good_claims);
  auto who = verify_jwt(token, {std::string{secret}}, now);
  if (who)
    check_accepted(token, *who, where);
  else
    PROMISE(who.error() == errc::auth_invalid || who.error() == errc::auth_expired || token.empty());
  PROMISE(!verify_jwt(token, {std::string(32, '?')}, now)); // with which nothing is signed
  PROMISE(!is_api_key(token) || token.starts_with("hw_"));
  return 0;
}
