#include "http/link_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "http/question.h"
#include "protocol/policy.h"

namespace holdfast::http {

namespace {

// Everybody whom the terms let in, those of later escalations too: the link lasts.
std::vector<std::string> let_in(const protocol::DecisionTerms& terms) {
  std::vector<std::string> out = terms.who;
  for (const protocol::Escalation& step : terms.escalate)
    out.insert(out.end(), step.to.begin(), step.to.end());
  return out;
}

bool may_decide_himself(ApiContext& context, const Request& request, const std::vector<std::string>& who) {
  const identity::Caller& sender = sender_of(request);
  if (sender.kind == identity::Caller::Kind::kLocal || context.deps.gate == nullptr) return true;
  return protocol::is_among(who, roles_among(context, request, who), sender.name);
}

Problem refused(std::string why) {
  return Problem(409, "link_not_allowed", std::move(why))
      .hint(
          "let them sign in and decide, or have the agent `notify` them: such a link is seen by them alone");
}

std::optional<Problem> against_terms(ApiContext& context, const Request& request,
                                     const protocol::DecisionTerms& terms, const runs::LinkRequest& wanted) {
  if (terms.quorum > 1)
    return refused(fmt::format(
        "{} people have to approve this, and whoever makes a link could use it as one more", terms.quorum));
  if (terms.four_eyes && (wanted.created_by == terms.requester || wanted.recipient == terms.requester))
    return refused(
        fmt::format("{} has started this run, and somebody else has to approve its calls", terms.requester));
  if (terms.who.empty()) return std::nullopt;
  const std::vector<std::string> who = let_in(terms);
  if (!may_decide_himself(context, request, who))
    return refused(fmt::format("you may not decide this: it is for {}", fmt::join(who, ", ")));
  if (!protocol::is_among(who, {}, wanted.recipient))
    return Problem(409, "link_cannot_decide",
                   fmt::format("a link for {} could not decide this: it is for {}", wanted.recipient,
                               fmt::join(who, ", ")))
        .hint("a link has no role: make it for somebody whom the rule names as user:NAME");
  return std::nullopt;
}

}  // namespace

std::optional<Problem> not_for_a_link(ApiContext& context, const Request& request,
                                      const platform::Approval& approval, const runs::LinkRequest& wanted) {
  // Whoever may not answer himself hands the question only to those who may.
  if (const auto question = question_of(approval)) {
    const auto& people = question->people;
    if (std::ranges::find(people, wanted.recipient) == people.end()) {
      if (auto refused = not_asked(context, request, *question, wanted.created_by)) return refused;
    }
  }
  const auto record = context.store().lookup_step(protocol::terms_key(approval.id));
  if (!record) return Problem::from(record.error());
  if (!*record) return std::nullopt;
  const nlohmann::json stored = parse_json((*record)->result);
  if (!stored.is_object() || !stored.contains("terms")) return std::nullopt;
  auto terms = stored["terms"].get<protocol::DecisionTerms>();
  if (!approval.question.empty()) terms.quorum = 1;  // one answer wins
  return against_terms(context, request, terms, wanted);
}

}  // namespace holdfast::http
