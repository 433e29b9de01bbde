#include "protocol/run.h"

#include "protocol/fields.h"
#include "protocol/words.h"

namespace holdfast::protocol {

namespace {

constexpr Words kStages("stage of a plan",
                        {Word{Stage::kPlanner, "planner"}, Word{Stage::kReviewer, "reviewer"},
                         Word{Stage::kExecutor, "executor"}});

void fields(auto& archive, Is<Caller> auto& v) {
  archive("run", v.run)("agent", v.agent)("version", v.version)("call", v.call)("depth", v.depth)(
      "settings", v.settings)("for_each", v.for_each)("item", v.item)("requester", v.requester);
}

void fields(auto& archive, Is<Tokens> auto& v) {
  archive("input_tokens", v.input_tokens)("output_tokens", v.output_tokens)(
      "cached_input_tokens", v.cached_input_tokens)("cache_write_tokens", v.cache_write_tokens)(
      "reasoning_tokens", v.reasoning_tokens);
}

void fields(auto& archive, Is<PlanRules> auto& v) {
  archive("reviewed", v.reviewed)("max_rejections", v.max_rejections);
}

void fields(auto& archive, Is<Planning> auto& v) {
  archive("stage", v.stage)("told", v.told)("proposed", v.proposed)("steps", v.steps)("at", v.at)(
      "approved", v.approved)("rejections", v.rejections)("carried_out", v.carried_out);
}

void fields(auto& archive, Is<Plan> auto& v) {
  archive("agent", v.agent)("version", v.version)("flags", v.flags)("max_iterations", v.max_iterations)(
      "max_parallel_tools", v.max_parallel_tools)("run_timeout_ms", v.run_timeout_ms)(
      "wall_deadline_ms", v.wall_deadline_ms)("model_timeout_ms", v.model_timeout_ms)(
      "model_retry", v.model_retry)("steering", v.steering)("park_on_failure", v.park_on_failure)(
      "stop_on_reject", v.stop_on_reject)("settings", v.settings)("notifies", v.notifies)(
      "one_activity", v.one_activity)("plans", v.plans)("decision_key", v.decision_key)("watched", v.watched)(
      "requester", v.requester);
}

void fields(auto& archive, Is<Progress> auto& v) {
  archive("plan", v.plan)("head", v.head)("answers", v.answers)("iteration", v.iteration)("step", v.step)(
      "usage", v.usage)("deadline_ms", v.deadline_ms)("messages", v.messages)(
      "known_messages", v.known_messages)("hold", v.hold)("undoable", v.undoable)(
      "interruptions", v.interruptions)("interrupted_step", v.interrupted_step)(
      "told_to_mend", v.told_to_mend)("to_mend", v.to_mend)("wall_deadline_ms", v.wall_deadline_ms)(
      "loaded", v.loaded)("told_tokens", v.told_tokens)("compacted", v.compacted)("detached", v.detached)(
      "ended", v.ended)("planning", v.planning)("past", v.past)("past_lost", v.past_lost)("allowed",
                                                                                          v.allowed);
}

void fields(auto& archive, Is<BudgetNews> auto& v) {
  archive("run", v.run)("wall_deadline_ms", v.wall_deadline_ms);
}

void fields(auto& archive, Is<RunInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("input", v.input)("conversation", v.conversation)(
      "caller", v.caller)("progress", v.progress)("context", v.context)("notify", v.notify)("single",
                                                                                            v.single);
}

void fields(auto& archive, Is<RunResult> auto& v) {
  archive("output", v.output)("iterations", v.iterations)("usage", v.usage)(
      "max_iterations_reached", v.max_iterations_reached)("undoable", v.undoable);
}

}  // namespace

HOLDFAST_PROTOCOL_JSON(Caller)
HOLDFAST_PROTOCOL_JSON(Tokens)
HOLDFAST_PROTOCOL_WORDS(Stage, kStages)
HOLDFAST_PROTOCOL_JSON(PlanRules)
HOLDFAST_PROTOCOL_JSON(Planning)
HOLDFAST_PROTOCOL_JSON(Plan)
HOLDFAST_PROTOCOL_JSON(Progress)
HOLDFAST_PROTOCOL_JSON(BudgetNews)
HOLDFAST_PROTOCOL_JSON(RunInput)
HOLDFAST_PROTOCOL_JSON(RunResult)

void add(Tokens& to, const Tokens& more) {
  to.input_tokens += more.input_tokens;
  to.output_tokens += more.output_tokens;
  to.cached_input_tokens += more.cached_input_tokens;
  to.cache_write_tokens += more.cache_write_tokens;
  to.reasoning_tokens += more.reasoning_tokens;
}

}  // namespace holdfast::protocol
