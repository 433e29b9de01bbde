#include "protocol/decision.h"

#include "protocol/fields.h"
#include "protocol/words.h"

namespace holdfast::protocol {

namespace {

constexpr Words kKinds("decision",
                       {Word{DecisionKind::kApprove, "approve"}, Word{DecisionKind::kReject, "reject"},
                        Word{DecisionKind::kEdit, "edit"}, Word{DecisionKind::kAnswer, "answer"}});

// All but `decision`.
void fields(auto& archive, Is<Decision> auto& v) {
  archive("approval", v.approval)("arguments_sha256", v.arguments_sha256)(
      "edited_arguments", v.edited_arguments)("decided_by", v.decided_by)("comment", v.comment)(
      "expires_at_ms", v.expires_at_ms)("signature", v.signature)("roles", v.roles)("scope", v.scope);
}

}  // namespace

HOLDFAST_PROTOCOL_WORDS(DecisionKind, kKinds)

std::optional<DecisionKind> decision_kind_by_name(std::string_view name) {
  return kKinds.find(name);
}

void to_json(Json& out, const Decision& value) {
  Writer writer(out);
  fields(writer, value);
  writer("decision", value.decision ? std::string(to_string(*value.decision)) : value.unknown_decision);
}

void from_json(const Json& in, Decision& value) {
  Reader reader(in);
  fields(reader, value);
  std::string word;
  reader("decision", word);
  value.decision = decision_kind_by_name(word);
  if (!value.decision) value.unknown_decision = word;
}

}  // namespace holdfast::protocol
