#include "agent/loop.h"

#include <fmt/format.h>

#include "agent/bookkeeping.h"
#include "agent/failures.h"
#include "base/text.h"
#include "protocol/names.h"

namespace holdfast::agent {

using workflow::Context;

namespace {

using std::chrono::milliseconds;

// The log is for people; a store that refuses it must not keep the run from ending.
constexpr std::chrono::minutes kLongestReport{5};
// Of a model call with all its waiting; each asking has the timeout of its model.
constexpr std::chrono::hours kLongestModelCall{24};
// Of a text that others are told: it stands in a history.
constexpr std::size_t kMaxTold = 4000;

// Whoever waits for the run acts on its output; half an answer must not pass for one.
constexpr const char* kHalfAnAnswer = "MaxTokensError";
constexpr const char* kWhyHalf =
    "the final answer was cut off at max_tokens: raise `max_tokens` of the model or ask for less; the "
    "text so far is in the conversation";

}  // namespace

Task<RunResult> agent_workflow(Context& ctx, RunInput input) {
  auto loop = std::make_shared<Loop>(ctx, std::move(input));
  loop->register_handlers();
  co_return co_await loop->run();
}

// ---- the run as a whole: begin, turns until the end, and a last entry in the event log whatever the end

Task<RunResult> Loop::run() {
  beside_scope_ = ctx_.scope();
  wait_for_detached();
  Outcome<RunResult> outcome = co_await attempt(within_deadline());
  if (outcome.ok()) co_return std::move(outcome).value();
  ending_ = true;
  const Failure& failure = outcome.error();
  const bool canceled = ctx_.workflow_cancelled() && (is_canceled(failure) || was_lost(failure));
  FinishInput in;
  in.status = canceled ? RunEnd::kCanceled : RunEnd::kFailed;
  in.error_type = type_of(failure);
  in.error = root_of(failure).message();
  if (!progress_.detached.empty()) co_await ctx_.shielded(close_detached());
  if (!progress_.undoable.empty()) in.not_undone = co_await ctx_.shielded(undo_effects());
  for (const std::string& effect : in.not_undone) in.error += "; not undone: " + effect;
  co_await ctx_.shielded(report_end(in));
  if (canceled) throw CanceledFailure(in.error);
  throw ApplicationFailure::non_retryable(in.error, in.error_type);
}

// A call whose worker is gone cannot answer that it was cancelled: its timeout is the first that is heard.
bool Loop::was_lost(const Failure& failure) const {
  return (progress_.plan.flags & kCanceledFlag) != 0 &&
         dynamic_cast<const TimeoutFailure*>(&root_of(failure)) != nullptr;
}

Task<void> Loop::begin() {
  if (!progress_.plan.version.empty()) co_return;
  BeginInput in;
  in.run = input_;
  take_begun(co_await ctx_.activity<Begun>(kBeginActivity, bookkeeping(), in));
}

void Loop::take_begun(const Begun& begun) {
  progress_.plan = begun.plan;
  progress_.head = begun.head;
  progress_.wall_deadline_ms = begun.plan.wall_deadline_ms;
  progress_.loaded = begun.loaded;
  if (begun.takes_up) progress_.past_lost = begun.knows_past ? begun.past_lost : begun.plan.watched;
  progress_.past = begun.past;
  if (begun.plan.plans) progress_.planning.emplace();
  if (begun.plan.run_timeout_ms > 0) progress_.deadline_ms = now_ms() + begun.plan.run_timeout_ms;
}

Task<RunResult> Loop::within_deadline() {
  if (input_.single && !input_.progress) {
    std::optional<RunResult> done = co_await call_once();
    if (done) co_return *done;
  }
  co_await begin();
  if (first_deadline_ms(progress_) == 0) co_return co_await turns();
  Task<void> limit = is_steered() ? run_time_over() : budget_.time_over(progress_);
  auto ended = race(turns(), std::move(limit));
  auto winner = co_await std::move(ended);
  if (winner.index() == 0) co_return std::get<0>(std::move(winner));
  throw time_failure(progress_);
}

Task<RunResult> Loop::turns() {
  int turns_in_this_run = 0;
  // Mending an answer is no iteration of the agent's.
  while (progress_.iteration < progress_.plan.max_iterations + progress_.interruptions || progress_.to_mend ||
         first_turn_) {
    if (progress_.hold) co_await held();
    check_beside();
    const bool is_long = turns_in_this_run++ >= kIterationsPerRun || should_continue_as_new();
    if (is_long && !is_kept_by_calls()) co_return co_await next_run();
    std::optional<ModelTurn> turn = co_await call_model();  // 1. the model says what to do
    if (!turn) continue;                                    // or somebody else did
    if (turn->compact) {                                    // or it would be told too much
      co_await compact();
      continue;
    }
    progress_.to_mend = turn->mend;
    if (turn->mend) {
      progress_.told_to_mend = true;
      continue;
    }
    if (turn->calls.empty() && turn->stop == StopReason::kPaused)
      continue;                 // the provider wants it again to go on
    if (turn->calls.empty()) {  // 4. or that it is done
      if (progress_.hold) co_await held();
      if (!progress_.messages.empty() || !progress_.ended.empty()) continue;  // there is more to say
      if (turn->stop == StopReason::kMaxTokens) {
        if (!progress_.plan.park_on_failure) throw ApplicationFailure::non_retryable(kWhyHalf, kHalfAnAnswer);
        co_await park(kHalfAnAnswer, kWhyHalf, progress_.step);
        continue;
      }
      if (!progress_.detached.empty()) {  // or that it waits for what it has started
        co_await until_one_ends();
        continue;
      }
      if (!is_last_word()) continue;
      ending_ = true;
      co_return co_await finish(RunEnd::kCompleted);
    }
    co_await answer_calls(*turn);  // 2. and 3. every call: may it? then do it
    calls_answered();
  }
  ending_ = true;
  co_return co_await finish(RunEnd::kMaxIterations);
}

bool Loop::should_continue_as_new() const {
  return ctx_.info().continue_as_new_suggested;
}

Task<RunResult> Loop::next_run() {
  if (beside_ > 0 || ending_detached_ > 0) co_await until_none_is_beside();
  co_await handlers_ended();
  RunInput next = input_;
  next.progress = progress_;
  ctx_.continue_as_new(next);
}

// ---- 1. the model call

ActivityOptions Loop::model_options() const {
  milliseconds longest(progress_.plan.model_timeout_ms);
  if ((progress_.plan.flags & kModelsFlag) != 0) longest = kLongestModelCall;
  return ActivityOptions()
      .task_queue(kModelQueue)
      .start_to_close(longest)
      .heartbeat(kHeartbeatTimeout)
      .retry(retry_policy(progress_.plan.model_retry)
                 .non_retryable({"ContentFilterError", "InvalidPromptError"}));
}

Task<std::optional<ModelTurn>> Loop::call_model() {
  if (first_turn_) {
    std::optional<ModelTurn> first = std::exchange(first_turn_, std::nullopt);
    if (!first->compact) take_turn(*first);
    co_return first;
  }
  ++progress_.iteration;
  while (true) {
    phase_ = "model";
    Outcome<std::optional<ModelTurn>> outcome = co_await attempt(try_model());
    if (outcome.ok()) co_return std::move(outcome).value();
    if (!parks(outcome.error(), false)) outcome.error().raise();
    co_await park(type_of(outcome.error()), root_of(outcome.error()).message(), progress_.step);
  }
}

Task<std::optional<ModelTurn>> Loop::try_model() {
  ModelInput in;
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  in.head = progress_.head;
  in.answers = progress_.answers;
  in.iteration = progress_.iteration;
  in.step = ++progress_.step;
  in.settings = progress_.plan.settings;
  in.requester = progress_.plan.requester;
  in.messages = progress_.messages;
  in.ended = progress_.ended;
  in.interrupted_step = progress_.interrupted_step;
  if ((progress_.plan.flags & kModelsFlag) != 0)
    in.mending = progress_.told_to_mend ? Mending::kWasTold : Mending::kMayBeTold;
  in.loaded = progress_.loaded;
  in.told_tokens = progress_.told_tokens;
  in.may_compact = !progress_.compacted;
  in.planning = progress_.planning;
  if (in.planning) in.role = to_string(in.planning->stage);
  auto options = model_options();
  // A call that goes on behind our back would end up in the conversation all the same.
  if (is_steered()) options.cancellation(ActivityCancellation::kWaitCompleted);
  model_scope_ = ctx_.scope();
  auto call = [this, options, in]() -> Task<ModelTurn> {
    return ctx_.activity<ModelTurn>(kModelActivity, options, in);
  };
  auto calling = ctx_.within(*model_scope_, budget_.within<ModelTurn>(call));
  Outcome<ModelTurn> outcome = co_await attempt(std::move(calling));
  const bool interrupted = model_scope_->canceled() && !ctx_.cancelled();
  model_scope_.reset();
  if (!outcome.ok() && interrupted) {
    ++progress_.interruptions;
    progress_.interrupted_step = in.step;
    co_return std::nullopt;
  }
  if (!outcome.ok()) outcome.error().raise();
  ModelTurn turn = std::move(outcome).value();
  if (turn.compact) co_return turn;
  // Those that came meanwhile stand behind.
  progress_.messages.erase(progress_.messages.begin(),
                           progress_.messages.begin() + static_cast<std::ptrdiff_t>(in.messages.size()));
  progress_.ended.erase(progress_.ended.begin(),
                        progress_.ended.begin() + static_cast<std::ptrdiff_t>(in.ended.size()));
  take_turn(turn);
  co_return turn;
}

void Loop::take_turn(const ModelTurn& turn) {
  progress_.told_tokens = turn.usage.input_tokens + turn.usage.output_tokens;
  progress_.compacted = false;
  progress_.head = turn.head;
  progress_.answers.clear();
  progress_.interrupted_step = 0;
  if (progress_.planning) progress_.planning->told = true;
  add(progress_.usage, turn.usage);
}

// ---- 2. and 3. all calls of a turn at once; one that waits for a person holds up no other

Task<void> Loop::answer_calls(ModelTurn turn) {
  phase_ = "tools";
  calls_.clear();
  code_calls_ = 0;
  code_rounds_.clear();
  std::vector<Task<ToolAnswer>> tasks;
  std::vector<PlannedCall> together;
  for (PlannedCall& call : turn.calls) {
    number(call);
    if (goes_together(call)) {
      together.push_back(call);
    } else {
      tasks.push_back(answer_call(call));
    }
  }
  for (Task<ToolAnswer>& task : answer_together(std::move(together))) tasks.push_back(std::move(task));
  auto waiting = all(std::move(tasks));
  progress_.answers = co_await std::move(waiting);
  calls_.clear();
  code_rounds_.clear();
  interrupted_ = false;
}

// One that is made is a step.
void Loop::number(PlannedCall& call) {
  if (call.verdict != Verdict::kAllow && call.verdict != Verdict::kAsk && call.verdict != Verdict::kJudge)
    return;
  call.call.step = ++progress_.step;
  calls_[call.call.step] = call.call.tool + ": waiting";
}

// ---- 4. the end

Task<RunResult> Loop::finish(RunEnd end) {
  phase_ = "finishing";
  if (!progress_.detached.empty()) co_await close_detached();
  co_await handlers_ended();
  FinishInput in;
  in.agent = progress_.plan.agent;
  in.status = end;
  in.head = progress_.head;
  in.answers = progress_.answers;
  in.messages = progress_.messages;
  in.ended = progress_.ended;
  in.held = progress_.hold.has_value();
  in.iterations = progress_.iteration;
  in.usage = progress_.usage;
  in.caller = input_.caller;
  Finished finished = co_await ctx_.activity<Finished>(kFinishActivity, bookkeeping(), in);
  co_return co_await result_of(std::move(finished), end);
}

Task<RunResult> Loop::result_of(Finished finished, RunEnd end) {
  Json told = {{"output", bounded_text(finished.output, kMaxTold)}};
  if (notifies(NotifyEvent::kCompleted))
    co_await notify(NotifyEvent::kCompleted, "completed", std::move(told));
  phase_ = "done";
  RunResult result;
  result.output = finished.output;
  result.iterations = progress_.iteration;
  result.usage = progress_.usage;
  result.max_iterations_reached = end == RunEnd::kMaxIterations;
  if (input_.caller) result.undoable = progress_.undoable;
  co_return result;
}

Task<void> Loop::report_end(FinishInput in) {
  phase_ = "finishing";
  auto recorded = [this] { return !recording_hold_; };
  if (recording_hold_) co_await ctx_.wait_for(recorded, kLongestReport);
  auto open = pending_;
  for (auto& [id, pending] : open) {  // questions that nobody needs to answer any more
    if (pending->decision) continue;
    pending->closed = true;
    (void)co_await attempt(settle(pending, ApprovalOutcome::kExpired, CallRef(pending->request.call)));
  }
  in.agent = input_.agent;
  in.head = progress_.head;
  in.iterations = progress_.iteration;
  in.usage = progress_.usage;
  in.held = progress_.hold.has_value();
  // What is known stays part of the conversation: another run may go on from there.
  if (is_steered()) in.answers = progress_.answers;
  if (is_steered()) in.messages = progress_.messages;
  in.ended = progress_.ended;
  auto options = bookkeeping().schedule_to_close(kLongestReport);
  Outcome<Finished> outcome = co_await attempt(ctx_.activity<Finished>(kFinishActivity, options, in));
  if (outcome.ok() && outcome.value().head) progress_.head = *outcome.value().head;
  Json told = {{"error_type", in.error_type}, {"error", bounded_text(in.error, kMaxTold)}};
  if (in.status == RunEnd::kCanceled) told["canceled"] = true;
  if (notifies(NotifyEvent::kFailed)) co_await notify(NotifyEvent::kFailed, "failed", std::move(told));
  phase_ = "done";
}

}  // namespace holdfast::agent
