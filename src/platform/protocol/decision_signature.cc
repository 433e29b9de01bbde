#include "protocol/decision_signature.h"

#include "base/base64.h"
#include "base/json.h"
#include "crypto/ed25519.h"

namespace holdfast::protocol {

namespace {

// A list of texts has one reading; what a decision of tomorrow has more, a signature of today does not cover,
// and gets a word of its own here.
std::string signed_text(const Decision& decision) {
  const std::string kind =
      decision.decision ? std::string(to_string(*decision.decision)) : decision.unknown_decision;
  Json text = Json::array({"holdfast.decision.v1", decision.approval, decision.arguments_sha256, kind,
                           decision.edited_arguments.is_null() ? "" : dump_json(decision.edited_arguments),
                           decision.decided_by, decision.comment, decision.expires_at_ms});
  // What an earlier server did not say, its signatures do not cover.
  if (!decision.roles.empty() || !decision.scope.empty())
    text.push_back({{"roles", decision.roles}, {"scope", decision.scope}});
  return dump_json(text);
}

Status refused(std::string why) {
  return {Code::kPermissionDenied, std::move(why)};
}

}  // namespace

std::string decision_key(std::string_view seed) {
  return base64url(crypto::public_key_of(seed));
}

void sign(Decision& decision, std::string_view seed, std::int64_t now_ms) {
  decision.expires_at_ms = now_ms + kSignatureMs;
  decision.signature = base64url(crypto::sign(seed, signed_text(decision)));
}

Status verify(const Decision& decision, std::string_view key, std::int64_t now_ms) {
  if (decision.signature.empty()) {
    return refused(
        "the decision is not signed: decide at the server that this run belongs to, by its API, its page or "
        "`holdfast approve`");
  }
  const auto public_key = from_base64url(key);
  const auto signature = from_base64url(decision.signature);
  if (!public_key || !signature || !crypto::verify(*public_key, signed_text(decision), *signature))
    return refused("the signature of the decision is not the server's");
  if (decision.arguments_sha256.empty()) return refused("a signed decision names the arguments it is about");
  if (decision.expires_at_ms <= now_ms) return refused("the signature of the decision has expired");
  return {};
}

}  // namespace holdfast::protocol
