#include "activities/builtin_tools.h"

#include <fmt/format.h>

#include "definition/code_calls.h"

namespace holdfast::agent {

namespace {

constexpr ToolType kBuiltinType{.name = kBuiltinKind, .schema = {}};

struct Entry {
  const BuiltinTool* tool;
  ToolSpec spec;
};

// In the order of the list.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> kEntries = [] {
    std::vector<Entry> out;
#define HOLDFAST_ENTRY(one) out.push_back({&one, {}});
    HOLDFAST_BUILTIN_TOOLS(HOLDFAST_ENTRY)
#undef HOLDFAST_ENTRY
    for (Entry& entry : out) {
      entry.spec.name = entry.tool->name;
      entry.spec.description = entry.tool->description;
      entry.spec.type = &kBuiltinType;
      entry.spec.effect = Effect::kPure;
      entry.spec.parameters = Json::parse(entry.tool->parameters);
    }
    return out;
  }();
  return kEntries;
}

}  // namespace

std::vector<const ToolSpec*> builtin_tools(const AgentDefinition& agent) {
  std::vector<const ToolSpec*> out;
  for (const Entry& entry : entries()) {
    if (entry.tool->offered(agent) && !agent.find_tool(entry.tool->name)) out.push_back(&entry.spec);
  }
  return out;
}

const BuiltinTool* builtin_of(const ToolSpec& tool) {
  if (tool.type != &kBuiltinType) return nullptr;
  for (const Entry& entry : entries()) {
    if (&entry.spec == &tool) return entry.tool;
  }
  return nullptr;
}

const ToolSpec* tool_named(const AgentDefinition& agent, std::string_view name) {
  if (const ToolSpec* own = agent.find_tool(name)) return own;
  for (const ToolSpec* tool : builtin_tools(agent)) {
    if (tool->name == name) return tool;
  }
  return nullptr;
}

// What stays the same comes first, what was found last: a cached prompt is one up to there.
std::vector<const ToolSpec*> offered_tools(const AgentDefinition& agent,
                                           const std::vector<std::string>& loaded, std::string_view role) {
  std::vector<const ToolSpec*> out;
  for (const ToolSpec& tool : agent.tools) {
    if (is_loaded(agent, tool, {})) out.push_back(&tool);
  }
  for (const ToolSpec* tool : builtin_tools(agent)) out.push_back(tool);
  for (const std::string& name : loaded) {
    const ToolSpec* tool = agent.find_tool(name);
    if (tool && !is_loaded(agent, *tool, {})) out.push_back(tool);
  }
  std::erase_if(out, [&](const ToolSpec* tool) { return !is_offered(agent, *tool, role); });
  return out;
}

bool is_offered(const AgentDefinition& agent, const ToolSpec& tool, std::string_view role) {
  const BuiltinTool* builtin = builtin_of(tool);
  if (builtin == &kMakePlan) return role == to_string(protocol::Stage::kPlanner);
  if (builtin == &kReviewPlan) return role == to_string(protocol::Stage::kReviewer);
  if (builtin == &kRevisePlan) return role == to_string(protocol::Stage::kExecutor);
  return builtin != nullptr || is_for_role(agent.orchestration, tool, role);
}

Ruling ruling_of(const AgentDefinition& agent, const ToolSpec& tool, const Json& arguments,
                 const PolicyFacts& facts) {
  const BuiltinTool* builtin = builtin_of(tool);
  if (!builtin) return check_policy(agent.approvals, tool.name, arguments, facts);
  if (builtin != &kMakePlan) return {};
  ApprovalSpec own = agent.approvals;
  own.fallback = Action::kAllow;
  std::erase_if(own.rules, [](const ApprovalRule& rule) { return rule.tool != kMakePlanName; });
  return check_policy(own, tool.name, arguments, facts);
}

bool is_judged_late(const AgentDefinition& agent, const ToolSpec& tool) {
  return !builtin_of(tool) && reads_history(agent.approvals, tool.name);
}

std::string description_of(const AgentDefinition& agent, const ToolSpec& tool) {
  const BuiltinTool* builtin = builtin_of(tool);
  if (builtin && builtin->describe) return builtin->describe(agent);
  if (tool.type->name == kCodeType) return code_description(agent, tool);
  if (!tool.detached) return tool.description;
  return tool.description + (tool.description.empty() ? "" : " ") +
         "(It is started and not waited for: you are told later, without asking, when it has ended.)";
}

std::string no_such_tool(const AgentDefinition& agent, std::string_view name) {
  if (searches_tools(agent)) {
    return fmt::format("there is no tool `{}`; find the one you need with `{}`", name, kSearchTools.name);
  }
  std::string names;
  for (const ToolSpec& one : agent.tools) names += (names.empty() ? "" : ", ") + one.name;
  return fmt::format("there is no tool `{}`; the tools are: {}", name, names.empty() ? "none" : names);
}

}  // namespace holdfast::agent
