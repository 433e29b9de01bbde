// Calls that are not waited for: the model is told at once that one runs, and how it ended before its next
// call. One that ends itself runs beside the loop, and keeps the run in its history until then; one that
// somebody outside ends is a row of the platform store, a token, and a line of what the run takes along. The
// store decides what it ended with: an update only wakes the run, and its deadline finds out as well.

#include <algorithm>

#include <fmt/format.h>

#include "agent/bookkeeping.h"
#include "agent/failures.h"
#include "agent/loop.h"
#include "agent/workflow_tool.h"
#include "protocol/names.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kIdCharacters = 24;  // of the call's key
// Calls that were cancelled end in their own time.
constexpr std::chrono::minutes kLongestEnding{10};

ToolAnswer running_answer(const DetachedCall& detached) {
  ToolAnswer out;
  out.ordinal = detached.call.ordinal;
  out.id = detached.call.id;
  out.source = AnswerSource::kText;
  out.text = fmt::format(
      "`{}` has started and runs on its own, under the id {}. You are told when it has ended; go on "
      "meanwhile, "
      "or answer if there is nothing else to do.",
      detached.call.tool, detached.id);
  return out;
}

}  // namespace

DetachedCall* Loop::find_detached(const std::string& id) {
  const auto found = std::ranges::find(progress_.detached, id, &DetachedCall::id);
  return found == progress_.detached.end() ? nullptr : &*found;
}

bool Loop::is_completed(const std::string& id) {
  const DetachedCall* open = id.empty() ? nullptr : find_detached(id);
  return open && open->completed;
}

// ---- how one begins

Task<ToolAnswer> Loop::detach(std::shared_ptr<PlannedCall> call, const WorkflowTool* in_workflow) {
  if (progress_.detached.size() >= kMaxDetached) {
    co_return error_answer(call->call, fmt::format("not called: {} detached calls are open already; wait for "
                                                   "one of them to end",
                                                   kMaxDetached));
  }
  DetachedCall detached;
  detached.id = call->call.key.substr(0, kIdCharacters);
  detached.call = call->call;
  detached.kind = call->kind;
  detached.by = call->detached->by;
  detached.since_ms = now_ms();
  if (detached.by == CompletedBy::kToken) detached.deadline_ms = now_ms() + call->detached->deadline_ms;
  progress_.detached.push_back(detached);
  calls_[call->call.step] = call->call.tool + ": detached";
  if (detached.by == CompletedBy::kCall) {
    run_beside(call, in_workflow, detached.id);
    co_return running_answer(detached);
  }
  auto starting = start_call(call, detached.id);
  Outcome<ToolAnswer> started = co_await attempt(std::move(starting));
  if (!started.ok()) forget_detached(detached.id);
  if (!started.ok()) started.error().raise();
  ToolAnswer answer = std::move(started).value();
  DetachedCall* open = find_detached(detached.id);
  if (answer.source == AnswerSource::kError || !open || failed_starts_.erase(detached.id) > 0) {
    forget_detached(detached.id);  // it does not run: that is its answer
    co_return answer;
  }
  open->started = true;
  answer.text = running_answer(*open).text + " The tool answered:";
  wait_beside(detached.id);
  co_return answer;
}

void Loop::forget_detached(const std::string& id) {
  std::erase_if(progress_.detached, [&](const DetachedCall& one) { return one.id == id; });
}

// The call that somebody outside is to end, up to the tool's answer that it runs.
Task<ToolAnswer> Loop::start_call(std::shared_ptr<PlannedCall> call, std::string id) {
  ++running_tools_;
  auto calling = call_tool(*call, id, std::nullopt);
  Outcome<ToolAnswer> outcome = co_await attempt(std::move(calling));
  --running_tools_;
  if (!outcome.ok()) outcome.error().raise();
  co_return std::move(outcome).value();
}

// ---- beside the loop

void Loop::run_beside(std::shared_ptr<PlannedCall> call, const WorkflowTool* in_workflow, std::string id) {
  ++beside_;
  (void)ctx_.spawn(*beside_scope_, call_beside(std::move(call), in_workflow, std::move(id)));
}

Task<void> Loop::call_beside(std::shared_ptr<PlannedCall> call, const WorkflowTool* in_workflow,
                             std::string id) {
  auto self = shared_from_this();
  auto calling = in_workflow ? call_in_workflow(in_workflow, *call) : call_tool(*call, {}, std::nullopt);
  Outcome<ToolAnswer> outcome = co_await attempt(std::move(calling));
  --beside_;
  if (outcome.ok()) {
    ended(id, std::move(outcome).value());
  } else if (is_budget_exceeded(outcome.error()) && !closing_) {
    forget_detached(id);
    beside_failure_ = std::make_shared<Outcome<ToolAnswer>>(std::move(outcome));  // the run is over
  } else {
    const std::string why = closing_ || ctx_.workflow_cancelled() ? "the run ended before this call did"
                                                                  : root_of(outcome.error()).message();
    ended(id, error_answer(call->call, why));
  }
}

