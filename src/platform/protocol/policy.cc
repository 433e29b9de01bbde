#include "protocol/policy.h"

#include <algorithm>

#include "base/json.h"
#include "protocol/fields.h"

namespace holdfast::protocol {

namespace {

void fields(auto& archive, Is<Escalation> auto& v) {
  archive("after_ms", v.after_ms)("to", v.to);
}

void fields(auto& archive, Is<DecisionTerms> auto& v) {
  archive("quorum", v.quorum)("who", v.who)("four_eyes", v.four_eyes)("requester", v.requester)(
      "escalate", v.escalate)("on_expiry", v.on_expiry);
}

void fields(auto& archive, Is<PastCall> auto& v) {
  archive("tool", v.tool)("step", v.step)("sequence", v.sequence)("ordinal", v.ordinal)(
      "approval", v.approval)("bound", v.bound)("at_ms", v.at_ms)("ended_ms", v.ended_ms)("ok", v.ok)(
      "round", v.round)("place", v.place);
}

void fields(auto& archive, Is<RunAllowance> auto& v) {
  archive("tool", v.tool)("rule", v.rule)("approval", v.approval)("by", v.by);
}

void fields(auto& archive, Is<Vote> auto& v) {
  archive("by", v.by)("at_ms", v.at_ms);
}

void fields(auto& archive, Is<ApprovalNote> auto& v) {
  archive("id", v.id)("n", v.n)("call", v.call)("rule", v.rule)("votes", v.votes)("need", v.need)(
      "level", v.level)("to", v.to)("allowed_by", v.allowed_by);
}

}  // namespace

HOLDFAST_PROTOCOL_JSON(Escalation)
HOLDFAST_PROTOCOL_JSON(DecisionTerms)
HOLDFAST_PROTOCOL_JSON(PastCall)
HOLDFAST_PROTOCOL_JSON(RunAllowance)
HOLDFAST_PROTOCOL_JSON(Vote)
HOLDFAST_PROTOCOL_JSON(ApprovalNote)

std::string person_of(const std::string& decided_by) {
  constexpr std::string_view kLink = "link:";
  if (!decided_by.starts_with(kLink)) return decided_by;
  return decided_by.substr(kLink.size(), decided_by.find('/', kLink.size()) - kLink.size());
}

bool is_among(const std::vector<std::string>& who, const std::vector<std::string>& roles,
              const std::string& name) {
  return std::ranges::any_of(who, [&](const std::string& one) {
    if (one.starts_with("user:")) return !name.empty() && one.substr(5) == name;
    return std::ranges::find(roles, one) != roles.end();
  });
}

std::size_t bytes_of(const PastCall& call) {
  return 80 + call.tool.size() + call.approval.size() + call.round.size() +
         (call.bound.is_null() ? 0 : dump_json(call.bound).size());
}

std::string terms_key(const std::string& approval) {
  return "approval-terms:" + approval;
}

std::string note_key(const std::string& approval, std::uint32_t n) {
  return "approval-note:" + approval + "/" + std::to_string(n);
}

std::string scope_key(const std::string& update_id) {
  return "decision-scope:" + update_id;
}

}  // namespace holdfast::protocol
