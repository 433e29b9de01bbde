#include "agent/loop.h"

#include <fmt/format.h>

#include "agent/bookkeeping.h"
#include "agent/workflow_tool.h"
#include "base/text.h"
#include "protocol/names.h"

namespace holdfast::agent {

using ::holdfast::RetryPolicy;
using workflow::Context;

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A worker that died is noticed after this; activities beat every kBeatInterval.
constexpr seconds kHeartbeatTimeout{10};
// Of a text that others are told: it stands in a history.
constexpr std::size_t kMaxTold = 4000;

RetryPolicy retry_policy(const Json& retry) {
  return RetryPolicy()
      .initial(milliseconds(retry.value("initial_ms", 1000)))
      .backoff(retry.value("backoff", 2.0))
      .maximum(milliseconds(retry.value("maximum_ms", 30000)))
      .attempts(retry.value("attempts", 1));
}

// What went wrong at the bottom of the chain: an activity's own failure, or a timeout.
const Failure& root_of(const Failure& failure) {
  const Failure* at = &failure;
  while (at->cause()) at = at->cause().get();
  return *at;
}

std::string type_of(const Failure& failure) {
  const Failure& root = root_of(failure);
  if (const auto* application = dynamic_cast<const ApplicationFailure*>(&root)) return application->type();
  return std::string(root.kind());
}

ToolAnswer error_answer(const CallRef& call, std::string text) {
  ToolAnswer answer;
  answer.ordinal = call.ordinal;
  answer.id = call.id;
  answer.source = AnswerSource::kError;
  answer.text = std::move(text);
  answer.step = call.step;
  return answer;
}

// Whoever waits for the run acts on its output; half an answer must not pass for one.
void refuse_half_an_answer(const ModelTurn& turn) {
  if (turn.stop != StopReason::kMaxTokens) return;
  throw ApplicationFailure::non_retryable(
      "the final answer was cut off at max_tokens: raise `max_tokens` of the model or ask for less; the "
      "text so far is in the conversation",
      "MaxTokensError");
}

}  // namespace

Task<RunResult> agent_workflow(Context& ctx, RunInput input) {
  auto loop = std::make_shared<Loop>(ctx, std::move(input));
  loop->register_handlers();
  co_return co_await loop->run();
}

// ---- the run as a whole: begin, turns until the end, and a last entry in the event log whatever the end

Task<RunResult> Loop::run() {
  Outcome<RunResult> outcome = co_await attempt(within_deadline());
  if (outcome.ok()) co_return std::move(outcome).value();
  const Failure& failure = outcome.error();
  const bool canceled = is_canceled(failure) && ctx_.workflow_cancelled();
  const std::string type = type_of(failure);
  const std::string message = root_of(failure).message();
  co_await ctx_.shielded(report_end(canceled ? RunEnd::kCanceled : RunEnd::kFailed, type, message));
  if (canceled) throw CanceledFailure(message);
  throw ApplicationFailure::non_retryable(message, type);
}

Task<void> Loop::begin() {
  if (input_.progress) {
    progress_ = *input_.progress;
    co_return;
  }
  BeginInput in;
  in.run = input_;
  Begun begun = co_await ctx_.activity<Begun>(kBeginActivity, bookkeeping(), in);
  progress_.plan = begun.plan;
  progress_.head = begun.head;
  if (begun.plan.run_timeout_ms > 0) progress_.deadline_ms = now_ms() + begun.plan.run_timeout_ms;
}

Task<RunResult> Loop::within_deadline() {
  co_await begin();
  if (progress_.deadline_ms == 0) co_return co_await turns();
  const std::int64_t left_ms = std::max<std::int64_t>(0, progress_.deadline_ms - now_ms());
  auto ended = race(turns(), ctx_.sleep(milliseconds(left_ms), "limits.run_timeout"));
  auto winner = co_await std::move(ended);
  if (winner.index() == 0) co_return std::get<0>(std::move(winner));
  throw ApplicationFailure::non_retryable("the run took longer than limits.run_timeout", "RunTimeoutError");
}

Task<RunResult> Loop::turns() {
  int turns_in_this_run = 0;
  while (progress_.iteration < progress_.plan.max_iterations) {
    if (turns_in_this_run++ >= kIterationsPerRun || should_continue_as_new()) {
      RunInput next = input_;
      next.progress = progress_;
      ctx_.continue_as_new(next);
    }
    ModelTurn turn = co_await call_model();  // 1. the model says what to do
    if (turn.calls.empty() && turn.stop == StopReason::kPaused)
      continue;                // the provider wants it again to go on
    if (turn.calls.empty()) {  // 4. or that it is done
      refuse_half_an_answer(turn);
      co_return co_await finish(RunEnd::kCompleted);
    }
    co_await answer_calls(turn);  // 2. and 3. every call: may it? then do it
  }
  co_return co_await finish(RunEnd::kMaxIterations);
}