void Loop::wait_beside(std::string id) {
  (void)ctx_.spawn(*beside_scope_, completed_beside(std::move(id)));
}

// Of those that an earlier part of the run began.
void Loop::wait_for_detached() {
  for (const DetachedCall& one : progress_.detached) {
    if (one.by == CompletedBy::kToken) wait_beside(one.id);
  }
}

Task<void> Loop::completed_beside(std::string id) {
  auto self = shared_from_this();
  auto woken = [self, id] {
    const DetachedCall* open = self->find_detached(id);
    return !open || open->completed || self->closing_;
  };
  const DetachedCall* open = find_detached(id);
  if (!open) co_return;
  const std::int64_t left_ms = std::max<std::int64_t>(0, open->deadline_ms - now_ms());
  auto waiting = ctx_.wait_for(woken, milliseconds(left_ms));
  const Outcome<bool> waited = co_await attempt(std::move(waiting));
  open = find_detached(id);
  if (!open) co_return;
  EndDetachedInput in;
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  in.detached = *open;
  in.run_ends = closing_ || !waited.ok();
  ++ending_detached_;
  auto asking = attempt(ctx_.activity<ToolResult>(kEndDetachedActivity, bookkeeping(), in));
  Outcome<ToolResult> outcome = co_await ctx_.shielded(std::move(asking));
  --ending_detached_;
  if (!outcome.ok()) {
    ended(id, error_answer(in.detached.call, root_of(outcome.error()).message()));
    co_return;
  }
  const ToolResult& result = outcome.value();
  if (result.status == ToolStatus::kFailed) forget_effect(in.detached.call.key);
  ToolAnswer answer;
  answer.ordinal = in.detached.call.ordinal;
  answer.id = in.detached.call.id;
  answer.source = AnswerSource::kStep;
  answer.key = result.key;
  ended(id, std::move(answer));
}

void Loop::ended(const std::string& id, ToolAnswer answer) {
  const DetachedCall* open = find_detached(id);
  if (!open) return;
  DetachedEnd end;
  call_ended(open->call.step, answer.source != AnswerSource::kError);
  end.id = id;
  end.tool = open->call.tool;
  end.answer = std::move(answer);
  forget_detached(id);
  progress_.ended.push_back(std::move(end));
}

// ---- what the loop makes of it

// The model has nothing else to do.
Task<void> Loop::until_one_ends() {
  phase_ = "detached";
  auto something = [this] {
    return !progress_.ended.empty() || progress_.detached.empty() || !progress_.messages.empty() ||
           beside_failure_;
  };
  co_await ctx_.wait(something);
  check_beside();
}

void Loop::check_beside() const {
  if (beside_failure_) beside_failure_->error().raise();
}

// A call that runs beside the loop is in the history of this run: it ends before the next one begins.
bool Loop::is_kept_by_calls() const {
  return beside_ > 0 && !should_continue_as_new();
}

Task<void> Loop::until_none_is_beside() {
  phase_ = "detached";
  auto none = [this] { return (beside_ == 0 && ending_detached_ == 0) || beside_failure_; };
  co_await ctx_.wait(none);
  check_beside();
}

// The run ends: what runs beside it is cancelled, and whoever comes with a token is told so.
Task<void> Loop::close_detached() {
  phase_ = "finishing";
  closing_ = true;
  beside_scope_->cancel("the run ends");
  auto none = [this] { return progress_.detached.empty(); };
  (void)co_await ctx_.wait_for(none, kLongestEnding);
}

// ---- from outside

void Loop::check_completed(const CompletionNews& news) const {
  if (std::ranges::find(progress_.detached, news.id, &DetachedCall::id) != progress_.detached.end()) return;
  throw ApplicationFailure::non_retryable(
      fmt::format("this run has no open call `{}`; it may know its end already", news.id), kCallNotFound);
}

Json Loop::take_completed(const CompletionNews& news) {
  check_completed(news);
  DetachedCall& open = *find_detached(news.id);
  open.completed = true;
  // Nobody need be asked any more whether it was made.
  for (auto& [id, pending] : pending_) {
    if (!open.started && pending->request.call.step == open.call.step)
      withdraw(*pending, "whoever completed the call");
  }
  return Json::object();
}

}  // namespace holdfast::agent
