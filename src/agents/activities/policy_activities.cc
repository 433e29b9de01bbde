// The policy where it looks at what the run has done, and what happens to a question between its asking and
// its end.

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/asking.h"
#include "activities/builtin_tools.h"
#include "base/check.h"
#include "base/json.h"
#include "protocol/events.h"

namespace holdfast::agent {

Verdict verdict_of(Action action) {
  switch (action) {
    case Action::kAllow: return Verdict::kAllow;
    case Action::kDeny: return Verdict::kDeny;
    case Action::kAsk: return Verdict::kAsk;
  }
  HF_CHECK(false);
}

Asking asking_of(const ApprovalSpec& approvals, const Ruling& ruling, const std::string& requester) {
  Asking out;
  out.expires_after_ms = ruling.expires_after.count();
  const RuleTerms& rule = ruling.terms;
  const OnExpiry silence = rule.on_expiry.value_or(approvals.approve_on_expiry      ? OnExpiry::kApprove
                                                   : approvals.terms.fail_on_expiry ? OnExpiry::kFail
                                                                                    : OnExpiry::kReject);
  out.approve_on_expiry = silence == OnExpiry::kApprove;
  if (ruling.action != Action::kAsk || (!rule.asks_more() && silence != OnExpiry::kFail)) return out;
  protocol::DecisionTerms terms;
  terms.quorum = rule.four_eyes && requester.empty() ? std::max(rule.quorum, 2) : rule.quorum;
  terms.who = rule.who;
  terms.four_eyes = rule.four_eyes;
  if (rule.four_eyes) terms.requester = requester;
  for (const EscalationSpec& one : rule.escalate) {
    protocol::Escalation step;
    step.after_ms = one.after.count();
    step.to = one.to;
    terms.escalate.push_back(std::move(step));
  }
  if (silence == OnExpiry::kFail) terms.on_expiry = protocol::kExpiryFails;
  out.terms = std::move(terms);
  return out;
}

Json shadow_json(const ShadowRuling& shadow) {
  Json out = {{"action", to_string(shadow.action)}, {"reason", shadow.reason}};
  if (!shadow.rule.empty()) out["rule"] = shadow.rule;
  return out;
}

// What the run remembers of a call is where it stands; the conversation has its arguments.
std::vector<MadeCall> Activities::made_calls(const JudgeInput& in, const std::string& tool) {
  std::vector<MadeCall> out;
  for (const protocol::PastCall& past : in.past) {
    if (past.tool != tool) continue;
    CallRef place;
    place.message = in.call.message;
    place.message.sequence = past.sequence;
    place.ordinal = past.ordinal;
    place.approval = past.approval;
    place.bound = past.bound;
    place.round = past.round;
    place.place = past.place;
    MadeCall call;
    call.tool = tool;
    if (!past.round.empty()) {
      call.arguments = arguments_of(place);
    } else {
      // The reference names the conversation up to the call that is judged, which holds the earlier ones.
      const auto messages =
          require(deps_.store->read(in.call.message, past.sequence, past.sequence), "an earlier call");
      call.arguments = arguments_in(place, messages);
    }
    call.at_ms = past.at_ms;
    call.ended_ms = past.ended_ms;
    call.ok = past.ok;
    out.push_back(std::move(call));
  }
  return out;
}

Judged Activities::judge(activity::Context& ctx, const JudgeInput& in) {
  DefinitionPtr agent = definition(in.agent, in.version);
  const ToolSpec* tool = tool_named(*agent, in.call.tool);
  if (!tool) throw ApplicationFailure::non_retryable("there is no such tool in this version", "NOT_FOUND");
  if (const auto why = builtin_of(*tool) ? std::nullopt : not_granted(in.agent, in.call)) {
    tell_not_granted(ctx, ctx.info().workflow_id, in.call, *why);
    Judged denied;
    denied.verdict = Verdict::kDeny;
    denied.reason = *why;
    return denied;
  }
  PolicyFacts facts;
  facts.now_ms = in.now_ms;
  facts.calls = [&](const std::string& name) -> std::expected<std::vector<MadeCall>, std::string> {
    if (std::ranges::find(in.lost, name) != in.lost.end())
      return std::unexpected(fmt::format("not all calls of `{}` are known any more", name));
    return made_calls(in, name);
  };
  const Json arguments = arguments_of(in.call);
  const Ruling ruling = ruling_of(*agent, *tool, arguments, facts);
  if (ruling.shadow) metrics_.shadow(in.agent, ruling.shadow->action);
  const bool passes = ruling.action == Action::kAllow || (in.asked && ruling.action == Action::kAsk);
  if (!passes || ruling.shadow) {
    Json event = {{"step", in.call.step},
                  {"tool", in.call.tool},
                  {"action", to_string(ruling.action)},
                  {"reason", excerpt(ruling.reason)}};
    if (!ruling.rule.empty()) event["rule"] = ruling.rule;
    if (ruling.shadow) event["shadow"] = shadow_json(*ruling.shadow);
    if (in.asked) event["after_approval"] = true;
    publish(ctx, protocol::event::kPolicyRuled, event,
            fmt::format("policy/{}/{}", in.call.step, in.asked ? "after" : "before"));
  }
  Judged out;
  out.verdict = verdict_of(ruling.action);
  out.reason = ruling.reason;
  out.rule = ruling.rule;
  Asking asking = asking_of(agent->approvals, ruling, in.requester);
  out.expires_after_ms = asking.expires_after_ms;
  out.approve_on_expiry = asking.approve_on_expiry;
  out.terms = std::move(asking.terms);
  return out;
}

// The run decides; this is what others see of it.
void Activities::note_approval(activity::Context& ctx, const ApprovalNote& in) {
  Json event = {{"approval", in.id}, {"step", in.call.step}, {"tool", in.call.tool}};
  if (!in.rule.empty()) event["rule"] = in.rule;
  if (!in.allowed_by.empty()) {
    event["allowed_by"] = in.allowed_by;
    publish(ctx, protocol::event::kApprovalApplied, event,
            fmt::format("approval/{}/applied/{}", in.id, in.call.step));
    return;
  }
  platform::StepWrite write;
  write.key = protocol::note_key(in.id, in.n);
  write.run = ctx.info().workflow_id;
  write.result = dump_json(Json(in));
  require(deps_.store->commit_step(write), "recording what became of the question");
  if (!in.to.empty()) {
    event["level"] = in.level;
    event["to"] = in.to;
    publish(ctx, protocol::event::kApprovalEscalated, event, fmt::format("approval/{}/note/{}", in.id, in.n));
    return;
  }
  event["have"] = in.votes.size();
  event["need"] = in.need;
  if (!in.votes.empty()) event["by"] = in.votes.back().by;
  publish(ctx, protocol::event::kApprovalCounted, event, fmt::format("approval/{}/note/{}", in.id, in.n));
}

}  // namespace holdfast::agent
