// `mode: single`: a run from its beginning to its end. Each part keeps its own books, so an attempt behind a
// crash finds what was begun and answered, and goes on there: the run is finished, or ends by the name of
// what went wrong.

#include "activities/activities.h"
#include "activities/model_route.h"
#include "agent/failures.h"
#include "definition/model_section.h"
#include "holdfast/failure.h"

namespace holdfast::agent {

namespace {

bool is_last_word(const ModelTurn& turn) {
  const bool whole = turn.stop == StopReason::kEnd || turn.stop == StopReason::kStopSequence;
  return whole && turn.calls.empty() && !turn.mend && !turn.compact;
}

// Attempts are counted here: the workflow does not know the model's before the run has begun.
[[noreturn]] void retry_or_fail(activity::Context& ctx, const ModelSpec& model,
                                const ApplicationFailure& failure) {
  if (failure.is_non_retryable() || ctx.info().attempt >= attempts_of(model))
    throw ApplicationFailure(failure.message(), failure.type(), true, failure.details());
  throw ApplicationFailure(
      failure.message(), failure.type(), false, failure.details(),
      failure.next_retry_delay().value_or(interval_after(model.retry, ctx.info().attempt)));
}

}  // namespace

SingleEnd Activities::call_once(activity::Context& ctx, const BeginInput& in) {
  SingleEnd out;
  out.begun = begin(ctx, in);
  const Plan& plan = out.begun.plan;
  const DefinitionPtr agent = definition(plan.agent, plan.version);
  ModelInput ask;
  ask.agent = plan.agent;
  ask.version = plan.version;
  ask.head = out.begun.head;
  ask.iteration = 1;
  ask.step = 1;
  ask.settings = plan.settings;
  ask.requester = plan.requester;
  ask.mending = Mending::kMayBeTold;
  try {
    out.turn = call_model(ctx, ask);
  } catch (const ApplicationFailure& failure) {
    retry_or_fail(ctx, agent->model, failure);
  }
  if (!is_last_word(out.turn)) return out;
  FinishInput end;
  end.agent = plan.agent;
  end.status = RunEnd::kCompleted;
  end.head = out.turn.head;
  end.iterations = 1;
  end.usage = out.turn.usage;
  end.caller = in.run.caller;
  out.finished = finish(ctx, end);
  return out;
}

}  // namespace holdfast::agent