bool Loop::should_continue_as_new() const {
  return ctx_.info().continue_as_new_suggested;
}

// ---- 1. the model call

Task<ModelTurn> Loop::call_model() {
  phase_ = "model";
  ++progress_.iteration;
  ModelInput in;
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  in.head = progress_.head;
  in.answers = progress_.answers;
  in.iteration = progress_.iteration;
  in.step = ++progress_.step;
  in.settings = progress_.plan.settings;
  auto options = ActivityOptions()
                     .task_queue(kModelQueue)
                     .start_to_close(milliseconds(progress_.plan.model_timeout_ms))
                     .heartbeat(kHeartbeatTimeout)
                     .retry(retry_policy(progress_.plan.model_retry)
                                .non_retryable({"ContentFilterError", "InvalidPromptError"}));
  ModelTurn turn = co_await ctx_.activity<ModelTurn>(kModelActivity, options, in);
  progress_.head = turn.head;
  progress_.answers.clear();
  progress_.usage.input_tokens += turn.usage.input_tokens;
  progress_.usage.output_tokens += turn.usage.output_tokens;
  co_return turn;
}

// ---- 2. and 3. all calls of a turn at once; one that waits for a person holds up no other

Task<void> Loop::answer_calls(ModelTurn turn) {
  phase_ = "tools";
  calls_.clear();
  std::vector<Task<ToolAnswer>> tasks;
  for (PlannedCall& call : turn.calls) {
    if (call.verdict == Verdict::kAllow || call.verdict == Verdict::kAsk) {
      call.call.step = ++progress_.step;
      calls_[call.call.step] = call.call.tool + ": waiting";
    }
    tasks.push_back(answer_call(call));
  }
  auto waiting = all(std::move(tasks));
  progress_.answers = co_await std::move(waiting);
  calls_.clear();
}

Task<ToolAnswer> Loop::answer_call(PlannedCall planned) {
  auto call = std::make_shared<PlannedCall>(std::move(planned));
  if (call->verdict == Verdict::kInvalid) co_return error_answer(call->call, call->reason);
  if (call->verdict == Verdict::kDeny) co_return error_answer(call->call, "denied: " + call->reason);
  if (call->verdict == Verdict::kAsk) {
    auto refusal =
        co_await approved(call, call->reason, "ap-" + call->call.key.substr(0, 24), Question::kFirst);
    if (refusal) co_return error_answer(call->call, *refusal);
  }
  const WorkflowTool* in_workflow = find_workflow_tool(call->kind);
  const int slots = in_workflow && in_workflow->only_waits ? 0 : 1;
  while (slots > 0 && running_tools_ >= progress_.plan.max_parallel_tools) {
    auto slot_free = [this] { return running_tools_ < progress_.plan.max_parallel_tools; };
    co_await ctx_.wait(slot_free);
  }
  running_tools_ += slots;
  calls_[call->call.step] = call->call.tool + ": running";
  auto calling = in_workflow ? call_in_workflow(in_workflow, *call) : call_tool(*call);
  Outcome<ToolAnswer> outcome = co_await attempt(std::move(calling));
  running_tools_ -= slots;
  calls_[call->call.step] = call->call.tool + (outcome.ok() ? ": done" : ": failed");
  if (outcome.ok()) co_return std::move(outcome).value();
  if (ctx_.workflow_cancelled() || ctx_.cancelled()) outcome.error().raise();
  co_return error_answer(call->call, root_of(outcome.error()).message());
}

