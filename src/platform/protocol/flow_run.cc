#include "protocol/flow_run.h"

#include "base/sha256.h"
#include "protocol/fields.h"

namespace holdfast::protocol {

namespace {

void fields(auto& archive, Is<FlowNeed> auto& v) {
  archive("block", v.block)("outlet", v.outlet);
}

void fields(auto& archive, Is<FlowRule> auto& v) {
  archive("needs", v.needs)("any", v.any);
}

void fields(auto& archive, Is<FlowEach> auto& v) {
  archive("parallel", v.parallel)("pause_ms", v.pause_ms)("runs", v.runs);
}

void fields(auto& archive, Is<FlowItem> auto& v) {
  archive("run", v.run)("of", v.of)("index", v.index);
}

void fields(auto& archive, Is<FlowStretch> auto& v) {
  archive("first", v.first)("count", v.count);
}

void fields(auto& archive, Is<FlowItemEnd> auto& v) {
  archive("key", v.key)("run", v.run)("error_type", v.error_type)("error", v.error);
}

void fields(auto& archive, Is<FlowOrigin> auto& v) {
  archive("block", v.block)("runs", v.runs);
}

void fields(auto& archive, Is<FlowTakenUp> auto& v) {
  archive("ended", v.ended)("begun", v.begun)("undoable", v.undoable);
}

void fields(auto& archive, Is<FlowOpen> auto& v) {
  archive("step", v.step)("until_ms", v.until_ms)("completion", v.completion)("completed", v.completed)(
      "parts", v.parts)("next", v.next)("call", v.call)("known", v.known)("items", v.items)("each", v.each);
}

void fields(auto& archive, Is<FlowState> auto& v) {
  archive("plan", v.plan)("taken_up", v.taken_up)("ended", v.ended)("open", v.open)("undoable", v.undoable);
}

void fields(auto& archive, Is<FlowAwaited> auto& v) {
  archive("completion", v.completion)("deadline_ms", v.deadline_ms);
}

void fields(auto& archive, Is<FlowEachInput> auto& v) {
  archive("flow", v.flow)("version", v.version)("block", v.block)("part", v.part)("parts", v.parts)(
      "ended", v.ended)("begun", v.begun)("done", v.done);
}

void fields(auto& archive, Is<FlowEachBegun> auto& v) {
  archive("parts", v.parts)("call", v.call)("known", v.known)("over", v.over)("items", v.items)("each",
                                                                                                v.each);
}

void fields(auto& archive, Is<FlowPartResult> auto& v) {
  archive("over", v.over)("failed", v.failed);
}

void fields(auto& archive, Is<FlowTakeUpInput> auto& v) {
  archive("flow", v.flow)("version", v.version)("item", v.item)("origin", v.origin)("origins", v.origins);
}

void fields(auto& archive, Is<FlowCompletedInput> auto& v) {
  archive("flow", v.flow)("version", v.version)("block", v.block)("completion", v.completion)(
      "run_ends", v.run_ends)("item", v.item);
}

void fields(auto& archive, Is<FlowStep> auto& v) {
  archive("blocks", v.blocks)("after", v.after)("wait_ms", v.wait_ms)("retry", v.retry)("each", v.each)(
      "calls", v.calls)("pure", v.pure)("undoable", v.undoable);
}

void fields(auto& archive, Is<FlowPlan> auto& v) {
  archive("flow", v.flow)("version", v.version)("planner", v.planner)("flags", v.flags)("steps", v.steps)(
      "rules", v.rules)("origin", v.origin)("decision_key", v.decision_key)("requester", v.requester);
}

void fields(auto& archive, Is<FlowInput> auto& v) {
  archive("flow", v.flow)("version", v.version)("state", v.state)("caller", v.caller)("item", v.item)(
      "origins", v.origins);
}

void fields(auto& archive, Is<FlowResult> auto& v) {
  archive("undoable", v.undoable);
}

void fields(auto& archive, Is<FlowEnded> auto& v) {
  archive("block", v.block)("outlet", v.outlet);
}

void fields(auto& archive, Is<FlowFailure> auto& v) {
  archive("block", v.block)("type", v.type)("message", v.message);
}

void fields(auto& archive, Is<FlowBlocksInput> auto& v) {
  archive("flow", v.flow)("version", v.version)("blocks", v.blocks)("ended", v.ended)("begun", v.begun)(
      "item", v.item);
}

void fields(auto& archive, Is<FlowBlocksResult> auto& v) {
  archive("ended", v.ended)("failure", v.failure)("awaits", v.awaits);
}

void fields(auto& archive, Is<FlowStepInput> auto& v) {
  archive("flow", v.flow)("version", v.version)("block", v.block)("over", v.over)("item", v.item);
}

void fields(auto& archive, Is<FlowCall> auto& v) {
  archive("planned", v.planned)("over", v.over);
}

void fields(auto& archive, Is<FlowCalledInput> auto& v) {
  archive("flow", v.flow)("version", v.version)("block", v.block)("text", v.text)("error_type", v.error_type)(
      "error", v.error)("item", v.item);
}

void fields(auto& archive, Is<FlowFinishInput> auto& v) {
  archive("flow", v.flow)("version", v.version)("status", v.status)("error_type", v.error_type)(
      "error", v.error)("ended", v.ended)("caller", v.caller)("not_undone", v.not_undone)("item", v.item)(
      "took_back", v.took_back);
}

}  // namespace

bool is_flow(std::string_view agent) {
  return agent.starts_with(kFlowPrefix);
}

std::string agent_of_flow(std::string_view flow) {
  return std::string(kFlowPrefix) + std::string(flow);
}

std::string agent_of_block(std::string_view flow_agent, std::string_view block) {
  return std::string(flow_agent) + "." + std::string(block);
}

// No name of a flow has a dot.
std::optional<BlockAgent> block_of_agent(std::string_view agent) {
  const std::size_t dot = agent.find('.');
  if (!is_flow(agent) || dot == std::string_view::npos) return std::nullopt;
  return BlockAgent{std::string(agent.substr(0, dot)), std::string(agent.substr(dot + 1))};
}

std::string flow_block_key(std::string_view namespace_name, std::string_view run, std::string_view of,
                           std::uint64_t index, std::string_view block) {
  std::string text = "flow\n";
  text.append(namespace_name).append("\n").append(run).append("\n");
  if (!of.empty()) text.append(of).append("\n").append(std::to_string(index)).append("\n");
  return sha256_hex(text.append(block));
}

std::string run_of_item(std::string_view run, std::string_view block, std::uint64_t index) {
  return std::string(run) + "." + std::string(block) + "." + std::to_string(index);
}

std::string call_arguments_key(std::string_view call_key) {
  return "arguments:" + std::string(call_key);
}

HOLDFAST_PROTOCOL_JSON(FlowNeed)
HOLDFAST_PROTOCOL_JSON(FlowRule)
HOLDFAST_PROTOCOL_JSON(FlowStep)
HOLDFAST_PROTOCOL_JSON(FlowPlan)
HOLDFAST_PROTOCOL_JSON(FlowInput)

HOLDFAST_PROTOCOL_JSON(FlowResult)
HOLDFAST_PROTOCOL_JSON(FlowEnded)
HOLDFAST_PROTOCOL_JSON(FlowFailure)
HOLDFAST_PROTOCOL_JSON(FlowBlocksInput)
HOLDFAST_PROTOCOL_JSON(FlowBlocksResult)
HOLDFAST_PROTOCOL_JSON(FlowStepInput)
HOLDFAST_PROTOCOL_JSON(FlowCall)
HOLDFAST_PROTOCOL_JSON(FlowCalledInput)
HOLDFAST_PROTOCOL_JSON(FlowFinishInput)
HOLDFAST_PROTOCOL_JSON(FlowEach)
HOLDFAST_PROTOCOL_JSON(FlowItem)
HOLDFAST_PROTOCOL_JSON(FlowStretch)
HOLDFAST_PROTOCOL_JSON(FlowItemEnd)
HOLDFAST_PROTOCOL_JSON(FlowOrigin)
HOLDFAST_PROTOCOL_JSON(FlowTakenUp)
HOLDFAST_PROTOCOL_JSON(FlowOpen)
HOLDFAST_PROTOCOL_JSON(FlowState)
HOLDFAST_PROTOCOL_JSON(FlowAwaited)
HOLDFAST_PROTOCOL_JSON(FlowEachInput)
HOLDFAST_PROTOCOL_JSON(FlowEachBegun)
HOLDFAST_PROTOCOL_JSON(FlowPartResult)
HOLDFAST_PROTOCOL_JSON(FlowTakeUpInput)
HOLDFAST_PROTOCOL_JSON(FlowCompletedInput)

}  // namespace holdfast::protocol
