#include "http/approval_terms.h"

#include "base/json.h"
#include "protocol/policy.h"

namespace holdfast::http {

namespace {

// Of one question; each is a vote or a step of its escalation.
constexpr std::uint32_t kMaxNotes = 64;

Json votes_json(const Json& votes) {
  Json out = Json::array();
  for (const Json& vote : votes)
    out.push_back(
        {{"by", vote.value("by", "")},
         {"at", iso_time(WallTime(std::chrono::milliseconds(vote.value("at_ms", std::int64_t{0}))))}});
  return out;
}

}  // namespace

Result<Json> terms_json(platform::Store& store, const platform::Approval& approval) {
  const auto record = store.lookup_step(protocol::terms_key(approval.id));
  if (!record) return fail(record.error());
  Json out = Json::object();
  if (!*record) return out;
  const Json stored = parse_json<Json>((*record)->result);
  const Json terms = stored.value("terms", Json::object());
  out["rule"] = stored.value("rule", "");
  // One answer wins: nothing counts them.
  const bool counts = approval.question.empty();
  if (counts) out.update({{"need", terms.value("quorum", 1)}, {"have", 0}, {"votes", Json::array()}});
  out["who"] = terms.value("who", Json::array());
  out["four_eyes"] = terms.value("four_eyes", false) && (counts || !terms.value("requester", "").empty());
  if (terms.contains("requester")) out["requester"] = terms["requester"];
  out["escalation"] = Json::array();
  for (const Json& step : terms.value("escalate", Json::array())) {
    const auto at =
        approval.requested_at + std::chrono::milliseconds(step.value("after_ms", std::int64_t{0}));
    out["escalation"].push_back({{"at", iso_time(at)}, {"to", step.value("to", Json::array())}});
  }
  out["escalated"] = 0;
  return out;
}

Status add_votes(platform::Store& store, const platform::Approval& approval, Json& terms) {
  if (terms.empty()) return {};
  const bool counts = terms.contains("need");
  for (std::uint32_t n = 1; n <= kMaxNotes; ++n) {
    const auto noted = store.lookup_step(protocol::note_key(approval.id, n));
    if (!noted) return noted.error();
    if (!*noted) break;
    const Json note = parse_json<Json>((*noted)->result);
    terms["escalated"] = note.value("level", 0);
    if (!counts) continue;
    terms["votes"] = votes_json(note.value("votes", Json::array()));
    terms["have"] = terms["votes"].size();
  }
  // The last of them is no note: it is the decision.
  if (counts && approval.status == platform::ApprovalStatus::kApproved) terms["have"] = terms["need"];
  return {};
}

Status add_terms(platform::Store& store, const platform::Approval& approval, Json& out) {
  auto terms = terms_json(store, approval);
  if (!terms) return terms.error();
  if (Status status = add_votes(store, approval, *terms); !status.ok()) return status;
  out.update(*terms);
  return {};
}

}  // namespace holdfast::http
