// Between two model calls: older messages become a summary. The model activity says that it is time; what a
// summary stands for stays in the store.

#include "agent/loop.h"
#include "protocol/names.h"

namespace holdfast::agent {

// Its failure is not the run's: the model is asked with everything, once, and says itself what is too much.
Task<void> Loop::compact() {
  phase_ = "compacting";
  --progress_.iteration;  // no model answered
  CompactInput in;
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  in.head = progress_.head;
  in.iteration = progress_.iteration;
  in.step = progress_.step;
  progress_.compacted = true;
  auto options = model_options();
  Outcome<Compacted> outcome = co_await attempt(ctx_.activity<Compacted>(kCompactActivity, options, in));
  if (!outcome.ok()) {
    if (ctx_.workflow_cancelled() || ctx_.cancelled()) outcome.error().raise();
    co_return;
  }
  const Compacted& done = outcome.value();
  if (done.head.sequence != progress_.head.sequence) progress_.told_tokens = 0;
  progress_.head = done.head;
  add(progress_.usage, done.usage);
}

}  // namespace holdfast::agent
