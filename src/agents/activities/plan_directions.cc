// What a role of an agent that plans is told when it is its turn, as its user would: it stands in the
// conversation like everything else that was said.

#include <fmt/format.h>

#include "activities/activities.h"
#include "base/json.h"
#include "protocol/events.h"

namespace holdfast::agent {

namespace {

constexpr const char* kFirstPlan =
    "Make a plan before anything is done: call `make_plan` with the steps that answer the request. Each step "
    "is "
    "carried out by itself, so say in it all that is needed. If nothing is to be done, answer the request.";
constexpr const char* kAnotherPlan =
    "The plan was sent back, and why is said above. Call `make_plan` with the steps that are left to be "
    "done, so "
    "that it takes that up. If nothing can be done any more, give the answer to the request.";
constexpr const char* kPlanIsDone =
    "Every step of the plan was carried out. If something is left to be done, call `make_plan` with the "
    "steps "
    "that are left. Otherwise give the answer to the request.";
constexpr const char* kReview =
    "You review the plan above: nothing of it was carried out yet. Say with `review_plan` whether it may be.";

std::string to_the_planner(const Planning& planning) {
  if (planning.approved && !*planning.approved) return kAnotherPlan;
  return planning.carried_out > 0 ? kPlanIsDone : kFirstPlan;
}

}  // namespace

bool may_be_final(const ModelInput& in) {
  return !in.planning || in.planning->stage == Stage::kPlanner;
}

void Activities::add_directions(activity::Context& ctx, const ModelInput& in,
                                std::vector<model::Message>& messages) {
  if (!in.planning || in.planning->told) return;
  const Planning& planning = *in.planning;
  Json event = {{"stage", to_string(planning.stage)}};
  std::string text;
  if (planning.stage == Stage::kPlanner) {
    text = to_the_planner(planning);
  } else if (planning.stage == Stage::kReviewer) {
    text = kReview;
  } else {
    if (!planning.proposed)
      throw ApplicationFailure::non_retryable("there is no plan to carry out", "INTERNAL");
    const Json steps = arguments_of(*planning.proposed).at("steps");
    const auto step = steps.at(static_cast<std::size_t>(planning.at)).get<std::string>();
    text = fmt::format(
        "Carry out step {} of {} of the plan, and nothing of the others. Then say what came of it.\n\n{}",
        planning.at + 1, steps.size(), step);
    event.update({{"plan_step", planning.at + 1}, {"of", steps.size()}, {"text", excerpt(step)}});
  }
  messages.push_back(model::Message::user(text));
  publish(ctx, protocol::event::kPlanStage, event, fmt::format("plan/{}", in.iteration));
}

}  // namespace holdfast::agent
