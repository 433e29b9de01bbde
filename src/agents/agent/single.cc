// `mode: single`: one model call. Beginning, asking and ending are one activity, so that the engine is asked
// for nothing in between; what the model said beyond an answer, and a failure that waits for somebody, goes
// on in the loop.

#include "agent/bookkeeping.h"
#include "agent/failures.h"
#include "agent/loop.h"
#include "protocol/names.h"

namespace holdfast::agent {

namespace {

// With all its waiting; each asking has the timeout of its model, and the activity counts its attempts.
constexpr std::chrono::hours kLongestSingleCall{24};

}  // namespace

Task<std::optional<RunResult>> Loop::call_once() {
  phase_ = "model";
  single_ = true;
  BeginInput in;
  in.run = input_;
  auto options = ActivityOptions()
                     .task_queue(kModelQueue)
                     .start_to_close(kLongestSingleCall)
                     .heartbeat(kHeartbeatTimeout)
                     .cancellation(ActivityCancellation::kWaitCompleted)
                     .retry(RetryPolicy().initial(std::chrono::seconds(1)).maximum(std::chrono::seconds(30)));
  auto call = [this, options, in]() -> Task<SingleEnd> {
    return ctx_.activity<SingleEnd>(kSingleActivity, options, in);
  };
  Outcome<SingleEnd> outcome = co_await attempt(budget_.within<SingleEnd>(call));
  single_ = false;
  if (!outcome.ok()) {
    if (is_canceled(outcome.error())) outcome.error().raise();
    co_await begin();  // what it was begun with says what becomes of the failure
    if (!parks(outcome.error(), false)) outcome.error().raise();
    co_await park(type_of(outcome.error()), root_of(outcome.error()).message(), progress_.step);
    co_return std::nullopt;
  }
  const SingleEnd& end = outcome.value();
  take_begun(end.begun);
  progress_.iteration = 1;
  progress_.step = 1;
  if (!end.finished) {
    first_turn_ = end.turn;
    co_return std::nullopt;
  }
  ending_ = true;
  take_turn(end.turn);
  co_return co_await result_of(*end.finished, RunEnd::kCompleted);
}

}  // namespace holdfast::agent
