#include "agent/schedule.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/bookkeeping.h"
#include "base/text.h"
#include "protocol/catch_up.h"

namespace holdfast::agent {

namespace {

using namespace protocol;
using std::chrono::milliseconds;

constexpr int kRoundsPerRun = 100;  // then it continues as new, with an empty history
constexpr std::size_t kMaxError = 1000;
constexpr int kMaxTriggers = 100;       // that wait; more are one with the last
constexpr std::size_t kMaxAsked = 100;  // ids that are remembered; whoever sends one again does so soon

// Shared with its handlers, which outlive the main coroutine.
class Schedule : public std::enable_shared_from_this<Schedule> {
 public:
  Schedule(workflow::Context& ctx, ScheduleInput input)
      : ctx_(ctx), spec_(std::move(input.spec)), state_(std::move(input.state)) {}

  void register_handlers();
  Task<void> run();

 private:
  bool is_new(const std::string& id);  // of a trigger; it is remembered
  Task<void> until_told();
  Task<void> until_due();
  Task<void> fire(std::int64_t due_ms, bool triggered);
  std::int64_t now_ms() const;

  workflow::Context& ctx_;
  const ScheduleSpec spec_;
  ScheduleState state_;
};

void Schedule::register_handlers() {
  auto self = shared_from_this();
  ctx_.on_query(kScheduleQuery, [self]() { return self->state_; });
  ctx_.on_signal(kSchedulePause, [self](PauseInput in) {
    self->state_.paused = true;
    self->state_.note = in.note;
  });
  ctx_.on_signal(kScheduleResume, [self]() {
    if (!self->state_.paused) return;
    self->state_.paused = false;
    self->state_.note.clear();
    self->state_.considered_ms = self->now_ms();  // what was due meanwhile is not made up for
  });
  ctx_.on_signal(kScheduleTrigger, [self](std::optional<TriggerInput> in) {
    if (!in || self->is_new(in->id))
      self->state_.triggers = std::min(self->state_.triggers + 1, kMaxTriggers);
  });
}

bool Schedule::is_new(const std::string& id) {
  std::vector<std::string>& asked = state_.asked;
  if (std::ranges::find(asked, id) != asked.end()) return false;
  if (!id.empty()) asked.push_back(id);
  if (asked.size() > kMaxAsked) asked.erase(asked.begin());
  return true;
}

Task<void> Schedule::run() {
  if (state_.considered_ms == 0) state_.considered_ms = now_ms();
  for (int round = 0;; ++round) {
    if (round >= kRoundsPerRun || ctx_.info().continue_as_new_suggested) {
      ScheduleInput next;
      next.spec = spec_;
      next.state = state_;
      ctx_.continue_as_new(next);
    }
    if (state_.triggers > 0) {
      --state_.triggers;
      co_await fire(now_ms(), true);
    } else if (state_.paused) {
      co_await until_told();
    } else {
      co_await until_due();
    }
  }
}

Task<void> Schedule::until_told() {
  auto told = [this] { return !state_.paused || state_.triggers > 0; };
  co_await ctx_.wait(told);
}

Task<void> Schedule::until_due() {
  NextInput in;
  in.cron = spec_.cron;
  in.time_zone = spec_.time_zone;
  const std::int64_t catch_up_ms = std::max(spec_.catch_up_ms, kLeastCatchUpMs);
  in.after_ms = std::max(state_.considered_ms, now_ms() - catch_up_ms);
  const NextDue next = co_await ctx_.activity<NextDue>(kScheduleNextActivity, bookkeeping(), in);
  auto told = [this] { return state_.paused || state_.triggers > 0; };
  if (next.due_ms == 0) {  // never again
    co_await ctx_.wait(told);
    co_return;
  }
  const milliseconds left(std::max<std::int64_t>(0, next.due_ms - now_ms()));
  const bool was_told = co_await ctx_.wait_for(told, left);
  if (was_told) co_return;
  if (now_ms() - next.due_ms > catch_up_ms) co_return;  // nobody was there; what is due now is asked again
  // It was resumed behind that time, and no worker saw it paused meanwhile. Earlier versions did start it.
  if (next.due_ms <= state_.considered_ms && ctx_.patched("due-while-paused")) co_return;
  co_await fire(next.due_ms, false);
  // One that had to wait for the run before took the place of all that came due meanwhile.
  state_.considered_ms = spec_.overlap == Overlap::kBufferOne ? std::max(next.due_ms, now_ms()) : next.due_ms;
}

Task<void> Schedule::fire(std::int64_t due_ms, bool triggered) {
  FireInput in;
  in.spec = spec_;
  in.due_ms = due_ms;
  in.triggered = triggered;
  in.previous = state_.last_run;
  Outcome<Fired> outcome = co_await attempt(ctx_.activity<Fired>(kScheduleFireActivity, bookkeeping(), in));
  if (!outcome.ok()) {
    if (ctx_.workflow_cancelled() || ctx_.cancelled()) outcome.error().raise();
    ++state_.failed;
    state_.last_error = bounded_text(outcome.error().to_string(), kMaxError);
  } else if (outcome.value().run.empty()) {
    ++state_.skipped;
  } else {
    ++state_.started;
    state_.last_run = outcome.value().run;
    state_.last_error.clear();
  }
}

std::int64_t Schedule::now_ms() const {
  return std::chrono::duration_cast<milliseconds>(ctx_.now().time_since_epoch()).count();
}

}  // namespace

Task<void> schedule_workflow(workflow::Context& ctx, ScheduleInput input) {
  auto schedule = std::make_shared<Schedule>(ctx, std::move(input));
  schedule->register_handlers();
  co_await schedule->run();
}

}  // namespace holdfast::agent