Task<ToolAnswer> Loop::call_tool(PlannedCall planned) {
  auto call = std::make_shared<PlannedCall>(std::move(planned));
  auto options = ActivityOptions()
                     .task_queue(kToolQueue)
                     .start_to_close(milliseconds(call->timeout_ms) + seconds(5))
                     .heartbeat(kHeartbeatTimeout)
                     .retry(retry_policy(call->retry));
  for (int repeat = 1;; ++repeat) {
    ToolInput in;
    in.agent = progress_.plan.agent;
    in.version = progress_.plan.version;
    in.call = call->call;
    ToolResult result = co_await ctx_.activity<ToolResult>(kToolActivity, options, in);
    if (result.status != ToolStatus::kUnknown) {
      ToolAnswer answer;
      answer.ordinal = call->call.ordinal;
      answer.id = call->call.id;
      answer.source = result.source.value();
      answer.key = result.key;
      co_return answer;
    }
    std::optional<ToolAnswer> left = co_await asked_again(call, result.note, repeat);
    if (left) co_return *left;
  }
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

// The call is made right here, by the workflow.
Task<ToolAnswer> Loop::call_in_workflow(const WorkflowTool* tool, PlannedCall planned) {
  auto call = std::make_shared<PlannedCall>(std::move(planned));
  for (int repeat = 1;; ++repeat) {
    auto calling = attempt(tool->run(WorkflowCall(ctx_, *call, caller_of(*call))));
    Outcome<ToolAnswer> outcome = co_await std::move(calling);
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
  return caller;
}

// ---- 4. the end

Task<RunResult> Loop::finish(RunEnd end) {
  phase_ = "finishing";
  FinishInput in;
  in.agent = progress_.plan.agent;
  in.status = end;
  in.head = progress_.head;
  in.answers = progress_.answers;
  in.iterations = progress_.iteration;
  in.usage = progress_.usage;
  in.caller = input_.caller;
  Finished finished = co_await ctx_.activity<Finished>(kFinishActivity, bookkeeping(), in);
  Json told = {{"output", bounded_text(finished.output, kMaxTold)}};
  co_await notify(NotifyEvent::kCompleted, "completed", std::move(told));
  phase_ = "done";
  RunResult result;
  result.output = finished.output;
  result.iterations = progress_.iteration;
  result.usage = progress_.usage;
  result.max_iterations_reached = end == RunEnd::kMaxIterations;
  co_return result;
}

Task<void> Loop::report_end(RunEnd end, std::string type, std::string error) {
  phase_ = "finishing";
  auto open = pending_;
  for (auto& [id, pending] : open) {  // questions that nobody needs to answer any more
    if (pending->decision) continue;
    pending->closed = true;
    (void)co_await attempt(settle(pending, ApprovalOutcome::kExpired, CallRef(pending->request.call)));
  }
  FinishInput in;
  in.agent = input_.agent;
  in.status = end;
  in.head = progress_.head;
  in.error_type = type;
  in.error = error;
  in.iterations = progress_.iteration;
  in.usage = progress_.usage;
  // The log is for people; a store that refuses it must not keep the run from ending.
  auto options = bookkeeping().schedule_to_close(std::chrono::minutes(5));
  (void)co_await attempt(ctx_.activity<Finished>(kFinishActivity, options, in));
  Json told = {{"error_type", type}, {"error", bounded_text(error, kMaxTold)}};
  if (end == RunEnd::kCanceled) told["canceled"] = true;
  co_await notify(NotifyEvent::kFailed, "failed", std::move(told));
  phase_ = "done";
}

// ---- what others may ask

std::int64_t Loop::now_ms() const {
  return std::chrono::duration_cast<milliseconds>(ctx_.now().time_since_epoch()).count();
}

Json Loop::status() const {
  Json approvals = Json::array();
  for (const auto& [id, pending] : pending_) {
    if (pending->decision || pending->closed) continue;
    approvals.push_back({{"id", id},
                         {"tool", pending->request.call.tool},
                         {"step", pending->request.call.step},
                         {"arguments_sha256", pending->request.arguments_sha256},
                         {"reason", pending->request.reason},
                         {"expires_at_ms", pending->request.expires_at_ms}});
  }
  Json calls = Json::array();
  for (const auto& [step, state] : calls_) calls.push_back({{"step", step}, {"state", state}});
  return {{"agent", input_.agent},
          {"version", progress_.plan.version},
          {"phase", approvals.empty() || phase_ != "tools" ? phase_ : "approval"},
          {"iteration", progress_.iteration},
          {"max_iterations", progress_.plan.max_iterations},
          {"step", progress_.step},
          {"usage", progress_.usage},
          {"conversation", progress_.head},
          {"approvals", approvals},
          {"calls", calls}};
}

void Loop::register_handlers() {
  auto self = shared_from_this();
  ctx_.on_query(kStatusQuery, [self]() { return self->status(); });
  ctx_.on_update(
      kDecideUpdate, [self](Decision decision) { return self->decide(decision); },
      [self](const Decision& decision) { self->check_decision(decision); });
}

}  // namespace holdfast::agent
