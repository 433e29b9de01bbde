// A run of a flow begins: its version is known, its plan is made, and what it works on is stored. One that
// another run has called is that run's part: its account, its record, and how deep such calls go.

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/call_arguments.h"
#include "activities/count_call.h"
#include "activities/granted.h"
#include "activities/spend.h"
#include "base/json.h"
#include "base/sha256.h"
#include "holdfast/failure.h"
#include "perform/one_activity.h"
#include "platform/audit_rules.h"
#include "platform/find_version.h"
#include "protocol/agent_reference.h"
#include "protocol/events.h"
#include "spec/json_schema.h"

namespace holdfast::flows {

using agent::excerpt;
using agent::require;

namespace {

protocol::AgentReference reference_of(const protocol::FlowInput& in) {
  return require(protocol::parse_agent_reference(in.flow), "the flow");
}

}  // namespace

// What an earlier attempt began with; else what the run names, or is current.
std::string FlowActivities::version_of(BlockBooks& books, const protocol::FlowInput& in) {
  if (!in.version.empty()) return in.version;
  if (const Json& begun = books.begun(); begun.contains("version"))
    return begun["version"].get<std::string>();
  const protocol::AgentReference reference = reference_of(in);
  return require(platform::find_version(*deps_.store, reference.agent, reference.version),
                 fmt::format("there is no `{}`; apply it first", in.flow))
      .hash;
}

// The arguments of the call.
std::string FlowActivities::input_of(const Program& program, const protocol::Caller& caller) {
  const std::string text = agent::call_text(*deps_.store, caller.call);
  const Json arguments = agent::bound_arguments(caller.call, text);
  if (!program.flow.input.is_null()) {
    if (auto bad = spec::validate(program.flow.input, arguments))
      throw ApplicationFailure::non_retryable("the input: " + *bad, "INVALID_ARGUMENT");
  }
  // In the order in which they were given.
  auto input = parse_json<Written>(text.empty() ? "{}" : text);
  if (caller.call.bound.is_object()) input.update(Written(caller.call.bound));
  return dump_json(input);
}

protocol::FlowPlan FlowActivities::begin(activity::Context& ctx, const protocol::FlowInput& in) {
  static const Program kNone;
  if (in.caller && in.caller->depth > protocol::kMaxAgentDepth) {
    throw ApplicationFailure::non_retryable(
        fmt::format("runs call each other more than {} deep; break the circle", protocol::kMaxAgentDepth),
        "AgentDepthError");
  }
  BlockBooks before(ctx, deps_, kNone);
  const std::string version = version_of(before, in);
  const ProgramPtr flow = program(reference_of(in).agent, version, in.item);
  BlockBooks at = books(ctx, *flow);
  protocol::FlowPlan plan = plan_of(*flow, version);
  std::string input;
  if (in.item) {
    OneActivity item = open(ctx, *flow, version, {}, {}, in.item);
    input = item.names.front().second;
    const std::vector<Origin> origins = origins_of_item(ctx, in.origins);
    if (!origins.empty()) plan.origin = origins.front().run;
  } else {
    if (in.caller) require_granted(at, *in.caller);
    input = in.caller ? input_of(*flow, *in.caller) : at.input();
    const auto origin = require(deps_.store->origin(ctx.info().workflow_id), "what the run takes up");
    if (origin) plan.origin = origin->origin;
  }
  plan.decision_key = deps_.decision_key;
  record_begin(at, in, plan, input);
  add_undoable(ctx, *flow, plan);
  return plan;
}

// Of the call that this run is.
void FlowActivities::require_granted(BlockBooks& books, const protocol::Caller& caller) {
  const auto why = agent::refusal_of(deps_.tool_grants, caller.agent, caller.call);
  if (!why) return;
  books.refused(caller.run, caller.call, *why);
  throw ApplicationFailure::non_retryable("denied: " + *why, protocol::kToolNotGranted);
}

void FlowActivities::record_begin(BlockBooks& books, const protocol::FlowInput& in, protocol::FlowPlan& plan,
                                  const std::string& input) {
  Json began = {{"agent", plan.flow},
                {"flow", plan.flow.substr(protocol::kFlowPrefix.size())},
                {"version", plan.version},
                {"planner", plan.planner},
                {"activities", plan.steps.size()},
                {"blocks", plan.rules.size()},
                {"input", excerpt(input)}};
  if (!plan.origin.empty()) began["origin"] = plan.origin;
  platform::StepWrite write;
  books.begins(write);
  const agent::RunSettings settings = books.settings(in.caller);
  plan.requester = in.caller ? in.caller->requester : settings.started_by;
  Json kept = {{"version", plan.version}, {"environment", settings.environment}};
  platform::AccountOpening& account = write.account.emplace();
  account.run = write.run;
  account.agent = plan.flow;
  account.version = plan.version;
  if (in.item) {  // what it is about, the run has that goes over it
    kept["item"] = *in.item;
    account.parent = in.caller->run;
    began["item"] = {{"of", in.item->of}, {"index", in.item->index}};
    began["parent"] = {{"run", in.caller->run}, {"step", in.caller->call.step}};
  } else if (in.caller) {
    kept["input"] = input;
    account.parent = in.caller->run;
    agent::count_call_of(*deps_.store, *in.caller, write);
    platform::rules::RunBegan row;
    row.run = write.run;
    row.agent = plan.flow;
    row.version = plan.version;
    row.by = platform::rules::actor_of_agent(in.caller->agent);
    row.input_sha256 = sha256_hex(input);
    row.environment = settings.environment;
    row.parent = in.caller->run;
    write.said.push_back(platform::rules::audit_of_start(row));
    began["parent"] = {{"run", in.caller->run}, {"step", in.caller->call.step}};
    books.tell_caller(*in.caller, protocol::event::kStepStarted,
                      {{"arguments", excerpt(input)}, {"attempt", 1}, {"version", plan.version}}, "started");
  }
  write.result = dump_json(kept);
  auto committed =
      deps_.outbox->commit_step(write, {books.event(protocol::event::kRunStarted, began, "run.started")});
  if (!committed) agent::throw_refusal(committed.error());
  const auto record = require(std::move(committed), "recording the begin of the run");
  if (record.replayed) books.publish(protocol::event::kRunStarted, began, "run.started");
  if (in.item) tell_item(books, *in.caller, *in.item);
}

}  // namespace holdfast::flows
