#include "net/protocol/jwt.hpp"

#include "net/protocol/base64.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <set>

namespace headway {
namespace {

const std::string secret = "0123456789abcdef0123456789abcdef";
constexpr epoch_ms now = 1'800'000'000'000;
constexpr std::int64_t now_s = now / 1000;

std::string base64url(std::string_view bytes) {
  auto text = base64_encode(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  std::erase(text, '=');
  return text;
}

std::string hmac(const std::string& text, const EVP_MD* digest = EVP_sha256()) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  HMAC(digest, secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out.data(), &size);
  return {reinterpret_cast<char*>(out.data()), size};
}

/// A token with whatever header and claims, rightly signed with HMAC; made without the library under test.
std::string token_of(std::string_view claims, std::string_view header = R"({"alg":"HS256","typ":"JWT"})",
                     const EVP_MD* digest = EVP_sha256()) {
  auto body = base64url(header) + '.' + base64url(claims);
  return body + '.' + base64url(hmac(body, digest));
}

std::string good_claims() { return R"({"sub":"alice","exp":)" + std::to_string(now_s + 60) + "}"; }

result<principal> verify(std::string_view token) { return verify_jwt(token, {secret}, now); }

/// The error of these claims, signed as they are.
errc error_of(std::string_view claims) {
  auto who = verify(token_of(claims));
  return who ? errc{} : who.error();
}

TEST(jwt, tells_who_speaks) {
  auto claims =
    R"({"sub":"alice","email":"a@example.org","scope":"read  ingest","exp":)" + std::to_string(now_s + 60) + "}";
  auto who = verify(token_of(claims)).value();
  EXPECT_EQ(who.user_id, "alice");
  EXPECT_FALSE(who.user_id_is_number);
  EXPECT_EQ(who.email, "a@example.org");
  EXPECT_EQ(who.scopes, (std::set<std::string, std::less<>>{"ingest", "read"}));
  EXPECT_TRUE(who.is_service);
  EXPECT_EQ(who.expires_at, now + 60'000);
}

TEST(jwt, a_user_is_no_service) {
  auto who = verify(token_of(good_claims())).value();
  EXPECT_FALSE(who.is_service);
  EXPECT_TRUE(who.scopes.empty());
  EXPECT_TRUE(who.email.empty());
}

TEST(jwt, scopes_may_be_an_array) {
  auto who = verify(token_of(R"({"sub":1,"scope":["ingest"],"exp":9e9})")).value();
  EXPECT_TRUE(who.is_service);
  EXPECT_FALSE(verify(token_of(R"({"sub":1,"scope":["ingestion","no ingest"],"exp":9e9})")).value().is_service);
}

TEST(jwt, a_numeric_sub_stays_a_number) {
  auto who = verify(token_of(R"({"sub":42,"exp":9e9})")).value();
  EXPECT_EQ(who.user_id, "42");
  EXPECT_TRUE(who.user_id_is_number);
}

TEST(jwt, verifies_what_it_signs) {
  auto token = sign_jwt(json{{"sub", "alice"}, {"exp", now_s + 60}, {"scope", "ingest"}}, secret);
  EXPECT_EQ(verify(token).value().user_id, "alice");
  EXPECT_TRUE(verify(token).value().is_service);
  EXPECT_TRUE(verify(sign_jwt(json{{"sub", 7}, {"exp", now_s + 60}}, secret)).value().user_id_is_number);
}

TEST(jwt, an_empty_token_is_missing) { EXPECT_EQ(verify("").error(), errc::auth_missing); }

TEST(jwt, ends_at_exp_without_leeway) {
  auto exp = [](const std::string& s) { return error_of(R"({"sub":1,"exp":)" + s + "}"); };
  EXPECT_EQ(exp(std::to_string(now_s + 1)), errc{});
  EXPECT_EQ(exp(std::to_string(now_s) + ".002"), errc{});
  EXPECT_EQ(exp(std::to_string(now_s)), errc::auth_expired);
  EXPECT_EQ(exp(std::to_string(now_s - 1)), errc::auth_expired);
  EXPECT_EQ(exp(std::to_string(now_s - 100'000)), errc::auth_expired);
}

TEST(jwt, is_never_taken_with_an_end_that_has_passed) {
  for (auto* exp : {"1800000000.0001", "1800000000.0009", "1800000000.001", "1800000000.0011", "1.8e9"}) {
    if (auto who = verify(token_of(R"({"sub":1,"exp":)" + std::string{exp} + "}"))) {
      EXPECT_GT(who->expires_at, now) << exp;
    }
  }
}

TEST(jwt, begins_within_a_leeway_of_30_seconds) {
  auto begins = [](const std::string& claim, std::int64_t s) {
    return error_of(R"({"sub":1,"exp":9e9,")" + claim + "\":" + std::to_string(now_s + s) + "}");
  };
  for (auto* claim : {"nbf", "iat"}) {
    EXPECT_EQ(begins(claim, -5), errc{});
    EXPECT_EQ(begins(claim, 30), errc{});
    EXPECT_EQ(begins(claim, 31), errc::auth_invalid);
  }
  EXPECT_EQ(verify_jwt(token_of(R"({"sub":1,"exp":9e9,"nbf":1800000001})"), {secret, 0}, now).error(),
            errc::auth_invalid);
}

TEST(jwt, times_are_finite_numbers_and_exp_is_required) {
  for (auto* claims :
       {R"({"sub":1})", R"({"sub":1,"exp":null})", R"({"sub":1,"exp":"1900000000"})", R"({"sub":1,"exp":1e999})",
        R"({"sub":1,"exp":true})", R"({"sub":1,"exp":[1900000000]})", R"({"sub":1,"exp":{}})", R"({"sub":1,"exp":NaN})",
        R"({"sub":1,"exp":9e9,"nbf":"0"})", R"({"sub":1,"exp":9e9,"iat":null})", R"({"sub":1,"exp":9e9,"nbf":1e999})"})
    EXPECT_EQ(error_of(claims), errc::auth_invalid) << claims;
  EXPECT_EQ(error_of(R"({"sub":1,"exp":-1e300})"), errc::auth_expired);
  EXPECT_EQ(error_of(R"({"sub":1,"exp":0})"), errc::auth_expired);
}

TEST(jwt, a_far_end_does_not_overflow) {
  EXPECT_EQ(verify(token_of(R"({"sub":1,"exp":1e300})")).value().expires_at, 253'402'300'799'000);
  EXPECT_GT(verify(token_of(R"({"sub":1,"exp":9223372036854775807})")).value().expires_at, now);
  EXPECT_EQ(error_of(R"({"sub":1,"exp":18446744073709551615})"), errc::auth_invalid)
    << "libjwt's integers have 63 bits";
}

TEST(jwt, sub_is_a_visible_text_or_a_whole_number) {
  auto with = [](const std::string& sub) { return error_of(R"({"sub":)" + sub + R"(,"exp":9e9})"); };
  for (std::string sub : {"null", "true", "[]", "{}", "-1", "1.5", R"("")", R"("a b")", R"("a\nb")", R"("\u007f")",
                          R"("\u0000")", R"("a\u0085")", R"("\u00a0")"})
    EXPECT_EQ(with(sub), errc::auth_invalid) << sub;
  EXPECT_EQ(with('"' + std::string(128, 'a') + '"'), errc{});
  EXPECT_EQ(with('"' + std::string(129, 'a') + '"'), errc::auth_invalid);
  EXPECT_EQ(with(R"("zoë|auth0:1")"), errc{});
  EXPECT_EQ(error_of(R"({"exp":9e9})"), errc::auth_invalid);
}

TEST(jwt, claims_are_bounded_json) {
  for (auto* claims : {"", "[]", "null", "1", "x", R"({"sub":1,"exp":9e9)", R"({"sub":1,"exp":9e9}x)",
                       R"({"sub":1,"sub":2,"exp":9e9})", R"({"sub":1,"exp":9e9,"scope":1})",
                       R"({"sub":1,"exp":9e9,"scope":[1]})", "{\"sub\":\"\xff\",\"exp\":9e9}"})
    EXPECT_EQ(error_of(claims), errc::auth_invalid) << claims;
  auto deep = R"({"sub":1,"exp":9e9,"x":)" + std::string(2000, '[') + std::string(2000, ']') + "}";
  EXPECT_EQ(error_of(deep), errc::auth_invalid);
  EXPECT_EQ(error_of(good_claims() + std::string(1, '\0') + "x"), errc::auth_invalid);
}

TEST(jwt, a_header_has_no_second_reading) {
  for (auto& header :
       {std::string{R"({"alg":"HS256"})"} + '\0' + R"({"alg":"none"})", std::string{R"({"alg":"HS256"} {})"},
        std::string{R"({"alg":"HS256","a":"\u0000"})"}, std::string{"{\"alg\":\"HS256\",\"a\":\"\xff\"}"},
        R"({"alg":"HS256","a":)" + std::string(2000, '[') + std::string(2000, ']') + "}"})
    EXPECT_EQ(verify(token_of(good_claims(), header)).error(), errc::auth_invalid) << header;
}

TEST(jwt, base64_of_the_other_alphabet_is_invalid) {
  auto claims = good_claims();
  claims.pop_back();
  auto token = token_of(claims + R"(,"x":"\u00ff>>>???ÿÿÿ"})");
  ASSERT_TRUE(verify(token));
  ASSERT_NE(token.find_first_of("-_"), std::string::npos);
  auto body = token.substr(0, token.rfind('.'));
  std::ranges::replace(body, '-', '+');
  std::ranges::replace(body, '_', '/');
  EXPECT_EQ(verify(body + '.' + base64url(hmac(body))).error(), errc::auth_invalid);
}

TEST(jwt, the_algorithm_is_pinned) {
  for (auto* header : {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"HS384"})", R"({"alg":"HS512"})",
                       R"({"alg":"RS256"})", R"({"alg":"ES256"})", R"({"alg":"hs256"})", R"({"alg":"HS256 "})",
                       R"({"alg":["HS256"]})", R"({"alg":null})", R"({"typ":"JWT"})", "{}", "[]", "null", "",
                       R"({"alg":"HS256","alg":"none"})", R"({"alg":"none","alg":"HS256"})"})
    EXPECT_EQ(verify(token_of(good_claims(), header)).error(), errc::auth_invalid) << header;
  EXPECT_EQ(verify(token_of(good_claims(), R"({"alg":"HS512"})", EVP_sha512())).error(), errc::auth_invalid);
  EXPECT_EQ(verify(token_of(good_claims(), R"({"alg":"HS256"})", EVP_sha512())).error(), errc::auth_invalid);
}

TEST(jwt, unsigned_tokens_are_invalid) {
  for (auto* header : {R"({"alg":"none"})", R"({"alg":"HS256"})"}) {
    auto body = base64url(header) + '.' + base64url(good_claims());
    for (auto& token : {body, body + '.', body + "..", body + '.' + base64url(std::string(32, '\0'))})
      EXPECT_EQ(verify(token).error(), errc::auth_invalid) << token;
  }
}

TEST(jwt, unknown_crit_is_refused) {
  for (auto* crit : {R"(["x"])", R"(["exp"])", "[]", "null"})
    EXPECT_EQ(verify(token_of(good_claims(), R"({"alg":"HS256","crit":)" + std::string{crit} + "}")).error(),
              errc::auth_invalid);
}

TEST(jwt, headers_that_name_keys_change_nothing) {
  EXPECT_TRUE(
    verify(token_of(good_claims(), R"({"alg":"HS256","kid":"../../dev/null","jku":"http://x/","jwk":{"k":"eA"}})")));
}

TEST(jwt, another_secret_is_invalid) {
  EXPECT_EQ(verify_jwt(token_of(good_claims()), {std::string(32, 'x')}, now).error(), errc::auth_invalid);
}

TEST(jwt, a_short_or_empty_secret_verifies_nothing) {
  EXPECT_EQ(verify_jwt(token_of(good_claims()), {""}, now).error(), errc::auth_invalid);
  EXPECT_EQ(verify_jwt(sign_jwt(json{{"sub", 1}, {"exp", 9e9}}, "short"), {"short"}, now).error(), errc::auth_invalid);
}

TEST(jwt, every_changed_character_is_noticed) {
  auto token = token_of(good_claims());
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed != token) {
      EXPECT_EQ(verify(changed).error(), errc::auth_invalid) << i;
    }
  }
}

TEST(jwt, a_truncated_token_is_invalid) {
  auto token = token_of(good_claims());
  for (std::size_t n = 1; n < token.size(); ++n)
    EXPECT_EQ(verify(token.substr(0, n)).error(), errc::auth_invalid) << n;
}

TEST(jwt, only_strict_base64url_is_read) {
  auto token = token_of(good_claims());
  for (auto& changed :
       {token + '=', token + "==", token + '\n', ' ' + token, token + ".x", token + '.', '.' + token, "Bearer " + token,
        token + std::string(1, '\0'), std::string{".."}, std::string{"."}, std::string{"..."}, std::string{"\0", 1}})
    EXPECT_EQ(verify(changed).error(), errc::auth_invalid) << changed;
  auto body = base64url(R"({"alg":"HS256"})") + "=." + base64url(good_claims()); // signed with its padding
  EXPECT_EQ(verify(body + '.' + base64url(hmac(body))).error(), errc::auth_invalid);
}

TEST(jwt, a_huge_token_is_refused_unread) {
  auto claims = R"({"sub":1,"exp":9e9,"x":")" + std::string(8192, 'x') + "\"}";
  EXPECT_EQ(error_of(claims), errc::auth_invalid);
  EXPECT_EQ(verify(std::string(10'000'000, 'A')).error(), errc::auth_invalid);
}

TEST(api_key, is_told_from_a_token_and_kept_as_a_hash) {
  auto key = make_api_key();
  EXPECT_EQ(key.size(), 3U + 64U);
  EXPECT_TRUE(is_api_key(key));
  EXPECT_NE(key, make_api_key());
  EXPECT_FALSE(is_api_key(token_of(good_claims())));
  EXPECT_FALSE(is_api_key(key + "0"));
  EXPECT_FALSE(is_api_key(key.substr(1)));
  EXPECT_FALSE(is_api_key("hw_" + std::string(64, 'G')));
  EXPECT_EQ(hash_api_key("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

} // namespace
} // namespace headway
