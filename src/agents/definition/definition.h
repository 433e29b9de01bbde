#pragma once

// An agent's definition: what `agent.yaml` says. Parsed once, checked completely, then immutable; its
// canonical JSON is what the platform store keeps and its sha256 is the version a run is pinned to. Canonical
// JSON is valid agent.yaml, so one parser reads both.
//
// Values, thread-compatible. Parsing never throws: a broken file is one Status whose message lists every
// problem as `file:line:column: what is wrong and what to do`.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "definition/budgets.h"
#include "definition/context.h"
#include "definition/flow.h"
#include "definition/notify.h"
#include "definition/orchestration.h"
#include "definition/policy_terms.h"
#include "definition/skills.h"
#include "definition/steering.h"
#include "definition/tool_type.h"
#include "definition/tools_loading.h"
#include "holdfast/status.h"
#include "spec/condition.h"

namespace holdfast::agent {

// Bounds of a definition. A file beyond them is refused, not truncated.
inline constexpr std::size_t kMaxDefinitionBytes = 2 << 20;
inline constexpr std::size_t kMaxTools = 1024;
inline constexpr std::size_t kMaxRules = 256;

struct ModelSpec {
  std::string provider;     // one of the catalog's
  std::string base_url;     // empty: the provider's own
  std::string name;         // the provider's model id
  std::string api_version;  // Azure's; empty: none is said
  std::string api_key_env;  // name of an environment variable, never the key itself; empty: no key is sent
  int max_tokens = 1024;
  std::optional<double> temperature;
  bool cache_marks = false;  // says up to where a prompt is worth keeping, where the format has words for it
  Duration timeout{60000};   // one attempt, start to close
  Duration idle_timeout{30000};  // longest silence in a stream
  RetrySpec retry;
  std::vector<ModelSpec> fallbacks;  // asked in this order when this one cannot answer; have none themselves
};

enum class Action { kAllow, kDeny, kAsk };

struct ApprovalRule {
  std::string tool;  // a tool's name, "*", or "SERVER__*"
  std::optional<spec::Condition> when;
  Action action = Action::kAsk;
  std::string reason;
  std::optional<Duration> expires_after;
  RuleTerms terms;
};

struct ApprovalSpec {
  Action fallback = Action::kAllow;  // when no rule matches
  Duration expires_after = std::chrono::hours(24);
  bool approve_on_expiry = false;
  PolicyTerms terms;
  std::vector<ApprovalRule> rules;  // the first match decides
};

struct Limits {
  int max_iterations = 25;
  Duration run_timeout{0};  // zero: none
  int max_parallel_tools = 8;
  std::size_t max_tool_output_bytes = 64 * 1024;  // what the model gets to see of one result
};

struct AgentDefinition {
  std::string name;
  std::string description;
  std::string team;  // whose agent it is, where tools are granted to teams; empty: nobody's in particular
  ModelSpec model;
  std::map<std::string, ModelSpec, std::less<>> models;  // by role: those that have another one
  std::string prompt;
  McpServers mcp_servers;
  std::vector<ToolSpec> tools;
  ApprovalSpec approvals;
  Limits limits;
  Steering steering;
  Orchestration orchestration;
  BudgetSpec budgets;
  std::optional<ContextSpec> context;
  Json output_schema;  // JSON Schema of the answer; null: any text
  ToolsLoading tools_loading;
  std::vector<Skill> skills;
  std::vector<Notified> notify;
  std::optional<FlowSpec> flow;

  const ToolSpec* find_tool(std::string_view tool) const;
  // The model of a role, and of one that has none of its own, such as the empty one, `model`.
  const ModelSpec& model_of(std::string_view role) const;
};

// `source` names the file in errors. A relative SQLite path is resolved against `base_directory` unless that
// is empty.
Result<AgentDefinition> parse_definition(const Catalog& catalog, std::string_view text,
                                         std::string_view source, std::string_view base_directory = {});

// What a model sends must be declared: a tool whose parameters do not speak of `additionalProperties` takes
// none. Part of deploying, not of reading, so that versions stored without it keep their meaning.
void close_parameters(AgentDefinition& definition);

// Every default made explicit, keys sorted, no white space.
std::string canonical_json(const AgentDefinition& definition);
// Lower-case hex sha256 of the canonical JSON.
std::string version_of(const AgentDefinition& definition);

// JSON Schema (draft 2020-12) of agent.yaml, for editors: a frame, and the sections of the catalog's tool
// types.
std::string definition_schema(const Catalog& catalog);

std::string_view to_string(Action action);

}  // namespace holdfast::agent
