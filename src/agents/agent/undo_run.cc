#include "agent/undo_run.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/bookkeeping.h"
#include "agent/failures.h"
#include "agent/undo_question.h"
#include "agent/undoing.h"
#include "holdfast/failure.h"
#include "protocol/names.h"

namespace holdfast::agent {

using namespace protocol;

namespace {

// The log is for people; a store that refuses it must not keep the run from ending.
constexpr std::chrono::minutes kLongestReport{5};

// Shared with its handlers, which outlive the main coroutine.
class UndoRun : public std::enable_shared_from_this<UndoRun> {
 public:
  UndoRun(workflow::Context& ctx, UndoInput input)
      : ctx_(ctx), input_(std::move(input)), questions_(std::make_shared<UndoQuestions>(ctx)) {}

  void register_handlers();
  Task<RunResult> run();

 private:
  Task<void> take_back();
  Json status() const;
  UndoFinishInput end() const;
  Task<void> report(UndoFinishInput in);

  workflow::Context& ctx_;
  const UndoInput input_;
  std::string phase_ = "starting";
  std::vector<Undoable> effects_;     // that are still to be taken back
  std::vector<std::uint32_t> again_;  // UndoBegun::again
  std::vector<std::string> left_;     // what stands, and why
  std::shared_ptr<UndoQuestions> questions_;
  Undoing undoing_;
  std::uint32_t step_ = 0;
};

void UndoRun::register_handlers() {
  auto self = shared_from_this();
  ctx_.on_query(kStatusQuery, [self]() { return self->status(); });
  questions_->register_handler();
  undoing_.try_again();
  undoing_.stop_when([this] { return ctx_.workflow_cancelled(); });
  undoing_.ask_with([questions = questions_](ApprovalInput in) { return questions->ask(std::move(in)); });
}

Json UndoRun::status() const {
  return {{"agent", input_.agent}, {"version", input_.version},        {"phase", phase_},
          {"step", step_},         {"effects", effects_.size()},       {"undone", undoing_.undone()},
          {"not_undone", left_},   {"approvals", questions_->status()}};
}

Task<void> UndoRun::take_back() {
  phase_ = "undoing";
  while (!effects_.empty() && !ctx_.workflow_cancelled()) {
    Undoable effect = std::move(effects_.back());
    effects_.pop_back();
    const std::uint32_t again = effects_.size() < again_.size() ? again_[effects_.size()] : 0;
    const std::string what = words_of(effect);
    auto taking = undoing_.take_back(&ctx_, std::move(effect), ++step_, again);
    auto why = co_await ctx_.shielded(std::move(taking));
    if (why) left_.push_back(what + ": " + *why);
  }
}

Task<RunResult> UndoRun::run() {
  UndoBegun begun = co_await ctx_.activity<UndoBegun>(kUndoBeginActivity, bookkeeping(), input_);
  effects_ = std::move(begun.effects);
  again_ = std::move(begun.again);
  questions_->begin(std::move(begun.decision_key));
  co_await take_back();
  UndoFinishInput in = end();
  co_await ctx_.shielded(report(in));
  phase_ = "done";
  if (in.status == RunEnd::kCanceled) throw CanceledFailure(in.error);
  if (in.status == RunEnd::kFailed) throw ApplicationFailure::non_retryable(in.error, in.error_type);
  RunResult result;
  result.output = in.output;
  co_return result;
}

UndoFinishInput UndoRun::end() const {
  UndoFinishInput in;
  in.undone = undoing_.undone();
  in.not_undone = left_;
  if (!effects_.empty() || undoing_.was_stopped()) {
    in.status = RunEnd::kCanceled;
    for (auto one = effects_.rbegin(); one != effects_.rend(); ++one)
      in.not_undone.push_back(words_of(*one) + ": the undoing was cancelled");
    in.error = ctx_.cancel_reason();
  } else if (!left_.empty()) {
    in.error_type = kNotUndone;
    in.error = fmt::format("not undone: {}", fmt::join(left_, "; "));
  } else {
    in.status = RunEnd::kCompleted;
    in.output = in.undone.empty() ? "nothing had taken effect"
                                  : fmt::format("undone: {}", fmt::join(in.undone, ", "));
  }
  return in;
}

Task<void> UndoRun::report(UndoFinishInput in) {
  phase_ = "finishing";
  auto options = bookkeeping().schedule_to_close(kLongestReport);
  (void)co_await attempt(ctx_.activity<void>(kUndoFinishActivity, options, in));
}

}  // namespace

Task<RunResult> undo_workflow(workflow::Context& ctx, UndoInput input) {
  auto run = std::make_shared<UndoRun>(ctx, std::move(input));
  run->register_handlers();
  co_return co_await run->run();
}

}  // namespace holdfast::agent
