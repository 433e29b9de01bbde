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
inline constexpr const char* kToolActivity = "agent.tool";
inline constexpr const char* kRequestApprovalActivity = "agent.approval.request";
inline constexpr const char* kSettleApprovalActivity = "agent.approval.settle";
inline constexpr const char* kStepStartedActivity = "agent.step.started";
inline constexpr const char* kStepCompletedActivity = "agent.step.completed";
inline constexpr const char* kFinishActivity = "agent.finish";

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

// The query that answers with a JSON object:
//   {"agent","version","phase":"starting|model|tools|approval|finishing|done","iteration","max_iterations","step",
//    "usage":{...},"conversation":{...},
//    "approvals":[{"id","tool","step","arguments_sha256","reason","expires_at_ms"}],
//    "calls":[{"step","state"}]}
inline constexpr const char* kStatusQuery = "status";

// Behaviour of the loop that later versions may change. A run keeps the flags it started with; numbers are
// never reused.
inline constexpr std::uint32_t kLoopFlags = 0;

inline constexpr int kMaxAgentDepth = 8;
inline constexpr int kIterationsPerRun = 100;  // then the run continues as new, with an empty history

}  // namespace holdfast::protocol
