#include "definition/definition.h"

#include <array>

#include <fmt/format.h>

#include "base/json.h"
#include "base/sha256.h"
#include "definition/model_section.h"
#include "spec/duration.h"

namespace holdfast::agent {

namespace {

Json tool_json(const ToolSpec& tool) {
  const ToolType& type = *tool.type;
  Json out = {{"name", tool.name}, {"type", type.name}, {"parameters", tool.parameters}};
  if (!tool.description.empty()) out["description"] = tool.description;
  if (type.has_attempts) {
    out["timeout"] = spec::format_duration(tool.timeout);
    out["retry"] = retry_json(tool.retry);
  }
  if (type.has_effect) out["effect"] = to_string(tool.effect);
  if (!tool.bind.empty()) out["bind"] = bind_json(tool.bind);
  out[std::string(type.name)] = type.canonical(tool);
  add_hooks(out, tool.hooks);
  add_detached(out, tool.detached);
  return out;
}

Json rule_json(const ApprovalRule& rule) {
  Json out = {{"tool", rule.tool}, {"action", to_string(rule.action)}};
  if (rule.when) out["when"] = rule.when->text();
  if (!rule.reason.empty()) out["reason"] = rule.reason;
  if (rule.expires_after && rule.action == Action::kAsk)
    out["expires_after"] = spec::format_duration(*rule.expires_after);
  add_rule_terms(out, rule.terms);
  return out;
}

}  // namespace

const ToolSpec* AgentDefinition::find_tool(std::string_view tool) const {
  for (const ToolSpec& one : tools) {
    if (one.name == tool) return &one;
  }
  return nullptr;
}

const ToolType* Catalog::find_tool(std::string_view name) const {
  for (const ToolType* type : tools) {
    if (type->name == name) return type;
  }
  return nullptr;
}

void close_parameters(AgentDefinition& definition) {
  for (ToolSpec& tool : definition.tools) tool.parameters.emplace("additionalProperties", false);
}

std::string canonical_json(const AgentDefinition& definition) {
  Json tools = Json::array();
  for (const ToolSpec& tool : definition.tools) tools.push_back(tool_json(tool));
  Json rules = Json::array();
  for (const ApprovalRule& rule : definition.approvals.rules) rules.push_back(rule_json(rule));
  Json metadata = {{"name", definition.name}};
  if (!definition.description.empty()) metadata["description"] = definition.description;
  if (!definition.team.empty()) metadata["team"] = definition.team;
  const ApprovalSpec& approvals = definition.approvals;
  const Limits& limits = definition.limits;
  Json out = {{"apiVersion", "holdfast.dev/v1"},
              {"kind", "Agent"},
              {"metadata", metadata},
              {"spec",
               {{"prompt", definition.prompt},
                {"tools", tools},
                {"approvals",
                 {{"default", to_string(approvals.fallback)},
                  {"expires_after", spec::format_duration(approvals.expires_after)},
                  {"on_expiry", approvals.approve_on_expiry ? "approve" : "reject"},
                  {"rules", rules}}},
                {"limits",
                 {{"max_iterations", limits.max_iterations},
                  {"run_timeout", spec::format_duration(limits.run_timeout)},
                  {"max_parallel_tools", limits.max_parallel_tools},
                  {"max_tool_output_bytes", limits.max_tool_output_bytes}}}}}};
  add_policy_terms(out["spec"]["approvals"], approvals.terms);
  write_models(definition, out["spec"]);
  if (Json budgets = budgets_json(definition.budgets); !budgets.is_null()) out["spec"]["budgets"] = budgets;
  if (definition.context) out["spec"]["context"] = context_json(*definition.context);
  for (const auto& server : definition.mcp_servers)
    out["spec"]["mcp_servers"].push_back(mcp_server_json(*server));
  if (!definition.output_schema.is_null()) out["spec"]["output_schema"] = definition.output_schema;
  add_steering(out["spec"], definition.steering);
  add_orchestration(out["spec"], definition.orchestration);
  if (!definition.skills.empty()) out["spec"]["skills"] = skills_json(definition.skills);
  if (definition.tools_loading.given)
    out["spec"]["tools_loading"] = tools_loading_json(definition.tools_loading);
  if (!definition.notify.empty()) out["spec"]["notify"] = notify_json(definition.notify);
  if (definition.flow) out["spec"]["flow"] = flow_json(*definition.flow);
  // A string that is no UTF-8 cannot come out of the YAML parser; `replace` keeps dump from throwing all the
  // same.
  return dump_json(out);
}

std::string version_of(const AgentDefinition& definition) {
  return sha256_hex(canonical_json(definition));
}

std::string_view to_string(Action action) {
  static constexpr std::array<std::string_view, 3> kNames = {"allow", "deny", "ask"};
  return kNames[static_cast<std::size_t>(action)];
}

}  // namespace holdfast::agent
