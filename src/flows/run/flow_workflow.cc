#include "run/flow_workflow.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "holdfast/failure.h"
#include "protocol/names.h"
#include "run/readiness.h"

namespace holdfast::flows {

namespace {

using namespace protocol;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Of the blocks of one activity with all their attempts; each call has the timeout of its block.
constexpr hours kLongestActivity{24};
// Longer than an evaluation in the sandbox, which cannot say that it lives.
constexpr seconds kHeartbeat{30};
// The log is for people; a store that refuses it must not keep the run from ending.
constexpr minutes kLongestReport{5};

ActivityOptions bookkeeping() {
  return ActivityOptions()
      .task_queue(kAgentQueue)
      .start_to_close(seconds(30))
      .retry(RetryPolicy().initial(milliseconds(200)).maximum(seconds(10)));
}

// How often a block is tried is counted by its activity: an attempt that a crash has ended is none of them.
ActivityOptions blocks_options(const FlowStep& step) {
  const Json retry = step.retry.is_object() ? step.retry : Json::object();
  const milliseconds initial(retry.value("initial_ms", 1000));
  const milliseconds maximum(retry.value("maximum_ms", 30000));
  return ActivityOptions()
      .task_queue(kToolQueue)
      .start_to_close(kLongestActivity)
      .heartbeat(kHeartbeat)
      .cancellation(ActivityCancellation::kWaitCompleted)
      .retry(RetryPolicy()
                 .initial(initial)
                 .backoff(retry.value("backoff", 2.0))
                 .maximum(std::max(initial, maximum)));
}

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

// Shared with its handlers, which outlive the main coroutine.
class FlowRun : public std::enable_shared_from_this<FlowRun> {
 public:
  FlowRun(workflow::Context& ctx, FlowInput input) : ctx_(ctx), input_(std::move(input)) {}

  void register_handlers();
  Task<FlowResult> run();

 private:
  Task<void> follow();
  void begin_step(std::uint32_t step);
  Task<void> take(std::uint32_t step);
  Task<void> perform(std::uint32_t step);
  Task<void> wait(FlowStep step);
  Task<void> tell(std::uint32_t block, bool over);
  void step_ended(std::uint32_t step);
  void fail(std::string type, std::string message);

  bool is_skipped(const FlowStep& step) const;
  std::vector<FlowEnded> known_to(const FlowStep& step) const;
  Task<FlowResult> finish();
  Task<void> report_end(FlowFinishInput in);
  FlowFinishInput end_of(RunEnd status) const;
  Json status() const;

