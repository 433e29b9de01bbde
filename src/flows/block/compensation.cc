#include "block/compensation.h"

#include <fmt/format.h>

#include <algorithm>

#include "block/tool_call.h"
#include "block/values.h"
#include "block/with_schema.h"
#include "definition/agent_in_flow.h"
#include "definition/hook_arguments.h"
#include "definition/model_section.h"
#include "definition/names.h"
#include "definition/written_arguments.h"
#include "plan/graph.h"
#include "spec/duration.h"
#include "spec/reference_template.h"
#include "tool/activity_tool.h"

namespace holdfast::flows {

namespace {

using agent::Effect;
using agent::ToolSpec;
using agent::ToolType;
using std::chrono::hours;
using std::chrono::milliseconds;

// Of a tool's name.
constexpr std::size_t kMaxName = 64;

// Those that a block can call.
std::vector<const ToolType*> usable_types() {
  std::vector<const ToolType*> out;
  for (const agent::ActivityTool* tool : agent::activity_tools()) {
    if (tool->type.notifies || find_runnable_block(tool->type.name)) out.push_back(&tool->type);
  }
  return out;
}

std::string needs_a_section(const std::vector<const ToolType*>& types) {
  std::vector<std::string_view> names;
  for (const ToolType* type : types) names.push_back(type->name);
  return fmt::format("needs the section of the one tool that does it: {}", agent::alternatives(names));
}

// Why the block can have none; empty: it can.
std::string_view refusal(const FlowBlock& spec, const ToolSpec* tool) {
  const std::string_view type = spec.type->name;
  if (type == kAgentBlock.type || type == kFlowBlock.type)
    return "what is called says itself what takes its effects back; say it there";
  if (tool == nullptr || !tool->type->in_activity || tool->effect == Effect::kPure)
    return "this block has no effect of its own that could be undone; remove it";
  if (tool->type->notifies) return "what was told cannot be taken back; remove it";
  return {};
}

// An effect may be taken back long after the run: there is nothing left that evaluates.
bool has_expression(const Json& tree) {
  if (is_template(tree)) return true;
  return tree.is_structured() && std::ranges::any_of(tree, has_expression);
}

void check_arguments(spec::MapReader& in, const Json& arguments, const ToolSpec& tool) {
  if (has_expression(arguments)) {
    in.problem("arguments",
               "{{ }} is not filled in here; write {result.NAME}, {arguments.NAME} or {key}, which are those "
               "of the call that is taken back");
  }
  constexpr std::string_view kOfCall = "arguments.";
  std::vector<std::string> given;
  for (const auto& [name, unused] : tool.parameters.at("properties").items()) given.push_back(name);
  for (const std::string& path : spec::references(arguments)) {
    if (!path.starts_with(kOfCall)) continue;
    const std::string_view rest = std::string_view(path).substr(kOfCall.size());
    const std::string name(rest.substr(0, rest.find('.')));
    if (std::ranges::find(given, name) != given.end()) continue;
    const std::string_view near = spec::nearest_name(name, given);
    in.problem("arguments", fmt::format("`{{{}}}`: the block gives no argument `{}`{}", path, name,
                                        near.empty() ? "" : fmt::format("; did you mean `{}`?", near)));
  }
}

}  // namespace

void read_compensation(spec::MapReader& block, const FlowBlock& spec, std::string_view base_directory,
                       BoundBlock& out) {
  const std::string_view why = refusal(spec, out.tool.get());
  if (!why.empty()) return block.problem("compensate", why);
  spec::MapReader in = block.map("compensate");
  agent::HookCall call;
  call.tool = agent::undo_tool(spec.id);
  if (call.tool.size() > kMaxName)
    block.problem("compensate", fmt::format("the id of a block that has one has {} characters at most",
                                            kMaxName - agent::undo_tool("").size()));
  agent::parse_hook_arguments(in, {"result", "arguments", "key"}, call);
  check_arguments(in, call.arguments, *out.tool);
  auto undo = std::make_shared<ToolSpec>();
  undo->name = call.tool;
  undo->parameters = agent::parameters_like(spec::in_order(call.arguments, in.child("arguments")));
  undo->parameters["type"] = "object";
  const std::vector<const ToolType*> types = usable_types();
  const ToolType* type = only_section(in, types);
  if (type == nullptr) return block.problem("compensate", needs_a_section(types));
  read_section(*type, in, base_directory, *undo);
  undo->timeout = in.duration("timeout", type->timeout, milliseconds(10), hours(1));
  if (undo->effect == Effect::kPure)
    block.problem("compensate", "what undoes an effect has one itself; say in it which `effect`");
  undo->retry = agent::parse_retry(in, undo->retry);
  in.finish();
  auto tool = std::make_shared<ToolSpec>(*out.tool);
  tool->hooks.compensate = std::move(call);
  out.tool = std::move(tool);
  out.undo = std::move(undo);
}

bool can_be_compensated(std::string_view type) {
  const agent::ActivityTool* tool = agent::find_activity_tool(type);
  return tool != nullptr && !tool->type.notifies;
}

std::vector<std::string> compensated_in(const Program& body) {
  std::vector<std::string> out;
  for (const std::size_t block : topological_order(graph_of(body.flow))) {
    if (body.blocks[block].undo) out.push_back(body.flow.blocks[block].id);
  }
  return out;
}

Json compensation_json(const BoundBlock& block) {
  const ToolSpec& undo = *block.undo;
  Json out = {{std::string(undo.type->name), undo.type->canonical(undo)},
              {"arguments", block.tool->hooks.compensate->arguments},
              {"timeout", spec::format_duration(undo.timeout)},
              {"retry", agent::retry_json(undo.retry)}};
  if (undo.type->has_effect) out["effect"] = to_string(undo.effect);
  return out;
}

void write_compensation(const BoundBlock& block, Written& compensate) {
  write_section(*block.undo, compensate);
  compensate["arguments"] =
      agent::in_order_of(block.undo->parameters, block.tool->hooks.compensate->arguments);
}

Json compensation_schema() {
  Json out = call_schema(usable_types());
  out["description"] = "The call that takes the effect back when the run does not succeed, or on request.";
  out["properties"]["arguments"]["description"] =
      "Values of its arguments; texts may hold {result.NAME}, {arguments.NAME} and {key} of the block's "
      "call.";
  out["properties"]["timeout"] = {{"$ref", "#/$defs/duration"}};
  out["properties"]["retry"] = {{"$ref", "#/$defs/retry"}};
  return out;
}

}  // namespace holdfast::flows
