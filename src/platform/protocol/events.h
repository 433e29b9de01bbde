#pragma once

// The types of the events in a run's log, as its writers and readers on this side of the API know them
// (docs/guide/http-api.md tells clients what each holds).

#include <string_view>

namespace holdfast::protocol::event {

// The feed of all runs is an event log like any other, under a name that no run can have.
inline constexpr std::string_view kRunsFeed = "$runs";

inline constexpr std::string_view kRunCreated = "run.created";        // in the feed of all runs only
inline constexpr std::string_view kRunWaiting = "run.waiting";        // before run.started: for its turn
inline constexpr std::string_view kRunSuperseded = "run.superseded";  // before run.canceled, like the next
inline constexpr std::string_view kRunBatched = "run.batched";
inline constexpr std::string_view kRunStarted = "run.started";
inline constexpr std::string_view kRunCompleted = "run.completed";
inline constexpr std::string_view kRunFailed = "run.failed";
inline constexpr std::string_view kRunCanceled = "run.canceled";
inline constexpr std::string_view kRunClosed = "run.closed";  // the last one of every log
inline constexpr std::string_view kStepStarted = "step.started";
inline constexpr std::string_view kStepWaiting = "step.waiting";  // for its key's limits
inline constexpr std::string_view kStepRetrying = "step.retrying";
inline constexpr std::string_view kStepProgress = "step.progress";  // how far a map or loop of a flow is
inline constexpr std::string_view kStepCompleted = "step.completed";
inline constexpr std::string_view kStepFailed = "step.failed";
inline constexpr std::string_view kStepDetached = "step.detached";  // it runs, and the agent goes on
inline constexpr std::string_view kRunPaused = "run.paused";
inline constexpr std::string_view kRunParked = "run.parked";
inline constexpr std::string_view kRunResumed = "run.resumed";
inline constexpr std::string_view kMessageReceived = "message.received";
inline constexpr std::string_view kMessageSeen = "message.seen";
inline constexpr std::string_view kPlanStage = "plan.stage";
inline constexpr std::string_view kEffectReconciled = "effect.reconciled";
inline constexpr std::string_view kEffectUndone = "effect.undone";
inline constexpr std::string_view kEffectNotUndone = "effect.not_undone";
inline constexpr std::string_view kApprovalRequested = "approval.requested";
inline constexpr std::string_view kApprovalDecided = "approval.decided";
inline constexpr std::string_view kApprovalCounted = "approval.counted";  // one of several that are needed
inline constexpr std::string_view kApprovalEscalated = "approval.escalated";  // others may decide as well
inline constexpr std::string_view kApprovalApplied = "approval.applied";      // it was allowed for the run
inline constexpr std::string_view kPolicyRuled = "policy.ruled";              // after what was done before

}  // namespace holdfast::protocol::event
