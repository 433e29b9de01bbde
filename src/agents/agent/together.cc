// `tool_calls: one_activity`: the calls of a turn that reach out, and need no person, are made by one
// activity, one behind the other. What it did not answer for, and what needs more than an answer, goes on
// here call by call, where the ledger knows what was done.

#include <algorithm>

#include "agent/failures.h"
#include "agent/loop.h"
#include "agent/workflow_tool.h"
#include "protocol/names.h"

namespace holdfast::agent {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Beside those that its calls may have, which are counted within it: workers that die begin to count anew.
constexpr int kMoreAttempts = 10;

}  // namespace

bool Loop::goes_together(const PlannedCall& call) const {
  return progress_.plan.one_activity && call.verdict == Verdict::kAllow && !call.detached &&
         !find_workflow_tool(call.kind) && !is_watched(call.call.tool);
}

// One call alone has an activity of its own anyway.
std::vector<Task<ToolAnswer>> Loop::answer_together(std::vector<PlannedCall> calls) {
  std::vector<Task<ToolAnswer>> out;
  if (calls.size() == 1) {
    out.push_back(answer_call(std::move(calls.front())));
    return out;
  }
  auto group = std::make_shared<Together>();
  group->calls = std::move(calls);
  group->results.resize(group->calls.size());
  for (std::size_t i = 0; i < group->calls.size(); ++i) out.push_back(answer_in_group(group, i));
  return out;
}

// The first of them makes the calls of all.
Task<ToolAnswer> Loop::answer_in_group(TogetherPtr group, std::size_t at) {
  if (at == 0) {
    co_await call_together(group);
  } else {
    auto called = [group] { return group->called; };
    co_await ctx_.wait(called);
  }
  if (group->failure) group->failure->raise();
  const PlannedCall& call = group->calls[at];
  if (!group->results[at]) {
    if (at < group->tried) forget_effect(call.call.key);  // the call remembers it
    co_return co_await answer_call(call);
  }
  Outcome<ToolAnswer> outcome = co_await attempt(call_tool(call, {}, group->results[at]));
  co_return answer_of(call.call, outcome);
}

Task<void> Loop::call_together(TogetherPtr group) {
  Outcome<void> outcome = co_await attempt(try_together(group));
  group->failure = outcome.failure();
  group->called = true;
}

Task<void> Loop::try_together(TogetherPtr group) {
  while (true) {
    auto slot_free = [this] { return running_tools_ < progress_.plan.max_parallel_tools; };
    co_await ctx_.wait(slot_free);
    if (!progress_.hold) break;
    co_await held();
  }
  if (interrupted_) co_return;
  ToolsInput in;
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  milliseconds longest(0);
  int attempts = kMoreAttempts;
  for (const PlannedCall& call : group->calls) {
    if (not_called(call)) break;  // told call by call
    remember_effect(call);
    ++group->tried;
    in.calls.push_back(call.call);
    longest += milliseconds(call.timeout_ms) + seconds(5);
    attempts += std::max(1, call.retry.value("attempts", 1));
    calls_[call.call.step] = call.call.tool + ": running";
  }
  if (in.calls.empty()) co_return;
  auto options = ActivityOptions()
                     .task_queue(kToolQueue)
                     .start_to_close(longest)
                     .heartbeat(kHeartbeatTimeout)
                     .cancellation(ActivityCancellation::kWaitCompleted)
                     .retry(RetryPolicy().initial(seconds(1)).maximum(seconds(30)).attempts(attempts));
  ++running_tools_;
  Outcome<ToolsResult> outcome = co_await attempt(ctx_.activity<ToolsResult>(kToolsActivity, options, in));
  --running_tools_;
  if (!outcome.ok() && (ctx_.cancelled() || is_canceled(outcome.error()))) outcome.error().raise();
  if (!outcome.ok()) co_return;
  const std::vector<ToolResult>& results = outcome.value().results;
  for (std::size_t i = 0; i < results.size() && i < group->results.size(); ++i)
    group->results[i] = results[i];
}

}  // namespace holdfast::agent
