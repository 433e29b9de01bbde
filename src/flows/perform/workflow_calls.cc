// Calls that the workflow makes itself, of people, agents, models and flows. Before one its arguments are
// filled in and stored, and behind it stands what the block came to: the workflow sees neither.

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/granted.h"
#include "agent/pending.h"
#include "base/byte_order_mark.h"
#include "base/json.h"
#include "base/sha256.h"
#include "block/values.h"
#include "holdfast/failure.h"
#include "perform/one_activity.h"
#include "protocol/events.h"
#include "protocol/human_question.h"
#include "protocol/names.h"

namespace holdfast::flows {

using agent::require;
using protocol::PlannedCall;

namespace {

// Of one call: a model is told them, or a person reads them.
constexpr std::size_t kMaxCallBytes = 1 << 20;

// A flow says JSON. Of an agent an object or a list that was said in JSON is one; everything else is a text.
std::string value_of(const FlowBlock& block, const std::string& text) {
  const std::string_view said = behind_byte_order_mark(text);
  const Json read = parse_json(said);
  const bool json = block.type->name == kFlowBlock.type ? !read.is_discarded() : read.is_structured();
  return json ? std::string(said) : dump_json(Json(text));
}

std::unexpected<BlockFailure> failed(std::string_view type, std::string message) {
  return std::unexpected(BlockFailure{std::string(type), std::move(message)});
}

}  // namespace

// Tool grants; what is told with it is that they refused.
std::optional<BlockFailure> FlowActivities::not_granted(OneActivity& at, std::size_t block) {
  if (deps_.tool_grants == nullptr || deps_.tool_grants->empty()) return std::nullopt;
  const protocol::CallRef call = at.books.call(block);
  const auto why = agent::refusal_of(deps_.tool_grants, protocol::agent_of_flow(at.program.flow.name), call);
  if (!why) return std::nullopt;
  at.books.refused(at.ctx.info().workflow_id, call, *why);
  return BlockFailure{protocol::kToolNotGranted, "denied: " + *why};
}

std::expected<PlannedCall, BlockFailure> FlowActivities::planned(OneActivity& at, std::size_t block) {
  const BoundBlock& bound = at.program.blocks[block];
  const agent::ToolSpec& tool = *bound.tool;
  if (auto refusal = not_granted(at, block)) return std::unexpected(*std::move(refusal));
  Values values(at.program.flow, at.program.flow.blocks[block], bound, at.sources(*this));
  const BlockResult filled = bound.type->run(bound, values);
  if (!filled) return std::unexpected(filled.error());
  if (filled->value.size() > kMaxCallBytes)
    return failed("output_limit", fmt::format("its arguments have {} bytes, at most {} are allowed",
                                              filled->value.size(), kMaxCallBytes));
  const auto arguments = read_json(filled->value, kMaxJsonDepth, Integers::kExact);
  if (!arguments) return failed("ValueError", std::string(arguments.error().message()));
  PlannedCall out;
  out.call = at.books.call(block);
  out.kind = tool.type->name;
  out.verdict = protocol::Verdict::kAllow;
  out.timeout_ms = tool.timeout.count();
  platform::StepWrite write;
  write.key = protocol::call_arguments_key(out.call.key);
  write.run = at.ctx.info().workflow_id;
  write.result = filled->value;  // its members as they were written
  out.arguments_sha256 = sha256_hex(dump_json(*arguments));
  if (bound.type->plan) {
    bound.type->plan({bound, protocol::agent_of_flow(at.program.flow.name), at.version}, out);
  } else if (tool.type->plan) {
    if (auto bad = tool.type->plan({tool, *arguments, deps_.clock->now()}, out))
      return failed("ToolError", *std::move(bad));
  }
  require(deps_.store->commit_step(write), "storing the arguments of a call");
  return out;
}

protocol::FlowCall FlowActivities::call(activity::Context& ctx, const protocol::FlowStepInput& in) {
  const ProgramPtr flow = program(in.flow, in.version, in.item);
  OneActivity at = open(ctx, *flow, in.version, {}, {}, in.item);
  protocol::FlowCall out;
  if (const auto known = at.books.find(in.block)) {
    at.books.tell_again(in.block, *known);
    out.over = ended_as(*flow, in.block, *known);
    return out;
  }
  auto call = planned(at, in.block);
  if (!call) {
    at.books.started(in.block, "");
    const BlockOutcome outcome = BlockOutcome::of(std::unexpected(call.error()));
    at.books.ended(in.block, outcome);
    at.books.flush();
    out.over = ended_as(*flow, in.block, outcome);
    return out;
  }
  out.planned = *std::move(call);
  // A child tells of its beginning itself, with its id.
  if (flow->flow.blocks[in.block].type->human) {
    const auto question = out.planned.input.get<protocol::HumanQuestion>();
    at.books.step_started(in.block, {{"question", agent::excerpt(question.text)},
                                     {"approval", agent::question_id(out.planned.call.key)}});
  }
  return out;
}

protocol::FlowBlocksResult FlowActivities::called(activity::Context& ctx,
                                                  const protocol::FlowCalledInput& in) {
  const ProgramPtr flow = program(in.flow, in.version, in.item);
  BlockBooks at = books(ctx, *flow);
  if (const auto known = at.find(in.block)) {
    at.tell_again(in.block, *known);
    return ended_as(*flow, in.block, *known);
  }
  BlockOutcome outcome;
  if (!in.error_type.empty()) {
    outcome = BlockOutcome::of(std::unexpected(BlockFailure{in.error_type, in.error}));
  } else if (!in.text.empty()) {
    outcome.value = in.text;
  } else {
    outcome.value = value_of(flow->flow.blocks[in.block], at.redacted(at.said(in.block)));
  }
  at.ended(in.block, outcome);
  at.flush();
  return ended_as(*flow, in.block, outcome);
}

}  // namespace holdfast::flows
