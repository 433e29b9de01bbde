#include "base/check.h"
#include "base/json.h"
#include "definition/definition.h"
#include "definition/model_section.h"

namespace holdfast::agent {

namespace {

// The frame; the catalog fills in names of providers and tool types, and the sections of these. Kept in step
// with definition_parser.cc by definition_test.cc: every key the parser asks for is here.
constexpr std::string_view kFrame = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "https://holdfast.dev/schemas/agent-v1.json",
  "title": "Holdfast agent",
  "type": "object",
  "additionalProperties": false,
  "required": ["apiVersion", "kind", "metadata", "spec"],
  "properties": {
    "apiVersion": {"const": "holdfast.dev/v1"},
    "kind": {"const": "Agent"},
    "metadata": {
      "type": "object",
      "additionalProperties": false,
      "required": ["name"],
      "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"},
        "description": {"type": "string"},
        "team": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,63}$", "description": "Whose agent it is, where tools are granted to teams."}
      }
    },
    "spec": {
      "type": "object",
      "additionalProperties": false,
      "required": ["model", "prompt"],
      "properties": {
        "model": {"$ref": "#/$defs/model"},
        "prompt": {"type": "string", "minLength": 1, "description": "The system prompt."},
        "tools": {"type": "array", "maxItems": 1024, "items": {"$ref": "#/$defs/tool"}},
        "mcp_servers": {},
        "approvals": {"$ref": "#/$defs/approvals"},
        "limits": {"$ref": "#/$defs/limits"},
        "budgets": {"$ref": "#/$defs/budgets"},
        "output_schema": {"type": "object", "description": "JSON Schema of the answer."}
      }
    }
  },
  "$defs": {
    "duration": {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$", "description": "250ms, 30s, 5m, 1h30m, 7d"},
    "retry": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "initial": {"$ref": "#/$defs/duration"},
        "backoff": {"type": "number", "minimum": 1, "maximum": 100},
        "max_interval": {"$ref": "#/$defs/duration"},
        "attempts": {"type": "integer", "minimum": 1, "maximum": 1000}
      }
    },
    "model": {
      "type": "object",
      "additionalProperties": false,
      "required": ["provider", "name"],
      "properties": {
        "provider": {"enum": [], "description": "The wire format; a compatible server is openai with its base_url."},
        "base_url": {"type": "string", "pattern": "^https?://"},
        "name": {"type": "string", "minLength": 1},
        "api_version": {"type": "string", "description": "Azure's version of its API: the key goes in `api-key`, the deployment into the path."},
        "api_key_env": {"type": "string", "description": "Name of the environment variable that holds the key."},
        "max_tokens": {"type": "integer", "minimum": 1},
        "temperature": {"type": "number", "minimum": 0, "maximum": 2},
        "cache_marks": {"type": "boolean", "description": "Mark what of a prompt is worth keeping, for providers that want to be told."},
        "timeout": {"$ref": "#/$defs/duration"},
        "idle_timeout": {"$ref": "#/$defs/duration"},
        "retry": {"$ref": "#/$defs/retry"}
      }
    },
    "tool": {
      "type": "object",
      "additionalProperties": false,
      "required": ["name", "type"],
      "properties": {
        "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "description": {"type": "string", "description": "What the model is told about the tool."},
        "type": {"enum": []},
        "effect": {"enum": ["pure", "idempotent", "at_most_once", "transactional"]},
        "parameters": {"type": "object", "description": "JSON Schema of the arguments. `additionalProperties` is false unless given."},
        "bind": {
          "type": "object",
          "description": "Arguments that the model neither sees nor gives.",
          "additionalProperties": {
            "type": "object",
            "additionalProperties": false,
            "properties": {"value": {}, "run": {"type": "string", "description": "A name in the context of the run."}}
          }
        },
        "timeout": {"$ref": "#/$defs/duration"},
        "retry": {"$ref": "#/$defs/retry"}
      }
    },
    "approvals": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "default": {"enum": ["allow", "deny", "ask"]},
        "expires_after": {"$ref": "#/$defs/duration"},
        "on_expiry": {"enum": ["reject", "approve"]},
        "rules": {
          "type": "array",
          "maxItems": 256,
          "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["tool", "action"],
            "properties": {
              "tool": {"type": "string", "description": "A tool's name, or * for all."},
              "when": {"type": "string", "description": "amount > 100 and not (country in [\"DE\", \"FR\"])"},
              "action": {"enum": ["allow", "deny", "ask"]},
              "reason": {"type": "string"},
              "expires_after": {"$ref": "#/$defs/duration"}
            }
          }
        }
      }
    },
    "limits": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "max_iterations": {"type": "integer", "minimum": 1},
        "run_timeout": {"$ref": "#/$defs/duration"},
        "max_parallel_tools": {"type": "integer", "minimum": 1, "maximum": 128},
        "max_tool_output_bytes": {"type": "integer", "minimum": 256, "maximum": 1048576}
      }
    }
  }
}
)json";

}  // namespace

std::string definition_schema(const Catalog& catalog) {
  using Ordered = nlohmann::ordered_json;
  Ordered out = Ordered::parse(kFrame);
  describe_models(catalog, out);
  Ordered budgets = Ordered::parse(budgets_schema(), nullptr, false);
  HF_CHECK(!budgets.is_discarded());  // a constant of ours
  out["$defs"]["budgets"] = std::move(budgets);
  Ordered& sections = out["properties"]["spec"]["properties"];
  sections["skills"] = Ordered::parse(kSkillsSchema);
  sections["tools_loading"] = Ordered::parse(kToolsLoadingSchema);
  out["properties"]["spec"]["properties"]["context"] = Ordered::parse(context_schema());
  out["properties"]["spec"]["properties"]["mcp_servers"] = Ordered::parse(mcp_servers_schema());
  Ordered& tool = out["$defs"]["tool"]["properties"];
  for (const ToolType* type : catalog.tools) {
    Ordered section = Ordered::parse(type->schema, nullptr, false);
    HF_CHECK(!section.is_discarded());  // a constant of ours, and a test reads every one
    tool["type"]["enum"].push_back(type->name);
    tool[std::string(type->name)] = std::move(section);
  }
  add_policy_schema(out);
  add_steering_schema(out);
  add_orchestration_schema(out);
  add_hooks_schema(out);
  add_detached_schema(out);
  out["properties"]["spec"]["properties"]["flow"] = Ordered::parse(flow_schema());
  out["properties"]["spec"]["properties"]["notify"] = Ordered(notify_schema(catalog));
  return dump_json(out, 2);
}

}  // namespace holdfast::agent
