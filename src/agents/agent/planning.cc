// `mode: plan`: who speaks next. The planner makes a plan, the reviewer lets it pass or sends it back to the
// planner, the executor carries out one step after the other, and the planner has the last word.
//
//   planner   made a plan        reviewer, or the executor where nobody reviews
//             said something     the run's answer
//   reviewer  approved           executor
//             rejected           planner; beyond max_rejections the run fails
//             said something     is asked again
//   executor  said something     the next step; behind the last one the planner
//             gave the plan back planner
//
// What was carried out is not carried out again: a plan that is made later says what is left.

#include <fmt/format.h>

#include "agent/loop.h"
#include "protocol/names.h"

namespace holdfast::agent {

namespace {

void begin_stage(Planning& planning, Stage stage) {
  planning.stage = stage;
  planning.told = false;
  if (stage == Stage::kReviewer) planning.approved.reset();
}

}  // namespace

void Loop::note_planning(const CallRef& call, const ToolResult& result) {
  if (!progress_.planning || result.status != ToolStatus::kDone) return;
  Planning& planning = *progress_.planning;
  if (result.approved) planning.approved = result.approved;
  if (result.planned_steps == 0) return;
  planning.proposed = call;
  planning.steps = result.planned_steps;
  planning.at = 0;
}

// Behind the calls of a turn.
void Loop::calls_answered() {
  if (!progress_.planning) return;
  Planning& planning = *progress_.planning;
  if (planning.stage == Stage::kPlanner && planning.proposed) {
    planning.approved.reset();
    begin_stage(planning,
                progress_.plan.plans && progress_.plan.plans->reviewed ? Stage::kReviewer : Stage::kExecutor);
  } else if (planning.stage == Stage::kReviewer && planning.approved) {
    if (*planning.approved) return begin_stage(planning, Stage::kExecutor);
    planning.proposed.reset();
    const int most = progress_.plan.plans ? progress_.plan.plans->max_rejections : 0;
    if (++planning.rejections > most) {
      throw ApplicationFailure::non_retryable(
          fmt::format("the reviewer rejected {} plans, and `plan.max_rejections` is {}; what was wrong is in "
                      "the conversation",
                      planning.rejections, most),
          kPlanRejected);
    }
    begin_stage(planning, Stage::kPlanner);
  } else if (planning.stage == Stage::kExecutor && planning.approved == false) {
    planning.proposed.reset();
    begin_stage(planning, Stage::kPlanner);
  }
}

// Behind an answer without calls; true: it is the run's.
bool Loop::is_last_word() {
  if (!progress_.planning) return true;
  Planning& planning = *progress_.planning;
  if (planning.stage == Stage::kPlanner) return true;
  if (planning.stage == Stage::kReviewer) {
    planning.told = false;
    return false;
  }
  ++planning.carried_out;
  planning.approved.reset();
  if (++planning.at < planning.steps) {
    begin_stage(planning, Stage::kExecutor);
  } else {
    planning.proposed.reset();
    begin_stage(planning, Stage::kPlanner);
  }
  return false;
}

}  // namespace holdfast::agent
