// What a run that takes back another one's effects asks of the store: which ones, and that it is told.

#include "activities/activities.h"
#include "base/json.h"
#include "holdfast/failure.h"
#include "platform/undo_tries.h"
#include "protocol/events.h"

namespace holdfast::agent {

// Its account goes with its beginning: what it calls is counted.
UndoBegun Activities::begin_undo(activity::Context& ctx, const UndoInput& in) {
  const auto origin = require(deps_.store->origin(ctx.info().workflow_id), "what the run is to undo");
  if (!origin || !is_undo_state(origin->state))
    throw ApplicationFailure::non_retryable("no run is named that this one is to undo", "NOT_FOUND");
  UndoBegun out;
  out.origin = origin->origin;
  out.effects = undo_effects_of(origin->state);
  out.decision_key = deps_.decision_key;
  // Somebody asked for it: what failed before is tried again, under a key of its own.
  for (const Undoable& effect : out.effects) {
    const auto last = require(platform::last_undo_try(*deps_.store, effect.call.key), "what was taken back");
    out.again.push_back(last.next());
  }
  platform::StepWrite write;
  write.key = begin_key(ctx);
  write.run = ctx.info().workflow_id;
  write.result = dump_json(Json{{"version", in.version}});
  platform::AccountOpening& account = write.account.emplace();
  account.run = write.run;
  account.agent = in.agent;
  account.version = in.version;
  auto committed = deps_.store->commit_step(write);
  if (!committed) throw_refusal(committed.error());
  require(std::move(committed), "recording the begin of the run");
  publish(ctx, protocol::event::kRunStarted,
          {{"agent", in.agent},
           {"version", in.version},
           {"origin", out.origin},
           {"undoes", out.effects.size()},
           {"by", origin->by}},
          "run.started");
  return out;
}

void Activities::finish_undo(activity::Context& ctx, const UndoFinishInput& in) {
  Json end = {{"undone", in.undone}};
  if (!in.not_undone.empty()) end["not_undone"] = in.not_undone;
  switch (in.status) {
    case RunEnd::kCanceled:
      end["reason"] = in.error;
      return publish(ctx, protocol::event::kRunCanceled, end, "run.end");
    case RunEnd::kFailed:
      end["error_type"] = in.error_type;
      end["error"] = excerpt(in.error);
      return publish(ctx, protocol::event::kRunFailed, end, "run.end");
    default:
      end["output"] = excerpt(in.output);
      return publish(ctx, protocol::event::kRunCompleted, end, "run.end");
  }
}

}  // namespace holdfast::agent
