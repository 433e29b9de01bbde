#include "perform/flow_activities.h"

#include <fmt/format.h>

#include "activities/activities.h"
#include "base/json.h"
#include "block/respond_block.h"
#include "block/values.h"
#include "holdfast/failure.h"
#include "protocol/events.h"

namespace holdfast::flows {

using agent::excerpt;
using agent::require;
using protocol::RunEnd;

FlowActivities::ProgramPtr FlowActivities::program(const std::string& flow, const std::string& version) {
  {
    std::lock_guard lock(mutex_);
    auto found = programs_.find(version);
    if (found != programs_.end() && protocol::agent_of_flow(found->second->flow.name) == flow)
      return found->second;
  }
  const auto stored = require(deps_.store->definition(flow, version), "the definition of the flow");
  auto read = std::make_shared<const Program>(
      require(read_program(stored.text, flow), "the stored definition of the flow"));
  std::lock_guard lock(mutex_);
  if (programs_.size() >= kMaxCachedPrograms) programs_.clear();
  programs_[version] = read;
  return read;
}

BlockBooks FlowActivities::books(activity::Context& ctx, const Program& program) {
  return {ctx, deps_, program};
}

protocol::FlowPlan FlowActivities::begin(activity::Context& ctx, const protocol::FlowInput& in) {
  const ProgramPtr flow = program(in.flow, in.version);
  protocol::FlowPlan plan = plan_of(*flow, in.version);
  BlockBooks at = books(ctx, *flow);
  const auto origin = require(deps_.store->origin(ctx.info().workflow_id), "what the run takes up");
  if (origin) plan.origin = origin->origin;
  Json started = {{"agent", in.flow},
                  {"flow", flow->flow.name},
                  {"version", in.version},
                  {"planner", plan.planner},
                  {"activities", plan.steps.size()},
                  {"blocks", plan.rules.size()},
                  {"input", excerpt(at.input())}};
  if (origin) started["origin"] = origin->origin;
  at.publish(protocol::event::kRunStarted, started, "run.started");
  return plan;
}

void FlowActivities::step(activity::Context& ctx, const protocol::FlowStepInput& in) {
  const ProgramPtr flow = program(in.flow, in.version);
  BlockBooks at = books(ctx, *flow);
  if (!in.over) return at.wait_started(in.block);
  BlockOutcome outcome;
  outcome.value = "null";
  at.ended(in.block, outcome);
  at.flush();
}

// ---- the end

namespace {

// A value that the history has no room for is told by its beginning; one that no reader would get as it is (a
// number beyond 64 bits), as its text.
Json output_of(BlockBooks& books, std::size_t block) {
  std::string value;
  try {
    value = books.value(block);
  } catch (const TooLarge& large) {
    return {{"too_large", {{"reason", large.what()}}}};
  }
  if (value.size() > kMaxOutputBytes)
    return {{"too_large", {{"bytes", value.size()}, {"beginning", excerpt(value)}}}};
  auto read = read_json(value, kMaxJsonDepth, Integers::kExact);
  return read ? *std::move(read) : Json(value);
}

}  // namespace

Json FlowActivities::end_event(BlockBooks& books, const Program& program, const protocol::FlowFinishInput& in,
                               protocol::FlowResult& result) {
  Json skipped = Json::array();
  for (const protocol::FlowEnded& one : in.ended) {
    if (one.outlet == protocol::kFlowSkipped) skipped.push_back(program.flow.blocks.at(one.block).id);
  }
  if (const auto block = speaker(program, in.ended)) result.output = output_of(books, *block);
  return {{"output", result.output.is_string() ? Json(excerpt(result.output.get<std::string>()))
                                               : Json(excerpt(dump_json(result.output)))},
          {"skipped", std::move(skipped)}};
}

protocol::FlowResult FlowActivities::finish(activity::Context& ctx, const protocol::FlowFinishInput& in) {
  protocol::FlowResult result;
  static const Program kNone;  // a run whose definition cannot be read ends all the same
  const bool completed = in.status == RunEnd::kCompleted;
  const ProgramPtr flow = completed ? program(in.flow, in.version) : nullptr;
  BlockBooks at = books(ctx, flow ? *flow : kNone);
  if (completed) {
    at.publish(protocol::event::kRunCompleted, end_event(at, *flow, in, result), "run.end");
  } else if (in.status == RunEnd::kCanceled) {
    at.publish(protocol::event::kRunCanceled, {{"reason", in.error}}, "run.end");
  } else {
    at.publish(protocol::event::kRunFailed, {{"error_type", in.error_type}, {"error", in.error}}, "run.end");
  }
  return result;
}

}  // namespace holdfast::flows
