// The approvals index: what people see and decide. The workflow decides who won; these keep the index in
// step.

#include <chrono>

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/edited_call.h"
#include "base/check.h"
#include "base/json.h"
#include "base/sha256.h"
#include "platform/inbox.h"
#include "protocol/code.h"
#include "protocol/events.h"
#include "protocol/human_question.h"

namespace holdfast::agent {

namespace {

WallTime wall_time(std::int64_t milliseconds) {
  return WallTime(std::chrono::milliseconds(milliseconds));
}

const std::string kFeed(protocol::event::kRunsFeed);

// In the feed of all runs; the run's own log has the rest.
Json news_of(activity::Context& ctx, const std::string& approval) {
  return {{"run", ctx.info().workflow_id}, {"approval", approval}};
}

platform::ApprovalStatus status_of(ApprovalOutcome outcome) {
  switch (outcome) {
    case ApprovalOutcome::kApproved: return platform::ApprovalStatus::kApproved;
    case ApprovalOutcome::kRejected: return platform::ApprovalStatus::kRejected;
    case ApprovalOutcome::kEdited: return platform::ApprovalStatus::kEdited;
    case ApprovalOutcome::kExpired: return platform::ApprovalStatus::kExpired;
    case ApprovalOutcome::kAnswered: return platform::ApprovalStatus::kAnswered;
  }
  HF_CHECK(false);
}

// Whom it asks: inboxes find it by that, and look at the terms themselves then (http/inbox.h).
platform::Audience audience_of(const ApprovalInput& in) {
  platform::Audience out;
  if (!in.question.is_null()) {
    const auto question = in.question.get<HumanQuestion>();
    for (const std::string& name : question.people) out.asked.push_back({"user:" + name, 0});
    for (const std::string& role : question.roles) out.asked.push_back({role, 0});
  }
  if (in.terms) {
    if (in.terms->four_eyes) out.but = in.terms->requester;
    if (in.terms->who.empty() || !out.asked.empty()) return out;
    for (const std::string& who : in.terms->who) out.asked.push_back({who, 0});
    for (const Escalation& step : in.terms->escalate) {
      for (const std::string& to : step.to) out.asked.push_back({to, step.after_ms});
    }
  }
  return out;
}

}  // namespace

void Activities::request_approval(activity::Context& ctx, const ApprovalInput& in) {
  // To ask is the call itself.
  if (!in.question.is_null()) require_granted(ctx, in.call);
  platform::Approval approval;
  approval.id = in.id;
  approval.run = ctx.info().workflow_id;
  approval.agent = in.agent;
  approval.tool = in.call.tool;
  approval.arguments = dump_json(arguments_of(in.call));
  approval.arguments_sha256 = in.arguments_sha256;
  approval.reason = in.reason;
  approval.expires_at = wall_time(in.expires_at_ms);
  if (!in.question.is_null()) approval.question = dump_json(in.question);
  if (in.terms) {
    platform::StepWrite terms;
    terms.key = protocol::terms_key(in.id);
    terms.run = ctx.info().workflow_id;
    terms.result = dump_json(Json({{"rule", in.rule}, {"terms", *in.terms}}));
    require(deps_.store->commit_step(terms), "recording who decides");
  }
  require(platform::inbox_store_of(*deps_.store).request_approval(approval, audience_of(in)),
          "recording the approval request");
  Json event = {{"approval", in.id},
                {"step", in.call.step},
                {"tool", in.call.tool},
                {"arguments", excerpt(approval.arguments)},
                {"arguments_sha256", in.arguments_sha256},
                {"reason", in.reason},
                {"expires_at_ms", in.expires_at_ms}};
  if (!in.question.is_null()) event["kind"] = "question";
  if (in.call.within != 0) event["within"] = in.call.within;
  if (!in.rule.empty()) event["rule"] = in.rule;
  if (in.terms) event["terms"] = *in.terms;
  // Who watches all runs sees that one waits for a person, and below that it does not any more. One sync for
  // both logs.
  const std::string key = "approval/" + in.id + "/requested";
  require_ok(deps_.streams->publish_soon(kFeed, protocol::event::kApprovalRequested,
                                         dump_json(news_of(ctx, in.id)), key),
             "publishing an event");
  publish(ctx, protocol::event::kApprovalRequested, event, key);
}

Activities::Settlement Activities::settlement(activity::Context& ctx, const SettleInput& in) {
  Settlement out;
  platform::Approval& approval = out.outcome;
  approval = require(deps_.store->approval(in.id), "the approval");
  approval.status = status_of(in.outcome);
  approval.decided_by = in.decided_by;
  approval.decided_at = wall_time(in.decided_at_ms);
  approval.comment = in.comment;
  approval.edited_arguments = in.edited_arguments;
  Json event = {{"approval", in.id},     {"step", in.call.step},        {"tool", in.call.tool},
                {"outcome", in.outcome}, {"decided_by", in.decided_by}, {"comment", excerpt(in.comment)}};
  if (!in.edited_arguments.empty())
    event[in.outcome == ApprovalOutcome::kAnswered ? "answer" : "edited_arguments"] =
        excerpt(in.edited_arguments);
  if (!in.votes.empty()) event["votes"] = in.votes;
  if (!in.scope.empty()) event["scope"] = in.scope;
  const std::string key = "approval/" + in.id + "/decided";
  out.tells = {told(ctx, protocol::event::kApprovalDecided, event, key)};
  out.tells.emplace_back(kFeed, std::string(protocol::event::kApprovalDecided),
                         dump_json(news_of(ctx, in.id)), key);
  return out;
}

// One sync: the call that was decided waits for it.
Settled Activities::settle_approval(activity::Context& ctx, const SettleInput& in) {
  const Settlement settled = settlement(ctx, in);
  require(deps_.outbox->settle_approval(settled.outcome, settled.tells), "recording the decision");
  Settled out;
  if (in.outcome != ApprovalOutcome::kEdited) return out;
  // Edited arguments are arguments like any other: schema and policy look at them again. "ask" is what just
  // happened.
  DefinitionPtr agent = definition(in.agent, in.version);
  const EditedCall ruled =
      rule_on_edit(*agent, in.call.tool, in.edited_arguments, in.call.bound, deps_.clock->now());
  out.verdict = ruled.verdict;
  out.reason = ruled.reason;
  if (ruled.verdict == Verdict::kInvalid) return out;
  out.input = ruled.input;
  out.key = in.call.round.empty() ? idempotency_key(ctx.info().namespace_name, in.call.message,
                                                    in.call.ordinal, in.call.tool, ruled.canonical)
                                  : code_call_key(in.call, ruled.canonical);
  out.arguments_sha256 = sha256_hex(ruled.canonical);
  return out;
}

}  // namespace holdfast::agent
