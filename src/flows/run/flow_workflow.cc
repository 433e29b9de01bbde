#include "run/flow_workflow.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/bookkeeping.h"
#include "agent/failures.h"
#include "agent/undoing.h"
#include "agent/workflow_tool.h"
#include "holdfast/failure.h"
#include "protocol/detached.h"
#include "protocol/names.h"
#include "protocol/undo.h"
#include "run/answers.h"
#include "run/iteration.h"
#include "run/people.h"
#include "run/readiness.h"
#include "run/step_options.h"

namespace holdfast::flows {

namespace {

using namespace protocol;
using agent::bookkeeping, agent::root_of, agent::type_of;
using std::chrono::milliseconds;

// The log is for people; a store that refuses it must not keep the run from ending.
constexpr std::chrono::minutes kLongestReport{5};
// Of maps and loops, until the run goes on with a new history: before an engine asks for it, so that what is
// under way has time to end.
constexpr std::uint32_t kPartsPerRun = 500;

std::int64_t ms_since_epoch(WallTime time) {
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

// Shared with its handlers, which outlive the main coroutine.
class FlowRun : public std::enable_shared_from_this<FlowRun> {
 public:
  FlowRun(workflow::Context& ctx, FlowInput input)
      : ctx_(ctx), input_(std::move(input)), people_(std::make_shared<People>(ctx)) {
    if (input_.state) restore();
  }

  void register_handlers();
  Task<Payload> run();

 private:
  Task<bool> begin();
  Task<void> follow();
  bool has_ended(const FlowStep& step) const;
  void begin_step(std::uint32_t step);
  Task<void> take(std::uint32_t step);
  Task<void> perform(std::uint32_t step);
  Task<void> wait(std::uint32_t number);
  Task<bool> pass(std::uint32_t number, std::int64_t until_ms);
  Task<void> iterate_over(std::uint32_t number);
  Task<void> await_completion(std::uint32_t number);
  std::vector<FlowOrigin> begun_of(const FlowStep& step) const;
  void taken(FlowBlocksResult result);
  Task<void> take_back_failed(std::uint32_t number, std::vector<std::uint64_t> items);
  Task<void> call(std::uint32_t number);
  Task<FlowBlocksResult> answer(std::uint32_t block, PlannedCall planned);
  Caller caller_of(const PlannedCall& planned) const;
  Task<void> tell(std::uint32_t block, bool over);
  void step_ended(std::uint32_t step);
  void fail(std::string type, std::string message);

  FlowInput item_input(std::uint32_t number, std::uint32_t part) const;
  // What an activity is about.
  template <typename In>
  In about() const {
    In in;
    in.flow = plan_.flow;
    in.version = plan_.version;
    if constexpr (requires { in.item; }) in.item = input_.item;
    return in;
  }
  // ---- with a new history
  bool may_leave(bool for_runs) const;
  bool leaves(bool has_runs);
  void restore();
  FlowInput next_input() const;

  void check_completed(const CompletionNews& news) const;
  Json take_completed(const CompletionNews& news);

  std::vector<Undoable> answers() const;
  Task<std::vector<std::string>> undo_effects();
  Task<FlowFinishInput> without_success(RunEnd status, std::string why);
  Task<Payload> finish();
  Task<void> report_end(FlowFinishInput in);
  FlowFinishInput end_of(RunEnd status) const;
  Json status() const;
  // What a sub-flow is, its first activity says.
  const std::string& flow() const { return plan_.flow.empty() ? input_.flow : plan_.flow; }
  const std::string& version() const { return plan_.flow.empty() ? input_.version : plan_.version; }

  workflow::Context& ctx_;
  const FlowInput input_;
  const std::shared_ptr<People> people_;
  FlowPlan plan_;
  std::vector<std::string> outlets_;                // by block; empty: it has not ended
  std::vector<std::vector<std::uint32_t>> behind_;  // by step: those that wait for it
  std::vector<std::size_t> missing_;                // by step: how many of those before it are open
  std::set<std::uint32_t> open_;                    // steps
  FlowTakenUp taken_up_;
  std::map<std::uint32_t, FlowOpen> kept_;  // by step: what a new history begins with
  std::map<std::uint32_t, std::shared_ptr<Parts>> parts_;
  std::set<std::string> completed_;  // ids of completions that were told
  std::uint32_t parts_begun_ = 0;
  bool leaving_ = false;
  std::vector<Undoable> undoable_;  // what it, and the runs that it called, may have done
  agent::Undoing undoing_;
  std::optional<CancelScope> scope_;
  std::string phase_ = "starting";
  std::string error_type_;  // empty: nothing has failed
  std::string error_;
};

void FlowRun::register_handlers() {
  auto self = shared_from_this();
  ctx_.on_query(kStatusQuery, [self]() { return self->status(); });
  ctx_.on_query(kUndoableQuery, [self]() { return Json(self->undoing_.with_standing(self->answers())); });
  ctx_.on_update(
      kCompleteUpdate, [self](const CompletionNews& news) { return self->take_completed(news); },
      [self](const CompletionNews& news) { self->check_completed(news); });
  people_->register_handler();
}

Json FlowRun::status() const {
  Json open = Json::array();
  for (const std::uint32_t step : open_) {
    for (const std::uint32_t block : plan_.steps[step].blocks) open.push_back(block);
  }
  const auto is_over = [](const std::string& outlet) { return !outlet.empty(); };
  Json approvals = people_->status();
  Json out = {{"agent", flow()},           {"version", version()},
              {"planner", plan_.planner},  {"phase", approvals.empty() ? phase_ : "approval"},
              {"blocks", outlets_.size()}, {"ended", std::ranges::count_if(outlets_, is_over)},
              {"open", std::move(open)},   {"approvals", std::move(approvals)}};
  if (!undoing_.undone().empty()) out["undone"] = undoing_.undone();
  return out;
}

// ---- the run as a whole

Task<Payload> FlowRun::run() {
  Outcome<bool> begun = co_await attempt(begin());
  if (begun.ok()) {
    people_->begin(plan_);
    co_await follow();
  } else if (!ctx_.workflow_cancelled()) {
    fail(type_of(begun.error()), root_of(begun.error()).message());
  }
  if (leaving_ && error_type_.empty() && !ctx_.workflow_cancelled()) {
    auto idle = [this] { return ctx_.idle(); };
    (void)co_await attempt(ctx_.wait(idle));
    if (!ctx_.workflow_cancelled()) ctx_.continue_as_new(next_input());
  }
  if (ctx_.workflow_cancelled()) {
    FlowFinishInput in = co_await without_success(RunEnd::kCanceled, ctx_.cancel_reason());
    co_await ctx_.shielded(report_end(in));
    throw CanceledFailure(in.error);
  }
  if (!error_type_.empty()) {
    FlowFinishInput in = co_await without_success(RunEnd::kFailed, error_);
    in.error_type = error_type_;
    co_await report_end(in);
    throw ApplicationFailure::non_retryable(in.error, error_type_);
  }
  co_return co_await finish();
}

// Its plan, and what the run that it takes up came to.
Task<bool> FlowRun::begin() {
  if (input_.state) co_return true;
  plan_ = co_await ctx_.activity<FlowPlan>(kFlowBeginActivity, bookkeeping(), input_);
  outlets_.resize(plan_.rules.size());
  if (plan_.origin.empty()) co_return true;
  auto in = about<FlowTakeUpInput>();
  in.origin = plan_.origin;
  in.origins = input_.origins;
  const auto options = blocks_options(FlowStep());
  taken_up_ = co_await ctx_.activity<FlowTakenUp>(kFlowTakeUpActivity, options, in);
  for (const FlowEnded& one : taken_up_.ended) outlets_.at(one.block) = one.outlet;
  undoable_ = std::exchange(taken_up_.undoable, {});
  co_return true;
}

bool FlowRun::has_ended(const FlowStep& step) const {
  return std::ranges::none_of(step.blocks, [this](std::uint32_t block) { return outlets_[block].empty(); });
}

// Every step that begins counts down those behind it when it ends, so a plan costs what it has of edges.
Task<void> FlowRun::follow() {
  phase_ = "running";
  behind_.resize(plan_.steps.size());
  scope_ = ctx_.scope();
  std::vector<bool> over(plan_.steps.size());  // also what is before it
  for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
    const FlowStep& step = plan_.steps[i];
    std::size_t missing = 0;
    for (const std::uint32_t before : step.after) {
      if (over[before]) continue;
      ++missing;
      behind_[before].push_back(i);
    }
    missing_.push_back(missing);
    over[i] = missing == 0 && has_ended(step);
  }
  for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
    if (missing_[i] == 0 && !over[i]) begin_step(i);
  }
  auto ended = [this] { return open_.empty(); };
  (void)co_await attempt(ctx_.wait(ended));
  if (!open_.empty()) co_await ctx_.shielded(ctx_.wait(ended));  // what was cancelled still ends
}

void FlowRun::begin_step(std::uint32_t step) {
  open_.insert(step);
  (void)ctx_.spawn(*scope_, take(step));
}

Task<void> FlowRun::take(std::uint32_t step) {
  Outcome<void> outcome = co_await attempt(perform(step));
  open_.erase(step);
  if (!outcome.ok() && !ctx_.workflow_cancelled() && !scope_->canceled())
    fail(type_of(outcome.error()), root_of(outcome.error()).message());
  const bool is_left = leaving_ && !has_ended(plan_.steps[step]);
  if (outcome.ok() && !is_left && error_type_.empty() && !ctx_.workflow_cancelled()) step_ended(step);
}

void FlowRun::step_ended(std::uint32_t step) {
  for (const std::uint32_t next : behind_[step]) {
    if (--missing_[next] == 0 && !leaving_) begin_step(next);
  }
}

// The first one counts: what goes on meanwhile is cancelled, and nothing begins any more.
void FlowRun::fail(std::string type, std::string message) {
  if (!error_type_.empty()) return;
  error_type_ = std::move(type);
  error_ = std::move(message);
  if (scope_) scope_->cancel("another block failed");
}

// ---- one step

Task<void> FlowRun::perform(std::uint32_t number) {
  const FlowStep& step = plan_.steps[number];
  if (has_ended(step)) co_return;  // an earlier run did it
  if (is_skipped(plan_, step, outlets_)) {
    for (const std::uint32_t block : step.blocks) outlets_[block] = kFlowSkipped;
    co_return;
  }
  if (step.wait_ms) co_return co_await wait(number);
  if (step.each) co_return co_await iterate_over(number);
  if (!step.calls.empty()) co_return co_await call(number);
  if (kept_.contains(number)) co_return co_await await_completion(number);
  auto in = about<FlowBlocksInput>();
  in.blocks = step.blocks;
  in.ended = known_to(plan_, step, outlets_);
  in.begun = begun_of(step);
  const auto options = blocks_options(step);
  // Before the calls: what becomes of them may be known to the ledger alone.
  remember(undoable_, step);
  const std::string type = step.pure ? kFlowPureActivity : kFlowBlocksActivity;
  FlowBlocksResult result = co_await ctx_.activity<FlowBlocksResult>(type, options, in);
  if (result.awaits) {
    FlowOpen& kept = kept_[number];
    kept.until_ms = result.awaits->deadline_ms;
    kept.completion = result.awaits->completion;
    co_return co_await await_completion(number);
  }
  taken(std::move(result));
  forget_skipped(undoable_, step, outlets_);
}

void FlowRun::taken(FlowBlocksResult result) {
  for (FlowEnded& one : result.ended) outlets_.at(one.block) = std::move(one.outlet);
  if (result.failure) fail(result.failure->type, result.failure->message);
}

Task<void> FlowRun::wait(std::uint32_t number) {
  const FlowStep& step = plan_.steps[number];
  const std::uint32_t block = step.blocks.front();
  const auto kept = kept_.find(number);
  if (kept == kept_.end()) co_await tell(block, false);
  if ((plan_.flags & kFlowLeavesFlag) == 0) {
    co_await ctx_.sleep(milliseconds(*step.wait_ms));
  } else {
    const std::int64_t until_ms =
        kept == kept_.end() ? ms_since_epoch(ctx_.now()) + *step.wait_ms : kept->second.until_ms;
    const bool passed = co_await pass(number, until_ms);
    if (!passed) co_return;
  }
  co_await tell(block, true);
  outlets_[block] = "done";
}

// A call that the workflow makes: of a person, an agent, a model or a flow.
Task<void> FlowRun::call(std::uint32_t number) {
  const FlowStep& step = plan_.steps[number];
  const std::uint32_t block = step.blocks.front();
  auto in = about<FlowStepInput>();
  in.block = block;
  const auto options = blocks_options(step);
  FlowCall begun = co_await ctx_.activity<FlowCall>(kFlowCallActivity, options, in);
  if (begun.over) co_return taken(*begun.over);
  FlowBlocksResult result = co_await answer(block, std::move(begun.planned));
  taken(std::move(result));
}

Task<FlowBlocksResult> FlowRun::answer(std::uint32_t block, PlannedCall planned) {
  const agent::WorkflowTool* tool = agent::find_workflow_tool(planned.kind);
  if (!tool)
    throw ApplicationFailure::non_retryable("this build knows no `" + planned.kind + "`", "NOT_FOUND");
  agent::WorkflowCall made(ctx_, planned, caller_of(planned));
  made.undoable = &undoable_;
  made.flags = kLoopFlags;
  made.ask = [people = people_](PlannedCall asked) { return people->ask(std::move(asked)); };
  auto calling = tool->run(std::move(made));
  Outcome<ToolAnswer> outcome = co_await attempt(std::move(calling));
  if (!outcome.ok() && (ctx_.workflow_cancelled() || scope_->canceled())) outcome.error().raise();
  auto in = about<FlowCalledInput>();
  in.block = block;
  if (outcome.ok()) {
    in.text = outcome.value().text;
  } else {
    in.error_type = type_of(outcome.error());
    in.error = root_of(outcome.error()).message();
  }
  FlowBlocksResult result = co_await ctx_.activity<FlowBlocksResult>(kFlowCalledActivity, bookkeeping(), in);
  co_return result;
}

Caller FlowRun::caller_of(const PlannedCall& planned) const {
  Caller caller;
  caller.run = ctx_.info().workflow_id;
  caller.agent = plan_.flow;
  caller.version = plan_.version;
  caller.call = planned.call;
  caller.depth = (input_.caller ? input_.caller->depth : 0) + 1;
  caller.requester = plan_.requester;
  return caller;
}

// False: the run goes on with a new history before the time is over.
Task<bool> FlowRun::pass(std::uint32_t number, std::int64_t until_ms) {
  kept_[number].until_ms = until_ms;
  auto leaving = [this] { return leaving_; };
  const milliseconds left(std::max<std::int64_t>(0, until_ms - ms_since_epoch(ctx_.now())));
  const bool left_open = co_await ctx_.wait_for(leaving, left);
  co_return !left_open;
}

// ---- maps and loops

Task<void> FlowRun::iterate_over(std::uint32_t number) {
  const FlowStep& step = plan_.steps[number];
  auto& parts = parts_[number];
  if (!parts) parts = std::make_shared<Parts>();
  remember(undoable_, step);
  IterationRun run;
  run.each = *step.each;
  run.in = about<FlowEachInput>();
  run.in.block = step.blocks.front();
  run.in.ended = known_to(plan_, step, outlets_);
  run.in.begun = begun_of(step);
  run.parts = parts;
  run.options = blocks_options(step);
  run.leaves = [this, has_runs = step.each->runs] { return leaves(has_runs); };
  run.is_leaving = [this] { return leaving_; };
  run.take_back = [this, number](std::vector<std::uint64_t> items) {
    return take_back_failed(number, std::move(items));
  };
  run.run_item = [this, number](std::uint32_t part) {
    return run_item(&ctx_, item_input(number, part), &undoable_);
  };
  FlowBlocksResult result = co_await iterate(ctx_, run);
  taken(std::move(result));
}

// An item whose error was collected keeps nothing, as one that is a run of its own.
Task<void> FlowRun::take_back_failed(std::uint32_t number, std::vector<std::uint64_t> items) {
  const FlowStep& step = plan_.steps[number];
  auto calls = of_items(undoable_, step, ctx_.info().workflow_id, begun_of(step), items);
  agent::Undoing undoing;
  auto last = static_cast<std::uint32_t>(outlets_.size());
  (void)co_await undoing.take_back_all(&ctx_, &calls, &last);
}

// It asks as this run does, and counts as a part of it.
FlowInput FlowRun::item_input(std::uint32_t number, std::uint32_t part) const {
  FlowInput out;
  out.flow = plan_.flow;
  out.version = plan_.version;
  PlannedCall planned;
  planned.call = *parts_.at(number)->call;
  planned.call.key += ":" + std::to_string(part);
  out.caller = caller_of(planned);
  --out.caller->depth;
  FlowItem& item = out.item.emplace();
  item.run = out.caller->run;
  item.of = planned.call.tool;
  item.index = part;
  for (const FlowOrigin& one : begun_of(plan_.steps[number])) {
    for (const std::string& run : one.runs) out.origins.push_back(run_of_item(run, item.of, part));
  }
  return out;
}

// ---- completion from outside

// The store decides what it ended with: an update only wakes the run, and its deadline finds out as well.
Task<void> FlowRun::await_completion(std::uint32_t number) {
  const FlowOpen kept = kept_.at(number);
  auto woken = [this, id = kept.completion] { return leaving_ || completed_.contains(id); };
  const milliseconds left(std::max<std::int64_t>(0, kept.until_ms - ms_since_epoch(ctx_.now())));
  auto waiting = ctx_.wait_for(woken, left);
  const Outcome<bool> waited = co_await attempt(std::move(waiting));
  if (waited.ok() && waited.value() && !completed_.contains(kept.completion)) co_return;  // left open
  auto in = about<FlowCompletedInput>();
  in.block = plan_.steps[number].blocks.front();
  in.completion = kept.completion;
  in.run_ends = !waited.ok();
  auto asking = ctx_.activity<FlowBlocksResult>(kFlowCompletedActivity, bookkeeping(), in);
  FlowBlocksResult result = co_await ctx_.shielded(std::move(asking));
  if (!waited.ok()) waited.error().raise();
  taken(std::move(result));
}

// The call may be completed before its activity has said under which id.
void FlowRun::check_completed(const CompletionNews& news) const {
  const auto calls = [this](std::uint32_t step) {
    return !plan_.steps[step].wait_ms && !plan_.steps[step].each && plan_.steps[step].calls.empty();
  };
  const auto keeps = [&news](const auto& kept) { return kept.second.completion == news.id; };
  if (std::ranges::any_of(open_, calls) || std::ranges::any_of(kept_, keeps)) return;
  throw ApplicationFailure::non_retryable(
      "this run waits for no call `" + news.id + "`; it may know its end already", kCallNotFound);
}

Json FlowRun::take_completed(const CompletionNews& news) {
  check_completed(news);
  completed_.insert(news.id);
  return Json::object();
}

// ---- with a new history

// Everything that is open can be left, or ends soon: a person, an agent or a flow may not. The run of an item
// may not either, but whoever goes over items waits for those that are under way, and begins no other.
bool FlowRun::may_leave(bool for_runs) const {
  return std::ranges::all_of(open_, [this, for_runs](std::uint32_t number) {
    const FlowStep& step = plan_.steps[number];
    return step.calls.empty() && (for_runs || !step.each || !step.each->runs);
  });
}

bool FlowRun::leaves(bool has_runs) {
  if (leaving_) return true;
  const bool is_long = parts_begun_ >= kPartsPerRun || ctx_.info().continue_as_new_suggested;
  if (is_long && may_leave(has_runs)) leaving_ = true;
  if (!leaving_) ++parts_begun_;
  return leaving_;
}

void FlowRun::restore() {
  const FlowState& state = *input_.state;
  plan_ = state.plan;
  taken_up_ = state.taken_up;
  undoable_ = state.undoable;
  outlets_.resize(plan_.rules.size());
  for (const FlowEnded& one : state.ended) outlets_.at(one.block) = one.outlet;
  for (const FlowOpen& one : state.open) {
    if (one.parts > 0) {
      parts_[one.step] = std::make_shared<Parts>(parts_of(one));
    } else {
      kept_[one.step] = one;
      if (one.completed) completed_.insert(one.completion);
    }
  }
}

FlowInput FlowRun::next_input() const {
  FlowInput out = input_;
  FlowState& state = out.state.emplace();
  state.plan = plan_;
  state.taken_up = taken_up_;
  state.undoable = answers();
  state.ended = end_of(RunEnd::kCompleted).ended;
  for (const auto& [step, kept] : kept_) {
    if (has_ended(plan_.steps[step])) continue;
    FlowOpen& one = state.open.emplace_back(kept);
    one.step = step;
    one.completed = completed_.contains(kept.completion);
  }
  for (const auto& [step, parts] : parts_) {
    if (has_ended(plan_.steps[step]) || parts->count == 0) continue;
    state.open.push_back(left_open(step, *parts));
  }
  return out;
}

Task<void> FlowRun::tell(std::uint32_t block, bool over) {
  auto in = about<FlowStepInput>();
  in.block = block;
  in.over = over;
  co_await ctx_.activity<void>(kFlowStepActivity, bookkeeping(), in);
}

std::vector<FlowOrigin> FlowRun::begun_of(const FlowStep& step) const {
  std::vector<FlowOrigin> out;
  for (const FlowOrigin& one : taken_up_.begun) {
    if (std::ranges::find(step.blocks, one.block) != step.blocks.end()) out.push_back(one);
  }
  return out;
}

// ---- the end

// What it, and the runs that it called, may have done; of items as many as have begun by now.
std::vector<Undoable> FlowRun::answers() const {
  std::vector<Undoable> out = undoable_;
  for (const auto& [step, parts] : parts_) count_items(out, plan_.steps[step], *parts);
  return out;
}

// A block waits for the end of what it called, so that nothing comes behind.
Task<std::vector<std::string>> FlowRun::undo_effects() {
  if (undoable_.empty() || (plan_.flags & kFlowUndoesFlag) == 0) co_return std::vector<std::string>();
  phase_ = "undoing";
  undoable_ = answers();
  auto step = static_cast<std::uint32_t>(outlets_.size());  // behind those of the blocks
  co_return co_await undoing_.take_back_all(&ctx_, &undoable_, &step);
}

// The end of a run whose calls were taken back, as far as they can be.
Task<FlowFinishInput> FlowRun::without_success(RunEnd status, std::string why) {
  FlowFinishInput in = end_of(status);
  in.error = std::move(why);
  in.not_undone = co_await ctx_.shielded(undo_effects());
  in.took_back = !undoing_.undone().empty();
  for (const std::string& effect : in.not_undone) in.error += "; not undone: " + effect;
  co_return in;
}

FlowFinishInput FlowRun::end_of(RunEnd status) const {
  FlowFinishInput in;
  in.flow = flow();
  in.version = version();
  in.status = status;
  in.item = input_.item;
  in.caller = input_.caller;
  for (std::uint32_t block = 0; block < outlets_.size(); ++block) {
    if (outlets_[block].empty()) continue;
    FlowEnded& one = in.ended.emplace_back();
    one.block = block;
    one.outlet = outlets_[block];
  }
  return in;
}

Task<Payload> FlowRun::finish() {
  phase_ = "finishing";
  const FlowFinishInput in = end_of(RunEnd::kCompleted);
  Payload result = co_await ctx_.activity<Payload>(kFlowFinishActivity, bookkeeping(), in);
  // Whoever goes over items knows the calls of their blocks by their places.
  if (input_.caller && !(input_.item && are_own(undoable_, plan_))) tell_undoable(result, answers());
  phase_ = "done";
  co_return result;
}

Task<void> FlowRun::report_end(FlowFinishInput in) {
  phase_ = "finishing";
  const auto options = bookkeeping().schedule_to_close(kLongestReport);
  (void)co_await attempt(ctx_.activity<Payload>(kFlowFinishActivity, options, in));
  phase_ = "done";
}

}  // namespace

Task<Payload> flow_workflow(workflow::Context& ctx, FlowInput input) {
  auto run = std::make_shared<FlowRun>(ctx, std::move(input));
  run->register_handlers();
  co_return co_await run->run();
}

}  // namespace holdfast::flows
