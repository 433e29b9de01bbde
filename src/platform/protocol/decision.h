#pragma once

// What a person answers to a question of a run: the argument of the update kDecideUpdate. Values.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/call.h"

namespace holdfast::protocol {

enum class DecisionKind : std::uint8_t { kApprove, kReject, kEdit, kAnswer };

struct Decision {
  Decision() = default;
  std::string approval;
  std::optional<DecisionKind> decision;  // none: `unknown_decision` was sent, and the run refuses it
  std::string unknown_decision;
  std::string arguments_sha256;  // what the person saw; empty: not said
  Json edited_arguments;         // kEdit: an object; kAnswer: the answer, an object
  std::string decided_by;
  std::string comment;
  std::int64_t expires_at_ms = 0;  // of the signature
  std::vector<std::string> roles;  // that whoever decides has here
  std::string scope;               // kScopeRun, or empty: this call alone (protocol/policy.h)
  std::string signature;           // of the server's (decision_signature.h); empty: there is none
};

std::string_view to_string(DecisionKind kind);
std::optional<DecisionKind> decision_kind_by_name(std::string_view name);

void to_json(Json& out, const DecisionKind& value);
void from_json(const Json& in, DecisionKind& value);
void to_json(Json& out, const Decision& value);
// Unlike elsewhere an unknown word is no exception here: the run answers it with kInvalidDecision, after the
// other reasons to refuse.
void from_json(const Json& in, Decision& value);

}  // namespace holdfast::protocol
