#include "oidc/token.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/base64.h"
#include "base/json.h"
#include "base/json_member.h"
#include "base/sha256.h"

namespace holdfast::oidc {

namespace {

using Json = nlohmann::json;
using crypto::JwsAlgorithm;

Status refused(std::string why) {
  return {Code::kUnauthenticated, "the identity provider's token " + std::move(why)};
}

// For a message: what a name may hold, and not much of it.
std::string shown(std::string text) {
  std::erase_if(text, [](char c) { return c < ' ' || c > '~'; });
  return text.substr(0, 100);
}

std::optional<JwsAlgorithm> algorithm_named(std::string_view name) {
  if (name == "RS256") return JwsAlgorithm::kRs256;
  if (name == "ES256") return JwsAlgorithm::kEs256;
  if (name == "EdDSA") return JwsAlgorithm::kEdDsa;
  return std::nullopt;
}

// Seconds since 1970, also with a fraction; none: it is no time.
std::optional<WallTime> time_of(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  const double seconds = found->get<double>();
  if (!(seconds >= 0 && seconds < 4e9)) return std::nullopt;
  return WallTime(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

Status check_audience(const Json& claims, const Expected& expected) {
  const auto found = claims.find("aud");
  std::vector<std::string> all;
  if (found != claims.end() && found->is_string()) all.push_back(found->get<std::string>());
  if (found != claims.end() && found->is_array()) {
    for (const Json& one : *found) all.push_back(one.is_string() ? one.get<std::string>() : "");
  }
  if (std::find(all.begin(), all.end(), expected.client_id) == all.end())
    return refused("is for another client (aud)");
  const bool has_party = claims.contains("azp");
  if (all.size() > 1 && !has_party)
    return refused("is for several clients and does not say whose it is (azp)");
  if (has_party && string_member(claims, "azp") != expected.client_id)
    return refused("was given to another client (azp)");
  return {};
}

Status check_times(const Json& claims, WallTime now) {
  const auto expires = time_of(claims, "exp");
  if (!expires) return refused("does not say until when it holds (exp)");
  if (*expires + kClockSkew <= now) return refused("has expired (exp); is this machine's clock right?");
  const auto issued = time_of(claims, "iat");
  if (!issued) return refused("does not say when it was made (iat)");
  if (*issued > now + kClockSkew)
    return refused("was made in the future (iat); is this machine's clock right?");
  if (*issued + kOldestToken + kClockSkew < now) return refused("was made too long ago (iat)");
  if (!claims.contains("nbf")) return {};
  const auto begins = time_of(claims, "nbf");
  if (!begins || *begins > now + kClockSkew) return refused("does not hold yet (nbf)");
  return {};
}

}  // namespace

Result<IdToken> read_token(std::string_view text) {
  if (text.size() > kMaxTokenBytes) return fail(refused("is too large"));
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos)
    return fail(refused("is no signed token (JWS)"));
  const auto head = from_base64url(text.substr(0, first));
  const auto body = from_base64url(text.substr(first + 1, second - first - 1));
  auto signature = from_base64url(text.substr(second + 1));
  const Json header = head ? parse_json<Json>(*head) : Json();
  IdToken out;
  if (body) out.claims = parse_json<Json>(*body);
  if (!header.is_object() || !out.claims.is_object() || !signature)
    return fail(refused("is no signed token (JWS)"));
  const std::string algorithm = string_member(header, "alg");
  const auto known = algorithm_named(algorithm);
  if (!known)
    return fail(
        refused(fmt::format("is signed with '{}'; RS256, ES256 and EdDSA are taken", shown(algorithm))));
  if (header.contains("crit")) return fail(refused("demands an extension that is not known here (crit)"));
  out.algorithm = *known;
  out.key_id = string_member(header, "kid");
  out.signed_text = text.substr(0, second);
  out.signature = *std::move(signature);
  return out;
}

Status check_signature(const IdToken& token, const crypto::JwsKey& key) {
  if (key.algorithm() == token.algorithm && key.verify(token.signed_text, token.signature)) return {};
  return refused("is not signed by the provider");
}

Status check_claims(const Json& claims, const Expected& expected) {
  if (string_member(claims, "iss") != expected.issuer)
    return refused(fmt::format("is of another issuer (iss '{}')", shown(string_member(claims, "iss"))));
  if (Status status = check_audience(claims, expected); !status.ok()) return status;
  if (Status status = check_times(claims, expected.now); !status.ok()) return status;
  if (expected.nonce.empty() || !equal_in_constant_time(string_member(claims, "nonce"), expected.nonce))
    return refused("is not the answer to this sign-in (nonce)");
  const std::string subject = string_member(claims, "sub");
  if (subject.empty() || subject.size() > kMaxSubjectBytes) return refused("does not say who it is (sub)");
  return {};
}

}  // namespace holdfast::oidc
