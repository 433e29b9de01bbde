#include "http/problems.h"

#include "http/json_reply.h"
#include "net/reach.h"
#include "runs/run_fault.h"

namespace holdfast::http {

namespace {

using runs::RunFault;

struct Row {
  RunFault fault;
  int status;
  const char* code;
  const char* hint;
  const char* detail = nullptr;  // instead of the status's own message
};

constexpr Row kRows[] = {
    {RunFault::kInvalidRunId, 400, "invalid_id", ""},
    {RunFault::kInvalidConversation, 400, "invalid_conversation", ""},
    {RunFault::kInvalidKey, 400, "invalid_header", "", "Idempotency-Key is longer than 200 bytes"},
    {RunFault::kKeyUsed, 409, "idempotency_key_used",
     "the same request again gives the same answer; another one needs another key"},
    {RunFault::kAgentNotFound, 404, "agent_not_found", "register one: PUT /api/v1/agents/NAME"},
    {RunFault::kVersionNotFound, 404, "version_not_found", ""},
    {RunFault::kRunExists, 409, "run_exists",
     "the same request again gives the same run; another one needs another id or key"},
    {RunFault::kRunNotFound, 404, "run_not_found", "GET /api/v1/runs lists them"},
    {RunFault::kConversationNotFound, 404, "conversation_not_found",
     "a conversation is named like the run that began it, or as the start of a run says"},
    {RunFault::kRunNotStarted, 409, "run_not_started", "try again in a moment"},
    {RunFault::kRunsCursorNotFound, 400, "invalid_cursor", "", "the cursor's run does not exist"},
    {RunFault::kApprovalNotFound, 404, "approval_not_found",
     "GET /api/v1/approvals?status=pending lists what waits"},
    {RunFault::kRunClosed, 409, "run_closed", "POST .../retry takes it up under a new id"},
    {RunFault::kRunOpen, 409, "run_open", "it can be paused, resumed or cancelled"},
    {RunFault::kRunEnding, 409, "run_ending", ""},
    {RunFault::kMessageRejected, 409, "message_rejected", "the agent's definition says `steering: reject`"},
    {RunFault::kTooManyMessages, 429, "too_many_messages", "wait for the next model call"},
    {RunFault::kMessageExists, 409, "message_exists", "another message needs another id"},
    {RunFault::kAlreadyHeld, 409, "already_held", ""},
    {RunFault::kNotHeld, 409, "not_held", ""},
    {RunFault::kNotRetried, 409, "not_retried", ""},
    {RunFault::kNotUndone, 409, "not_undone", "`compensate` of a tool says how its calls are taken back"},
    {RunFault::kSteeringRefused, 409, "refused_by_run", ""},
    {RunFault::kNoAnswer, 503, "no_answer", "the same request again, with the same id, is the same one"},
    {RunFault::kBudgetNotRaised, 400, "budget_not_raised",
     "GET /api/v1/runs/{id} shows the budgets of a run"},
    {RunFault::kInvalidSchedule, 400, "invalid_schedule", ""},
    {RunFault::kScheduleNotFound, 404, "schedule_not_found", "GET /api/v1/schedules lists them"},
    {RunFault::kScheduleExists, 409, "schedule_exists", "delete it first, or choose another name"},
    {RunFault::kInvalidSettings, 400, "invalid_settings", "docs/guide/agents.md: bind, notify"},
    {RunFault::kContextMissing, 400, "missing_context", "give it as 'context', an object"},
    {RunFault::kCompletionNotFound, 404, "completion_not_found",
     "the token is the last part of the URL that the call was given"},
    {RunFault::kCompletionExpired, 410, "completion_expired",
     "`detached.deadline` of the tool says how long a call may take"},
    {RunFault::kCompletionUsed, 409, "completion_used",
     "a token is good once; the same words again are the same completion"},
    {RunFault::kCompletionClosed, 410, "completion_closed", ""},
    {RunFault::kIsKept, 400, "run_is_kept", "`flow.batch` of the agent's definition; leave out store: false"},
    {RunFault::kFlowLimited, 429, "flow_limited",
     "`flow` of the agent's definition says how many runs of a key it takes"},
};

}  // namespace

Problem problem_of(const Status& status) {
  const RunFault fault = runs::run_fault(status);
  for (const Row& row : kRows) {
    if (row.fault != fault) continue;
    return Problem(row.status, row.code, row.detail ? row.detail : status.message()).hint(row.hint);
  }
  return Problem::from(status);
}

Problem not_granted(const Status& status) {
  Json grants = Json::array();
  for (std::string& grant : net::missing_grants(status)) grants.push_back(std::move(grant));
  return Problem(403, "not_granted", status.message())
      .hint("the operator starts the server with these grants, or passes the definition himself with --agent")
      .member("grants", dump_json(grants));
}

}  // namespace holdfast::http
