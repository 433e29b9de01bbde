// One call of a tool, from the policy's verdict to the answer; all calls of a turn are under way at once.

#include <fmt/format.h>

#include "agent/failures.h"
#include "agent/loop.h"
#include "agent/workflow_tool.h"
#include "definition/tools_loading.h"
#include "protocol/names.h"
#include "protocol/pure_tool.h"

namespace holdfast::agent {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool Loop::is_pure(const PlannedCall& call) {
  return call.input.is_object() && call.input.value(kPureCall, false);
}

namespace {

const char* activity_of(const PlannedCall& call) {
  return Loop::is_pure(call) && !call.detached ? kPureToolActivity : kToolActivity;
}

}  // namespace

Task<ToolAnswer> Loop::answer_call(PlannedCall planned) {
  auto call = std::make_shared<PlannedCall>(std::move(planned));
  if (call->verdict == Verdict::kInvalid) co_return error_answer(call->call, call->reason);
  if (call->verdict == Verdict::kDeny) co_return error_answer(call->call, "denied: " + call->reason);
  if (call->verdict == Verdict::kJudge) {
    if (auto refusal = co_await admitted(call)) co_return *refusal;
  }
  if (call->verdict == Verdict::kAsk) {
    auto refusal = co_await approved(call, call->reason, approval_id(call->call.key), Question::kFirst);
    if (refusal) co_return error_answer(call->call, *refusal);
  }
  const WorkflowTool* in_workflow = find_workflow_tool(call->kind);
  const int slots = in_workflow && in_workflow->only_waits ? 0 : 1;
  if (settling_.contains(call->call.step) && !begins_now(*call, slots)) co_await settle_alone(call->call);
  while (true) {  // as deep as ever: the order of commands depends on it
    while (slots > 0 && running_tools_ >= progress_.plan.max_parallel_tools) {
      auto slot_free = [this] { return running_tools_ < progress_.plan.max_parallel_tools; };
      co_await ctx_.wait(slot_free);
    }
    if (!progress_.hold) break;  // what is under way ends; nothing new begins
    co_await held();
  }
  if (auto refusal = not_called(*call)) {
    call_ended(call->call.step, false);
    co_return *refusal;
  }
  if (call->verdict != Verdict::kJudge) remember_call(*call);
  if (call->detached) co_return co_await detach(call, in_workflow);
  running_tools_ += slots;
  calls_[call->call.step] = call->call.tool + ": running";
  auto calling = in_workflow ? call_in_workflow(in_workflow, *call) : call_tool(*call, {}, std::nullopt);
  // A message may cut short what only the workflow waits for; what touches the world is waited for.
  if (in_workflow && !in_workflow->makes_calls) {
    CancelScope scope = ctx_.scope();
    waits_.insert_or_assign(call->call.step, scope);
    calling = ctx_.within(scope, std::move(calling));
  }
  Outcome<ToolAnswer> outcome = co_await attempt(std::move(calling));
  waits_.erase(call->call.step);
  running_tools_ -= slots;
  call_ended(call->call.step, outcome.ok() && outcome.value().source != AnswerSource::kError);
  co_return answer_of(call->call, outcome);
}

// Why a call is not begun; none: it is.
std::optional<ToolAnswer> Loop::not_called(const PlannedCall& call) const {
  if (interrupted_)
    return error_answer(call.call, fmt::format("not called: a message came first{}", interrupted_by_));
  if (call.undo.is_null() || progress_.undoable.size() < kMaxUndoable) return std::nullopt;
  return error_answer(call.call, fmt::format("not called: this run has made {} calls that it may have to "
                                             "undo, and can keep no more",
                                             kMaxUndoable));
}

bool Loop::begins_now(const PlannedCall& call, int slots) const {
  const bool is_full = slots > 0 && running_tools_ >= progress_.plan.max_parallel_tools;
  return !is_full && !progress_.hold && !not_called(call);
}

// Throws what is not the call's own failure.
ToolAnswer Loop::answer_of(const CallRef& call, const Outcome<ToolAnswer>& outcome) {
  calls_[call.step] = call.tool + (outcome.ok() ? ": done" : ": failed");
  if (outcome.ok()) return outcome.value();
  if (ctx_.workflow_cancelled() || ctx_.cancelled()) outcome.error().raise();
  if (given_up_) outcome.error().raise();
  if (is_budget_exceeded(outcome.error())) outcome.error().raise();  // the run is over, not the call
  if (interrupted_ && is_canceled(outcome.error()))
    return error_answer(call, fmt::format("ended early: a message came first{}", interrupted_by_));
  return error_answer(call, root_of(outcome.error()).message());
}

Task<ToolAnswer> Loop::call_tool(PlannedCall planned, std::string completion,
                                 std::optional<ToolResult> known) {
  auto call = std::make_shared<PlannedCall>(std::move(planned));
  for (int repeat = 1;; ++repeat) {
    ToolResult result;
    if (known) {
      result = *std::exchange(known, std::nullopt);
      if (result.status == ToolStatus::kFailed && !result.source) {  // at its last attempt
        if (!call->park_on_failure) co_return error_answer(call->call, result.note);
        co_await park("ToolError", result.note, call->call.step);
        result = co_await try_tool(call, completion);
      }
    } else if (remember_effect(*call); is_steered()) {
      result = co_await try_tool(call, completion);
    } else {  // the order of commands of a turn depends on how deep each call is
      result = co_await ctx_.activity<ToolResult>(activity_of(*call), tool_options(*call),
                                                  tool_input(*call, completion));
    }
    if (result.status == ToolStatus::kUnknown && !call->reconcile.is_null())
      result = co_await reconcile(call, std::move(result));
    if (result.status == ToolStatus::kFailed) forget_effect(call->call.key);
    if (result.status == ToolStatus::kFailed) not_well_.insert(call->call.step);
    if (result.status == ToolStatus::kFailed && !completion.empty()) failed_starts_.insert(completion);
    const bool parked = result.status == ToolStatus::kFailed && call->park_on_failure;
    if (parked) co_await park("ToolError", call->call.tool + " failed: " + result.note, call->call.step);
    if (result.status != ToolStatus::kUnknown && !parked) {
      ToolAnswer answer;
      answer.ordinal = call->call.ordinal;
      answer.id = call->call.id;
      answer.source = result.source.value();
      answer.key = result.key;
      if (result.status == ToolStatus::kDone) answer.carried = result.carried;
      add_loaded(progress_.loaded, result.loaded);
      note_planning(call->call, result);
      co_return answer;
    }
    if (result.status == ToolStatus::kUnknown) {
      // The call may have happened and must not be repeated unasked: approve means call again, reject means
      // leave it.
      const std::string what = fmt::format(
          "EffectUnknown: it is not known whether `{}` took effect ({}). Approve to "
          "call it again, reject to leave it",
          call->call.tool, result.note);
      const std::string id = fmt::format("ap-{}-{}", call->call.key.substr(0, 24), repeat);
      auto refusal = co_await approved(call, what, id, Question::kAgain);
      if (is_completed(completion)) {  // it is known now
        forget_effect(call->call.key);
        continue;
      }
      if (refusal)
        co_return error_answer(call->call, "it is unknown whether the call took effect; " + *refusal);
    }
    call->call.key = fmt::format("{}-repeat-{}", call->call.key.substr(0, 64), repeat);
  }
}

ActivityOptions Loop::tool_options(const PlannedCall& call) const {
  return ActivityOptions()
      .task_queue(kToolQueue)
      .start_to_close(milliseconds(call.timeout_ms) + seconds(5))
      .heartbeat(kHeartbeatTimeout)
      .retry(retry_policy(call.retry));
}

ToolInput Loop::tool_input(const PlannedCall& call, const std::string& completion) const {
  ToolInput in;
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  in.call = call.call;
  in.completion = completion;
  if (!completion.empty()) in.deadline_ms = call.detached->deadline_ms;
  return in;
}

// Attempts until the activity ended. One that failed for good, where that is waited for, is made again under
// the same key: nothing says that it had no effect.
Task<ToolResult> Loop::try_tool(std::shared_ptr<PlannedCall> call, std::string completion) {
  while (true) {
    auto options = tool_options(*call).cancellation(ActivityCancellation::kWaitCompleted);
    auto in = tool_input(*call, completion);
    const char* activity = activity_of(*call);
    auto calling = [this, activity, options, in]() -> Task<ToolResult> {
      if (settling_.contains(in.call.step))
        return ctx_.activity<ToolResult>(kApprovedToolActivity, options, approved_call(in));
      return ctx_.activity<ToolResult>(activity, options, in);
    };
    Outcome<ToolResult> outcome = co_await attempt(budget_.within<ToolResult>(calling));
    if (settling_.contains(call->call.step)) {
      if (outcome.ok())
        settled_with(call->call);
      else  // perhaps before it came to that
        co_await settle_alone(call->call);
    }
    if (outcome.ok()) co_return std::move(outcome).value();
    if (type_of(outcome.error()) == kToolNotGranted) outcome.error().raise();  // as a policy denies it
    const bool waits = call->park_on_failure || is_budget(type_of(outcome.error()));
    if (!waits || !parks(outcome.error(), call->park_on_failure)) outcome.error().raise();
    co_await park(type_of(outcome.error()), root_of(outcome.error()).message(), call->call.step);
  }
}

// Another tool may know whether the call took effect. When it does not, neither do we.
Task<ToolResult> Loop::reconcile(std::shared_ptr<PlannedCall> call, ToolResult unknown) {
  const milliseconds pause(call->reconcile.value("after_ms", std::int64_t{0}));
  if (pause.count() > 0) co_await ctx_.sleep(pause, "reconcile " + call->call.tool);
  EffectInput in;
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  in.call = call->call;
  in.step = ++progress_.step;
  auto options =
      ActivityOptions()
          .task_queue(kToolQueue)
          .start_to_close(milliseconds(call->reconcile.value("timeout_ms", std::int64_t{30000})) + seconds(5))
          .heartbeat(kHeartbeatTimeout)
          .retry(retry_policy(call->reconcile.value("retry", Json::object())));
  Outcome<ToolResult> outcome = co_await attempt(ctx_.activity<ToolResult>(kReconcileActivity, options, in));
  if (ctx_.cancelled() && !outcome.ok()) outcome.error().raise();
  if (outcome.ok() && outcome.value().status != ToolStatus::kUnknown) co_return std::move(outcome).value();
  const std::string why = outcome.ok() ? outcome.value().note : root_of(outcome.error()).message();
  unknown.note += "; asking did not help: " + why;
  co_return unknown;
}

// The call is made right here, by the workflow.
Task<ToolAnswer> Loop::call_in_workflow(const WorkflowTool* tool, PlannedCall planned) {
  if (is_steered()) return call_until_known(tool, std::move(planned));
  Caller caller = caller_of(planned);
  WorkflowCall call(ctx_, std::move(planned), std::move(caller));
  call.undoable = &progress_.undoable;
  call.ask = [this](PlannedCall asked) { return ask_person(std::move(asked)); };
  return tool->run(std::move(call));
}

Task<ToolAnswer> Loop::call_until_known(const WorkflowTool* tool, PlannedCall planned) {
  auto call = std::make_shared<PlannedCall>(std::move(planned));
  for (int repeat = 1;; ++repeat) {
    WorkflowCall made(ctx_, *call, caller_of(*call));
    made.undoable = &progress_.undoable;
    made.flags = progress_.plan.flags;
    made.step = &progress_.step;
    made.ask = [this](PlannedCall asked) { return ask_person(std::move(asked)); };
    made.make = [this](std::vector<PlannedCall> calls) { return answer_code(std::move(calls)); };
    made.cut_short = [this] { return cut_short(); };
    if (progress_.planning) made.role = to_string(progress_.planning->stage);
    made.loaded = progress_.loaded;
    Outcome<ToolAnswer> outcome = co_await attempt(tool->run(std::move(made)));
    if (outcome.ok()) co_return std::move(outcome).value();
    if (type_of(outcome.error()) != kEffectUnknown) outcome.error().raise();
    std::optional<ToolAnswer> left = co_await asked_again(call, root_of(outcome.error()).message(), repeat);
    if (left) co_return *left;
  }
}

Caller Loop::caller_of(const PlannedCall& planned) const {
  Caller caller;
  caller.run = ctx_.info().workflow_id;
  caller.agent = progress_.plan.agent;
  caller.version = progress_.plan.version;
  caller.call = planned.call;
  caller.depth = (input_.caller ? input_.caller->depth : 0) + 1;
  caller.settings = progress_.plan.settings;
  caller.requester = progress_.plan.requester;
  return caller;
}

Task<std::optional<ToolAnswer>> Loop::asked_again(std::shared_ptr<PlannedCall> call, std::string note,
                                                  int repeat) {
  const std::string what = fmt::format(
      "EffectUnknown: it is not known whether `{}` took effect ({}). Approve to "
      "call it again, reject to leave it",
      call->call.tool, note);
  const std::string id = fmt::format("ap-{}-{}", call->call.key.substr(0, 24), repeat);
  auto refusal = co_await approved(call, what, id, Question::kAgain);
  if (refusal) co_return error_answer(call->call, "it is unknown whether the call took effect; " + *refusal);
  call->call.key = fmt::format("{}-repeat-{}", call->call.key.substr(0, 64), repeat);
  co_return std::nullopt;
}

}  // namespace holdfast::agent
