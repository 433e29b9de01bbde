#include "protocol/activities.h"

#include "protocol/fields.h"
#include "protocol/words.h"

namespace holdfast::protocol {

namespace {

constexpr Words kVerdicts("verdict", {Word{Verdict::kAllow, "allow"}, Word{Verdict::kAsk, "ask"},
                                      Word{Verdict::kDeny, "deny"}, Word{Verdict::kInvalid, "invalid"},
                                      Word{Verdict::kJudge, "judge"}});
constexpr Words kStopReasons("reason to stop",
                             {Word{StopReason::kEnd, "end"}, Word{StopReason::kToolCalls, "tool_calls"},
                              Word{StopReason::kMaxTokens, "max_tokens"},
                              Word{StopReason::kStopSequence, "stop_sequence"},
                              Word{StopReason::kOther, "other"}, Word{StopReason::kPaused, "paused"}});
constexpr Words kMendings("way to mend an answer",
                          {Word{Mending::kMayBeTold, "may_be_told"}, Word{Mending::kWasTold, "was_told"}});
constexpr Words kToolStatuses("status of a call",
                              {Word{ToolStatus::kDone, "done"}, Word{ToolStatus::kFailed, "failed"},
                               Word{ToolStatus::kUnknown, "unknown"}});
constexpr Words kUndoStatuses("end of an undoing",
                              {Word{UndoStatus::kUndone, "undone"}, Word{UndoStatus::kNothing, "nothing"},
                               Word{UndoStatus::kFailed, "failed"}, Word{UndoStatus::kUnknown, "unknown"}});
constexpr Words kMemberEnds("end of a sub-agent",
                            {Word{MemberEnd::kCompleted, "completed"}, Word{MemberEnd::kFailed, "failed"},
                             Word{MemberEnd::kCanceled, "canceled"}});
constexpr Words kOutcomes("outcome of an approval", {Word{ApprovalOutcome::kApproved, "approved"},
                                                     Word{ApprovalOutcome::kRejected, "rejected"},
                                                     Word{ApprovalOutcome::kEdited, "edited"},
                                                     Word{ApprovalOutcome::kExpired, "expired"},
                                                     Word{ApprovalOutcome::kAnswered, "answered"}});
constexpr Words kRunEnds("end of a run",
                         {Word{RunEnd::kCompleted, "completed"},
                          Word{RunEnd::kMaxIterations, "max_iterations"}, Word{RunEnd::kFailed, "failed"},
                          Word{RunEnd::kCanceled, "canceled"}});
constexpr Words kNotifyEvents("event to be told",
                              {Word{NotifyEvent::kCompleted, "completed"},
                               Word{NotifyEvent::kFailed, "failed"}, Word{NotifyEvent::kApproval, "approval"},
                               Word{NotifyEvent::kDecided, "decided"}});

void fields(auto& archive, Is<BeginInput> auto& v) {
  archive("run", v.run);
}

void fields(auto& archive, Is<Begun> auto& v) {
  archive("plan", v.plan)("head", v.head)("loaded", v.loaded)("takes_up", v.takes_up)(
      "knows_past", v.knows_past)("past", v.past)("past_lost", v.past_lost);
}

void fields(auto& archive, Is<ModelInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("head", v.head)("answers", v.answers)(
      "iteration", v.iteration)("step", v.step)("told_tokens", v.told_tokens)("may_compact", v.may_compact)(
      "messages", v.messages)("interrupted_step", v.interrupted_step)("role", v.role)("mending", v.mending)(
      "loaded", v.loaded)("settings", v.settings)("ended", v.ended)("planning", v.planning)("requester",
                                                                                            v.requester);
}

void fields(auto& archive, Is<CompactInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("head", v.head)("iteration", v.iteration)("step", v.step);
}

void fields(auto& archive, Is<Compacted> auto& v) {
  archive("head", v.head)("usage", v.usage);
}

void fields(auto& archive, Is<PlannedCall> auto& v) {
  archive("call", v.call)("kind", v.kind)("verdict", v.verdict)("reason", v.reason)(
      "arguments_sha256", v.arguments_sha256)("expires_after_ms", v.expires_after_ms)(
      "approve_on_expiry", v.approve_on_expiry)("timeout_ms", v.timeout_ms)("retry", v.retry)(
      "sub_agent", v.sub_agent)("input", v.input)("park_on_failure", v.park_on_failure)(
      "reconcile", v.reconcile)("undo", v.undo)("detached", v.detached)("rule", v.rule)("terms", v.terms);
}

void fields(auto& archive, Is<ModelTurn> auto& v) {
  archive("head", v.head)("calls", v.calls)("usage", v.usage)("stop", v.stop)("mend", v.mend)("compact",
                                                                                              v.compact);
}

void fields(auto& archive, Is<ToolInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("call", v.call)("completion", v.completion)("deadline_ms",
                                                                                              v.deadline_ms);
}

void fields(auto& archive, Is<ToolResult> auto& v) {
  archive("status", v.status)("source", v.source)("key", v.key)("note", v.note)("loaded", v.loaded)(
      "carried", v.carried)("planned_steps", v.planned_steps)("approved", v.approved);
}

void fields(auto& archive, Is<SingleEnd> auto& v) {
  archive("begun", v.begun)("turn", v.turn)("finished", v.finished);
}

void fields(auto& archive, Is<ToolsInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("calls", v.calls);
}

void fields(auto& archive, Is<ToolsResult> auto& v) {
  archive("results", v.results);
}

void fields(auto& archive, Is<Member> auto& v) {
  archive("agent", v.agent)("key", v.key)("step", v.step)("end", v.end)("error", v.error);
}

void fields(auto& archive, Is<JoinInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("call", v.call)("kind", v.kind)("first", v.first)(
      "winner", v.winner)("members", v.members);
}

void fields(auto& archive, Is<EffectInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("call", v.call)("step", v.step);
}

void fields(auto& archive, Is<UndoResult> auto& v) {
  archive("status", v.status)("note", v.note);
}

void fields(auto& archive, Is<HoldInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("hold", v.hold)("released", v.released)("by", v.by);
}

void fields(auto& archive, Is<PlanInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("settings", v.settings);
}

void fields(auto& archive, Is<ApprovalInput> auto& v) {
  archive("id", v.id)("agent", v.agent)("version", v.version)("call", v.call)(
      "arguments_sha256", v.arguments_sha256)("reason", v.reason)("expires_at_ms", v.expires_at_ms)(
      "question", v.question)("rule", v.rule)("terms", v.terms);
}

void fields(auto& archive, Is<SettleInput> auto& v) {
  archive("id", v.id)("outcome", v.outcome)("agent", v.agent)("version", v.version)("call", v.call)(
      "edited_arguments", v.edited_arguments)("decided_by", v.decided_by)("comment", v.comment)(
      "decided_at_ms", v.decided_at_ms)("votes", v.votes)("scope", v.scope);
}

void fields(auto& archive, Is<Settled> auto& v) {
  archive("verdict", v.verdict)("reason", v.reason)("key", v.key)("arguments_sha256", v.arguments_sha256)(
      "input", v.input);
}

void fields(auto& archive, Is<JudgeInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("call", v.call)("past", v.past)("lost", v.lost)(
      "now_ms", v.now_ms)("asked", v.asked)("requester", v.requester);
}

void fields(auto& archive, Is<Judged> auto& v) {
  archive("verdict", v.verdict)("reason", v.reason)("rule", v.rule)("expires_after_ms", v.expires_after_ms)(
      "approve_on_expiry", v.approve_on_expiry)("terms", v.terms);
}

void fields(auto& archive, Is<StepInput> auto& v) {
  archive("call", v.call)("kind", v.kind)("details", v.details)("text", v.text)("failed", v.failed);
}

void fields(auto& archive, Is<FinishInput> auto& v) {
  archive("agent", v.agent)("status", v.status)("head", v.head)("answers", v.answers)(
      "error_type", v.error_type)("error", v.error)("iterations", v.iterations)("usage", v.usage)(
      "caller", v.caller)("messages", v.messages)("not_undone", v.not_undone)("held", v.held)("ended",
                                                                                              v.ended);
}

void fields(auto& archive, Is<Finished> auto& v) {
  archive("output", v.output)("head", v.head);
}

void fields(auto& archive, Is<NotifyInput> auto& v) {
  archive("run", v.run)("agent", v.agent)("version", v.version)("settings", v.settings)("event", v.event)(
      "id", v.id)("data", v.data)("target", v.target);
}

void fields(auto& archive, Is<NotifyTargets> auto& v) {
  archive("count", v.count);
}

}  // namespace

HOLDFAST_PROTOCOL_JSON(BeginInput)
HOLDFAST_PROTOCOL_JSON(Begun)
HOLDFAST_PROTOCOL_WORDS(Mending, kMendings)
HOLDFAST_PROTOCOL_JSON(ModelInput)
HOLDFAST_PROTOCOL_WORDS(Verdict, kVerdicts)
HOLDFAST_PROTOCOL_JSON(PlannedCall)
HOLDFAST_PROTOCOL_WORDS(StopReason, kStopReasons)
HOLDFAST_PROTOCOL_JSON(ModelTurn)
HOLDFAST_PROTOCOL_JSON(CompactInput)
HOLDFAST_PROTOCOL_JSON(Compacted)
HOLDFAST_PROTOCOL_JSON(ToolInput)
HOLDFAST_PROTOCOL_WORDS(ToolStatus, kToolStatuses)
HOLDFAST_PROTOCOL_JSON(ToolResult)
HOLDFAST_PROTOCOL_JSON(SingleEnd)
HOLDFAST_PROTOCOL_JSON(ToolsInput)
HOLDFAST_PROTOCOL_JSON(ToolsResult)
HOLDFAST_PROTOCOL_WORDS(MemberEnd, kMemberEnds)
HOLDFAST_PROTOCOL_JSON(Member)
HOLDFAST_PROTOCOL_JSON(JoinInput)
HOLDFAST_PROTOCOL_JSON(EffectInput)
HOLDFAST_PROTOCOL_WORDS(UndoStatus, kUndoStatuses)
HOLDFAST_PROTOCOL_JSON(UndoResult)
HOLDFAST_PROTOCOL_JSON(HoldInput)
HOLDFAST_PROTOCOL_JSON(PlanInput)
HOLDFAST_PROTOCOL_JSON(ApprovalInput)
HOLDFAST_PROTOCOL_WORDS(ApprovalOutcome, kOutcomes)
HOLDFAST_PROTOCOL_JSON(SettleInput)
HOLDFAST_PROTOCOL_JSON(Settled)
HOLDFAST_PROTOCOL_JSON(JudgeInput)
HOLDFAST_PROTOCOL_JSON(Judged)
HOLDFAST_PROTOCOL_JSON(StepInput)
HOLDFAST_PROTOCOL_WORDS(RunEnd, kRunEnds)
HOLDFAST_PROTOCOL_JSON(FinishInput)
HOLDFAST_PROTOCOL_JSON(Finished)
HOLDFAST_PROTOCOL_WORDS(NotifyEvent, kNotifyEvents)
HOLDFAST_PROTOCOL_JSON(NotifyInput)
HOLDFAST_PROTOCOL_JSON(NotifyTargets)

}  // namespace holdfast::protocol
