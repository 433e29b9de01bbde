#include "block/flow_schema.h"

#include "base/json.h"
#include "block/block.h"
#include "block/compensation.h"
#include "block/with_schema.h"

namespace holdfast::flows {

namespace {

using Ordered = nlohmann::ordered_json;

// Kept in step with language/flow_reader.cc by flow_schema_test.cc. A block without `with` is taken: it can
// be planned.
constexpr std::string_view kFrame = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "https://holdfast.dev/schemas/flow-v1.json",
  "title": "Holdfast flow",
  "type": "object",
  "additionalProperties": false,
  "patternProperties": {"^x-": {}},
  "required": ["apiVersion", "kind", "metadata", "spec"],
  "properties": {
    "apiVersion": {"const": "holdfast.dev/v1"},
    "kind": {"const": "Flow"},
    "metadata": {
      "type": "object",
      "additionalProperties": false,
      "patternProperties": {"^x-": {}},
      "required": ["name"],
      "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"},
        "description": {"type": "string"},
        "team": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,63}$", "description": "Whose flow it is, where tools are granted to teams."}
      }
    },
    "spec": {
      "type": "object",
      "additionalProperties": false,
      "patternProperties": {"^x-": {}},
      "required": ["blocks"],
      "properties": {
        "input": {"type": ["object", "boolean"], "description": "JSON Schema of the input."},
        "planner": {"enum": ["V1", "V2", "V3", "V4"], "description": "By which it is run; V4 by default."},
        "blocks": {
          "type": "array",
          "minItems": 1,
          "maxItems": 10000,
          "items": {
            "$ref": "#/$defs/block",
            "if": {"properties": {"type": {"const": "start"}}, "required": ["type"]},
            "then": {"properties": {"needs": {"maxItems": 0}}},
            "else": {"properties": {"needs": {"minItems": 1}}, "required": ["needs"]}
          },
          "contains": {"properties": {"type": {"const": "start"}}, "required": ["type"]},
          "minContains": 1,
          "maxContains": 1
        }
      }
    }
  },
  "$defs": {
    "duration": {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$", "description": "250ms, 30s, 5m, 1h30m, 7d"},
    "id": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$"},
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
    "rules": {
      "type": "array",
      "minItems": 1,
      "maxItems": 100,
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "when"],
        "properties": {
          "name": {"$ref": "#/$defs/id", "not": {"enum": ["done", "error", "otherwise"]}},
          "when": {"type": "string", "minLength": 1, "description": "{{ JavaScript }}, or CEL over input and blocks."}
        }
      }
    },
    "block": {
      "type": "object",
      "additionalProperties": false,
      "patternProperties": {"^x-": {}},
      "required": ["id", "type"],
      "properties": {
        "id": {"$ref": "#/$defs/id", "description": "The name under which others read the result."},
        "name": {"type": "string", "description": "For people."},
        "type": {"enum": []},
        "needs": {
          "type": "array",
          "maxItems": 1000,
          "uniqueItems": true,
          "items": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}(\\.[A-Za-z_][A-Za-z0-9_]{0,63})?$"},
          "description": "What comes before: block, or block.outlet."
        },
        "join": {"enum": ["all", "any"], "description": "Whether all of needs must be met, or one."},
        "retry": {"$ref": "#/$defs/retry"},
        "timeout": {"$ref": "#/$defs/duration"},
        "async": {
          "description": "It is completed from outside.",
          "anyOf": [
            {"type": "boolean"},
            {"type": "object", "additionalProperties": false, "properties": {"deadline": {"$ref": "#/$defs/duration"}}}
          ]
        },
        "takes": {"$ref": "#/$defs/duration", "description": "How long it is expected to take, for planning."},
        "blocks": {
          "type": "array",
          "minItems": 1,
          "items": {"$ref": "#/$defs/block"},
          "description": "Of a map or loop: what is done each time."
        },
        "with": {},
        "compensate": {}
      },
      "allOf": []
    }
  }
}
)json";

}  // namespace

std::string flow_schema() {
  Ordered out = Ordered::parse(kFrame, nullptr, false);
  HF_CHECK(!out.is_discarded());  // a constant of ours
  Ordered& block = out["$defs"]["block"];
  block["properties"]["compensate"] = Ordered(compensation_schema());
  for (const BlockType& type : block_types()) {
    block["properties"]["type"]["enum"].push_back(type.name);
    Ordered then = {
        {"properties", {{"with", Ordered(find_runnable_block(type.name)->schema(type.name))}}}};
    // Its outlets stand there, and a graph needs them.
    if (type.decides) then["required"] = {"with"};
    if (type.has_body) then["required"] = {"blocks", "with"};
    if (!type.has_body) then["properties"]["blocks"] = false;
    if (!can_be_compensated(type.name)) then["properties"]["compensate"] = false;
    Ordered is_it = {{"properties", {{"type", {{"const", type.name}}}}}, {"required", {"type"}}};
    block["allOf"].push_back({{"if", std::move(is_it)}, {"then", std::move(then)}});
  }
  return dump_json(out, 2);
}

}  // namespace holdfast::flows