  workflow::Context& ctx_;
  const FlowInput input_;
  FlowPlan plan_;
  std::vector<std::string> outlets_;                // by block; empty: it has not ended
  std::vector<std::vector<std::uint32_t>> behind_;  // by step: those that wait for it
  std::vector<std::size_t> missing_;                // by step: how many of those before it are open
  std::set<std::uint32_t> open_;                    // steps
  std::optional<CancelScope> scope_;
  std::string phase_ = "starting";
  std::string error_type_;  // empty: nothing has failed
  std::string error_;
};

void FlowRun::register_handlers() {
  auto self = shared_from_this();
  ctx_.on_query(kStatusQuery, [self]() { return self->status(); });
}

Json FlowRun::status() const {
  Json open = Json::array();
  for (const std::uint32_t step : open_) {
    for (const std::uint32_t block : plan_.steps[step].blocks) open.push_back(block);
  }
  const auto is_over = [](const std::string& outlet) { return !outlet.empty(); };
  return {{"agent", input_.flow},      {"version", input_.version},
          {"planner", plan_.planner},  {"phase", phase_},
          {"blocks", outlets_.size()}, {"ended", std::ranges::count_if(outlets_, is_over)},
          {"open", std::move(open)}};
}

// ---- the run as a whole

Task<FlowResult> FlowRun::run() {
  Outcome<FlowPlan> begun =
      co_await attempt(ctx_.activity<FlowPlan>(kFlowBeginActivity, bookkeeping(), input_));
  if (begun.ok()) {
    plan_ = std::move(begun).value();
    co_await follow();
  } else if (!ctx_.workflow_cancelled()) {
    fail(type_of(begun.error()), root_of(begun.error()).message());
  }
  if (ctx_.workflow_cancelled()) {
    FlowFinishInput in = end_of(RunEnd::kCanceled);
    in.error = ctx_.cancel_reason();
    co_await ctx_.shielded(report_end(in));
    throw CanceledFailure(in.error);
  }
  if (!error_type_.empty()) {
    FlowFinishInput in = end_of(RunEnd::kFailed);
    in.error_type = error_type_;
    in.error = error_;
    co_await report_end(in);
    throw ApplicationFailure::non_retryable(error_, error_type_);
  }
  co_return co_await finish();
}

// Every step that begins counts down those behind it when it ends, so a plan costs what it has of edges.
Task<void> FlowRun::follow() {
  phase_ = "running";
  outlets_.resize(plan_.rules.size());
  behind_.resize(plan_.steps.size());
  scope_ = ctx_.scope();
  for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
    missing_.push_back(plan_.steps[i].after.size());
    for (const std::uint32_t before : plan_.steps[i].after) behind_[before].push_back(i);
  }
  for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
    if (plan_.steps[i].after.empty()) begin_step(i);
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
  if (outcome.ok() && error_type_.empty() && !ctx_.workflow_cancelled()) step_ended(step);
}

void FlowRun::step_ended(std::uint32_t step) {
  for (const std::uint32_t next : behind_[step]) {
    if (--missing_[next] == 0) begin_step(next);
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
  if (is_skipped(step)) {
    for (const std::uint32_t block : step.blocks) outlets_[block] = kFlowSkipped;
    co_return;
  }
  if (step.wait_ms) co_return co_await wait(step);
  FlowBlocksInput in;
  in.flow = plan_.flow;
  in.version = plan_.version;
  in.blocks = step.blocks;
  in.ended = known_to(step);
  const auto options = blocks_options(step);
  FlowBlocksResult result = co_await ctx_.activity<FlowBlocksResult>(kFlowBlocksActivity, options, in);
  for (FlowEnded& one : result.ended) outlets_.at(one.block) = std::move(one.outlet);
  if (result.failure) fail(result.failure->type, result.failure->message);
}

Task<void> FlowRun::wait(FlowStep step) {
  const std::uint32_t block = step.blocks.front();
  co_await tell(block, false);
  co_await ctx_.sleep(milliseconds(*step.wait_ms));
  co_await tell(block, true);
  outlets_[block] = "done";
}

Task<void> FlowRun::tell(std::uint32_t block, bool over) {
  FlowStepInput in;
  in.flow = plan_.flow;
  in.version = plan_.version;
  in.block = block;
  in.over = over;
  co_await ctx_.activity<void>(kFlowStepActivity, bookkeeping(), in);
}

// None of its blocks can run: then there is no activity. One that waits for another of the same step is
// skipped with that.
bool FlowRun::is_skipped(const FlowStep& step) const {
  std::set<std::uint32_t> skipped;
  const auto outlet_of = [&](std::uint32_t block) -> std::string_view {
    return skipped.contains(block) ? kFlowSkipped : std::string_view(outlets_[block]);
  };
  for (const std::uint32_t block : step.blocks) {
    if (runs(plan_.rules[block], outlet_of)) return false;
    skipped.insert(block);
  }
  return true;
}

std::vector<FlowEnded> FlowRun::known_to(const FlowStep& step) const {
  std::set<std::uint32_t> needed;
  for (const std::uint32_t block : step.blocks) {
    for (const FlowNeed& need : plan_.rules[block].needs) needed.insert(need.block);
  }
  for (const std::uint32_t block : step.blocks) needed.erase(block);
  std::vector<FlowEnded> out;
  for (const std::uint32_t block : needed) {
    FlowEnded& one = out.emplace_back();
    one.block = block;
    one.outlet = outlets_[block];
  }
  return out;
}

// ---- the end

FlowFinishInput FlowRun::end_of(RunEnd status) const {
  FlowFinishInput in;
  in.flow = input_.flow;
  in.version = input_.version;
  in.status = status;
  for (std::uint32_t block = 0; block < outlets_.size(); ++block) {
    if (outlets_[block].empty()) continue;
    FlowEnded& one = in.ended.emplace_back();
    one.block = block;
    one.outlet = outlets_[block];
  }
  return in;
}

Task<FlowResult> FlowRun::finish() {
  phase_ = "finishing";
  const FlowFinishInput in = end_of(RunEnd::kCompleted);
  FlowResult result = co_await ctx_.activity<FlowResult>(kFlowFinishActivity, bookkeeping(), in);
  phase_ = "done";
  co_return result;
}

Task<void> FlowRun::report_end(FlowFinishInput in) {
  phase_ = "finishing";
  const auto options = bookkeeping().schedule_to_close(kLongestReport);
  (void)co_await attempt(ctx_.activity<FlowResult>(kFlowFinishActivity, options, in));
  phase_ = "done";
}

}  // namespace

Task<FlowResult> flow_workflow(workflow::Context& ctx, FlowInput input) {
  auto run = std::make_shared<FlowRun>(ctx, std::move(input));
  run->register_handlers();
  co_return co_await run->run();
}

}  // namespace holdfast::flows
