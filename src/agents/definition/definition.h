#pragma once

// An agent's definition: what `agent.yaml` says. Parsed once, checked completely, then immutable; its
// canonical JSON is what the platform store keeps and its sha256 is the version a run is pinned to. Canonical
// JSON is valid agent.yaml, so one parser reads both.
//
// Values, thread-compatible. Parsing never throws: a broken file is one Status whose message lists every
// problem as `file:line:column: what is wrong and what to do`.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "holdfast/status.h"
#include "spec/condition.h"

namespace holdfast::agent {

using Json = nlohmann::json;
using Duration = std::chrono::milliseconds;

// Bounds of a definition. A file beyond them is refused, not truncated.
inline constexpr std::size_t kMaxDefinitionBytes = 256 * 1024;
inline constexpr std::size_t kMaxTools = 128;
inline constexpr std::size_t kMaxRules = 256;

struct RetrySpec {
  Duration initial{2000};
  double backoff = 2.0;
  Duration max_interval{30000};
  int attempts = 5;
};

enum class Provider { kOpenAi, kAnthropic };

struct ModelSpec {
  Provider provider = Provider::kOpenAi;
  std::string base_url;     // empty: the provider's own
  std::string name;         // the provider's model id
  std::string api_key_env;  // name of an environment variable, never the key itself; empty: no key is sent
  int max_tokens = 1024;
  std::optional<double> temperature;
  Duration timeout{60000};       // one attempt, start to close
  Duration idle_timeout{30000};  // longest silence in a stream
  RetrySpec retry;
};

// What a tool does to the world, and hence what may happen after an interrupted call.
//   pure: nothing; repeat freely.            idempotent: repeat under the same key.
//   at_most_once: never repeat; a person decides.   transactional: effect and key commit together; repeat
//   finds it.
enum class Effect { kPure, kIdempotent, kAtMostOnce, kTransactional };

struct HttpTool {
  std::string method = "GET";
  std::string url;  // `{argument}` placeholders in path and query only, percent-encoded when filled
  std::map<std::string, std::string> headers;  // values may name `${ENVIRONMENT}` variables, read at the call
  Json body;  // template: `{argument}` inside strings; null: the arguments the URL does not use
  std::size_t max_response_bytes = 64 * 1024;
};

struct SqlTool {
  std::string database;   // SQLite file; may name `${ENVIRONMENT}` variables
  std::string statement;  // one or more statements; `:argument` parameters are bound, never pasted
  bool read_only = true;
  std::size_t max_rows = 100;
  std::size_t max_bytes = 64 * 1024;
};

struct SubAgentTool {
  std::string agent;  // name of another definition; its newest version when the child starts
};

enum class ToolKind { kHttp, kSql, kAgent };

struct ToolSpec {
  std::string name;
  std::string description;
  ToolKind kind = ToolKind::kHttp;
  Effect effect = Effect::kPure;
  Json parameters;  // JSON Schema of the arguments object
  Duration timeout{30000};
  RetrySpec retry{.initial = Duration(1000), .backoff = 2.0, .max_interval = Duration(30000), .attempts = 3};
  HttpTool http;       // kHttp
  SqlTool sql;         // kSql
  SubAgentTool agent;  // kAgent
};

enum class Action { kAllow, kDeny, kAsk };

struct ApprovalRule {
  std::string tool;  // a tool's name, or "*"
  std::optional<Condition> when;
  Action action = Action::kAsk;
  std::string reason;
  std::optional<Duration> expires_after;
};

struct ApprovalSpec {
  Action fallback = Action::kAllow;  // when no rule matches
  Duration expires_after = std::chrono::hours(24);
  bool approve_on_expiry = false;
  std::vector<ApprovalRule> rules;  // the first match decides
};

struct Limits {
  int max_iterations = 25;
  Duration run_timeout{0};  // zero: none
  int max_parallel_tools = 8;
  std::size_t max_tool_output_bytes = 64 * 1024;  // what the model gets to see of one result
};

struct Definition {
  std::string name;
  std::string description;
  ModelSpec model;
  std::string prompt;
  std::vector<ToolSpec> tools;
  ApprovalSpec approvals;
  Limits limits;

  const ToolSpec* find_tool(std::string_view tool) const;
};

// `source` names the file in errors. A relative SQLite path is resolved against `base_directory` unless that
// is empty.
Result<Definition> parse_definition(std::string_view text, std::string_view source,
                                    std::string_view base_directory = {});

// What a model sends must be declared: a tool whose parameters do not speak of `additionalProperties` takes
// none. Part of deploying, not of reading, so that versions stored without it keep their meaning.
void close_parameters(Definition& definition);

// Every default made explicit, keys sorted, no white space.
std::string canonical_json(const Definition& definition);
// Lower-case hex sha256 of the canonical JSON.
std::string version_of(const Definition& definition);

// JSON Schema (draft 2020-12) of agent.yaml, for editors.
std::string_view definition_schema();

std::string_view to_string(Provider provider);
std::string_view to_string(Effect effect);
std::string_view to_string(ToolKind kind);
std::string_view to_string(Action action);

}  // namespace holdfast::agent
