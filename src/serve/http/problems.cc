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
    {RunFault::kInvalidKey, 400, "invalid_header", "", "Idempotency-Key is longer than 200 bytes"},
    {RunFault::kAgentNotFound, 404, "agent_not_found", "register one: PUT /api/v1/agents/NAME"},
    {RunFault::kVersionNotFound, 404, "version_not_found", ""},
    {RunFault::kRunExists, 409, "run_exists",
     "the same request again gives the same run; another one needs another id or key"},
    {RunFault::kRunNotFound, 404, "run_not_found", "GET /api/v1/runs lists them"},
    {RunFault::kRunNotStarted, 409, "run_not_started", "try again in a moment"},
    {RunFault::kRunsCursorNotFound, 400, "invalid_cursor", "", "the cursor's run does not exist"},
    {RunFault::kApprovalNotFound, 404, "approval_not_found",
     "GET /api/v1/approvals?status=pending lists what waits"},
    {RunFault::kInvalidSettings, 400, "invalid_settings", "docs/guide/agents.md: bind, notify"},
    {RunFault::kContextMissing, 400, "missing_context", "give it as 'context', an object"},
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
