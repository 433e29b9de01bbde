#pragma once

// What the agent workflow, its activities and those who talk to a run are called. Names stand in histories
// and in the requests of others: they never change their meaning.

#include <cstdint>

namespace holdfast::protocol {

inline constexpr const char* kWorkflowType = "agent";
inline constexpr const char* kAgentQueue =
    "holdfast-agents";  // workflows, and their short bookkeeping activities
inline constexpr const char* kModelQueue = "holdfast-models";
inline constexpr const char* kToolQueue = "holdfast-tools";

inline constexpr const char* kBeginActivity = "agent.begin";
inline constexpr const char* kModelActivity = "agent.model";
inline constexpr const char* kCompactActivity = "agent.compact";
inline constexpr const char* kToolActivity = "agent.tool";
inline constexpr const char* kSingleActivity = "agent.single";
inline constexpr const char* kToolsActivity = "agent.tools";
inline constexpr const char* kJoinActivity = "agent.join";
inline constexpr const char* kRequestApprovalActivity = "agent.approval.request";
inline constexpr const char* kSettleApprovalActivity = "agent.approval.settle";
inline constexpr const char* kStepStartedActivity = "agent.step.started";
inline constexpr const char* kStepCompletedActivity = "agent.step.completed";
inline constexpr const char* kFinishActivity = "agent.finish";
inline constexpr const char* kHoldActivity = "agent.hold";
inline constexpr const char* kPlanActivity = "agent.plan";
inline constexpr const char* kReconcileActivity = "agent.effect.reconcile";
inline constexpr const char* kUndoActivity = "agent.effect.undo";
inline constexpr const char* kUndoItemsActivity = "agent.effect.undo_items";
inline constexpr const char* kEndDetachedActivity = "agent.detached.end";

// Tells others of what happened to a run: a workflow of its own, which outlives the run.
inline constexpr const char* kNotifyWorkflowType = "agent.notify";
inline constexpr const char* kNotifyTargetsActivity = "agent.notify.targets";
inline constexpr const char* kNotifyActivity = "agent.notify.tell";

// The update with which a person decides: a Decision. Those that are refused fail with one of these types.
inline constexpr const char* kDecideUpdate = "decide";
inline constexpr const char* kApprovalNotFound = "ApprovalNotFound";
inline constexpr const char* kApprovalDecided = "ApprovalDecided";
inline constexpr const char* kApprovalExpired = "ApprovalExpired";
inline constexpr const char* kApprovalMismatch = "ApprovalMismatch";
inline constexpr const char* kInvalidDecision = "InvalidDecision";
inline constexpr const char* kDecisionNotSigned = "DecisionNotSigned";

// Updates that steer a run: a SentMessage, a PauseRequest, a ResumeRequest, a GiveUpRequest
// (protocol/steering.h). Those that are refused fail with one of these types.
inline constexpr const char* kMessageUpdate = "message";
inline constexpr const char* kPauseUpdate = "pause";
inline constexpr const char* kResumeUpdate = "resume";
inline constexpr const char* kGiveUpUpdate = "fail";
inline constexpr const char* kMessageRejected = "MessageRejected";
inline constexpr const char* kTooManyMessages = "TooManyMessages";
inline constexpr const char* kRunEnding = "RunEnding";
inline constexpr const char* kAlreadyHeld = "AlreadyHeld";
inline constexpr const char* kNotHeld = "NotHeld";

// Somebody outside has ended a detached call: a CompletionNews (protocol/detached.h). The platform store has
// the end, the update only wakes the run.
inline constexpr const char* kCompleteUpdate = "complete";
inline constexpr const char* kCallNotFound = "CallNotFound";

// A budget was raised: the run, and who waits for it, go on. The argument is a BudgetNews.
inline constexpr const char* kBudgetUpdate = "budget";
// Types of failures of activities that no repeat would mend.
inline constexpr const char* kBudgetExceeded = "BudgetExceeded";
// Of a call of a tool that the agent is not granted (any more).
inline constexpr const char* kToolNotGranted = "ToolNotGranted";
inline constexpr const char* kUnpricedModelError = "UnpricedModelError";
// The type of the failure of a run whose reviewer let no plan pass.
inline constexpr const char* kPlanRejected = "PlanRejectedError";

// The query that answers with a JSON object:
//   {"agent","version","phase":"starting|model|tools|approval|detached|undoing|budget|finishing|done","iteration","max_iterations","step",
//    "usage":{...},"conversation":{...},
//    "approvals":[{"id","tool","step","arguments_sha256","reason","expires_at_ms"}],
//    "calls":[{"step","state"}],"detached":[{"id","tool","step","deadline_ms"}],"hold":{...},"messages":N};
// `hold` is left out of a run that is not held, `detached` of one that has no such calls
inline constexpr const char* kStatusQuery = "status";

// Behaviour of the loop that later versions may change. A run keeps the flags it started with; numbers are
// never reused.
// A call is waited for when it is cancelled; effects are undone.
inline constexpr std::uint32_t kSteeredFlag = 1;
// A model call waits for its key without running against a timeout, and an answer that is not of its form is
// told to the model.
inline constexpr std::uint32_t kModelsFlag = 8;
// A sub-agent that takes too long is cancelled, and waited for.
inline constexpr std::uint32_t kChildrenFlag = 16;
// A cancelled run is canceled also when a call, whose worker was lost, timed out before it heard of that.
inline constexpr std::uint32_t kCanceledFlag = 64;
// How an approval was decided is written by the call that it allows, with the call's intent.
inline constexpr std::uint32_t kSettlesFlag = 128;
inline constexpr std::uint32_t kLoopFlags =
    kSteeredFlag | kModelsFlag | kChildrenFlag | kCanceledFlag | kSettlesFlag;

inline constexpr int kMaxAgentDepth = 8;
inline constexpr int kIterationsPerRun = 100;  // then the run continues as new, with an empty history

}  // namespace holdfast::protocol
