#pragma once

// What is wrong with a request about runs, as a detail of its Status: whoever answers it may tell an unknown
// agent from an unknown version without reading messages. Plain values and functions; any thread.

#include <cstdint>
#include <string>

#include "holdfast/status.h"

namespace holdfast::runs {

enum class RunFault : std::uint8_t {
  kNone = 0,
  kInvalidRunId,          // INVALID_ARGUMENT
  kInvalidConversation,   // INVALID_ARGUMENT
  kInvalidKey,            // INVALID_ARGUMENT: the idempotency key is too long
  kAgentNotFound,         // NOT_FOUND
  kVersionNotFound,       // NOT_FOUND: the agent is there, this version of it is not
  kRunExists,             // ALREADY_EXISTS: another request has the run id or the key
  kRunNotFound,           // NOT_FOUND
  kConversationNotFound,  // NOT_FOUND: nobody has said anything in it
  kRunNotStarted,         // FAILED_PRECONDITION: the engine does not have it yet, or it has just ended
  kRunsCursorNotFound,    // INVALID_ARGUMENT: there is no run that a page could begin behind
  kApprovalNotFound,      // NOT_FOUND
  kInvalidSchedule,       // INVALID_ARGUMENT
  kScheduleNotFound,      // NOT_FOUND
  kScheduleExists,        // ALREADY_EXISTS
  kRunClosed,             // FAILED_PRECONDITION, like those below it
  kRunOpen,
  kRunEnding,
  kMessageRejected,  // the agent takes none while it works
  kTooManyMessages,
  kMessageExists,  // ALREADY_EXISTS
  kAlreadyHeld,
  kNotHeld,
  kNotRetried,
  kNotUndone,
  kSteeringRefused,
  kNoAnswer,            // UNAVAILABLE: whether the run took it is not known
  kBudgetNotRaised,     // INVALID_ARGUMENT: the run has no such budget, or it is that large already
  kInvalidSettings,     // INVALID_ARGUMENT: its context, or whom it is to notify
  kContextMissing,      // FAILED_PRECONDITION: the context lacks what a tool binds
  kCompletionNotFound,  // NOT_FOUND: forged, or forgotten with its run
  kCompletionExpired,   // OUT_OF_RANGE
  kCompletionUsed,      // ALREADY_EXISTS: and something else was said then
  kCompletionClosed,    // FAILED_PRECONDITION: the run is over
  kFlowLimited,         // RESOURCE_EXHAUSTED: `flow` of the agent takes no more runs of that key now
  kKeyUsed,             // ALREADY_EXISTS: another request has the idempotency key
  kIsKept,              // INVALID_ARGUMENT: runs of this agent cannot be deleted by themselves
};
inline constexpr RunFault kLastRunFault = RunFault::kIsKept;

RunFault run_fault(const Status& status);

Status with_fault(Code code, RunFault fault, std::string message);

}  // namespace holdfast::runs
