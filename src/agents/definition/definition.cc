#include "definition/definition.h"

#include <array>

#include <fmt/format.h>

#include "base/json.h"
#include "base/sha256.h"
#include "spec/duration.h"

namespace holdfast::agent {

namespace {

Json retry_json(const RetrySpec& retry) {
  return {{"initial", format_duration(retry.initial)},
          {"backoff", retry.backoff},
          {"max_interval", format_duration(retry.max_interval)},
          {"attempts", retry.attempts}};
}

Json model_json(const ModelSpec& model) {
  Json out = {{"provider", to_string(model.provider)},
              {"name", model.name},
              {"max_tokens", model.max_tokens},
              {"timeout", format_duration(model.timeout)},
              {"idle_timeout", format_duration(model.idle_timeout)},
              {"retry", retry_json(model.retry)}};
  if (!model.base_url.empty()) out["base_url"] = model.base_url;
  if (!model.api_key_env.empty()) out["api_key_env"] = model.api_key_env;
  if (model.temperature) out["temperature"] = *model.temperature;
  return out;
}

Json http_json(const HttpTool& http) {
  Json out = {{"method", http.method}, {"url", http.url}, {"max_response_bytes", http.max_response_bytes}};
  if (!http.headers.empty()) out["headers"] = http.headers;
  if (!http.body.is_null()) out["body"] = http.body;
  return out;
}

Json sql_json(const SqlTool& sql) {
  return {{"database", sql.database},
          {"statement", sql.statement},
          {"read_only", sql.read_only},
          {"max_rows", sql.max_rows},
          {"max_bytes", sql.max_bytes}};
}

Json tool_json(const ToolSpec& tool) {
  Json out = {{"name", tool.name},
              {"type", to_string(tool.kind)},
              {"parameters", tool.parameters},
              {"timeout", format_duration(tool.timeout)},
              {"retry", retry_json(tool.retry)}};
  if (!tool.description.empty()) out["description"] = tool.description;
  switch (tool.kind) {
    case ToolKind::kHttp: out["http"] = http_json(tool.http); break;
    case ToolKind::kSql: out["sql"] = sql_json(tool.sql); break;
    case ToolKind::kAgent: out["agent"] = tool.agent.agent; break;
  }
  if (tool.kind != ToolKind::kAgent) out["effect"] = to_string(tool.effect);
  return out;
}

Json rule_json(const ApprovalRule& rule) {
  Json out = {{"tool", rule.tool}, {"action", to_string(rule.action)}};
  if (rule.when) out["when"] = rule.when->text();
  if (!rule.reason.empty()) out["reason"] = rule.reason;
  if (rule.expires_after && rule.action == Action::kAsk)
    out["expires_after"] = format_duration(*rule.expires_after);
  return out;
}

}  // namespace

const ToolSpec* Definition::find_tool(std::string_view tool) const {
  for (const ToolSpec& one : tools) {
    if (one.name == tool) return &one;
  }
  return nullptr;
}

void close_parameters(Definition& definition) {
  for (ToolSpec& tool : definition.tools) tool.parameters.emplace("additionalProperties", false);
}

std::string canonical_json(const Definition& definition) {
  Json tools = Json::array();
  for (const ToolSpec& tool : definition.tools) tools.push_back(tool_json(tool));
  Json rules = Json::array();
  for (const ApprovalRule& rule : definition.approvals.rules) rules.push_back(rule_json(rule));
  Json metadata = {{"name", definition.name}};
  if (!definition.description.empty()) metadata["description"] = definition.description;
  const ApprovalSpec& approvals = definition.approvals;
  const Limits& limits = definition.limits;
  Json out = {{"apiVersion", "holdfast.dev/v1"},
              {"kind", "Agent"},
              {"metadata", metadata},
              {"spec",
               {{"model", model_json(definition.model)},
                {"prompt", definition.prompt},
                {"tools", tools},
                {"approvals",
                 {{"default", to_string(approvals.fallback)},
                  {"expires_after", format_duration(approvals.expires_after)},
                  {"on_expiry", approvals.approve_on_expiry ? "approve" : "reject"},
                  {"rules", rules}}},
                {"limits",
                 {{"max_iterations", limits.max_iterations},
                  {"run_timeout", format_duration(limits.run_timeout)},
                  {"max_parallel_tools", limits.max_parallel_tools},
                  {"max_tool_output_bytes", limits.max_tool_output_bytes}}}}}};
  // A string that is no UTF-8 cannot come out of the YAML parser; `replace` keeps dump from throwing all the
  // same.
  return dump_json(out);
}

std::string version_of(const Definition& definition) {
  return sha256_hex(canonical_json(definition));
}

std::string_view to_string(Provider provider) {
  return provider == Provider::kOpenAi ? "openai" : "anthropic";
}

std::string_view to_string(Effect effect) {
  static constexpr std::array<std::string_view, 4> kNames = {"pure", "idempotent", "at_most_once",
                                                             "transactional"};
  return kNames[static_cast<std::size_t>(effect)];
}

std::string_view to_string(ToolKind kind) {
  static constexpr std::array<std::string_view, 3> kNames = {"http", "sql", "agent"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view to_string(Action action) {
  static constexpr std::array<std::string_view, 3> kNames = {"allow", "deny", "ask"};
  return kNames[static_cast<std::size_t>(action)];
}

}  // namespace holdfast::agent
