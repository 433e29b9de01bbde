#include "definition/detached.h"

#include <fmt/format.h>

#include "definition/tool_type.h"
#include "spec/duration.h"

namespace holdfast::agent {

namespace {

using protocol::CompletedBy;
using std::chrono::hours;
using std::chrono::seconds;

constexpr hours kDeadline{24};
constexpr hours kLongestDeadline{24 * 366};
// Each attempt of a call hands out a token of its own, and all of them are good.
constexpr int kMaxAttempts = 32;

constexpr std::string_view kSchema = R"json({
  "description": "Calls are started and not waited for: the model is told at once that they run, and later how they ended.",
  "oneOf": [
    {"type": "boolean"},
    {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "completion": {"enum": ["call", "token"], "description": "What ends a call: its own answer, or somebody who was given a token."},
        "deadline": {"$ref": "#/$defs/duration", "description": "Of `token`: how long at most; 1d by default."}
      }
    }
  ]
})json";

}  // namespace

std::optional<DetachSpec> parse_detached(spec::MapReader& tool) {
  if (!tool.has("detached")) {
    tool.child("detached");
    return std::nullopt;
  }
  if (tool.child("detached").IsScalar()) {
    if (!tool.boolean("detached", false)) return std::nullopt;
    return DetachSpec();
  }
  DetachSpec out;
  spec::MapReader in = tool.map("detached");
  if (in.choice("completion", {"call", "token"}).value_or(0) == 1) out.by = CompletedBy::kToken;
  if (out.by == CompletedBy::kToken) {
    out.deadline = in.duration("deadline", kDeadline, std::chrono::milliseconds(100), kLongestDeadline);
  } else {
    in.child("deadline");
    if (in.has("deadline"))
      in.problem("deadline",
                 "a call that ends itself has `timeout` and `retry`; remove it, or say `completion: token`");
  }
  in.finish();
  return out;
}

void check_detached(spec::MapReader& in, const ToolSpec& tool) {
  if (!hands_out_tokens(tool)) return;
  if (tool.type && !tool.type->hands_out_tokens) {
    in.problem("detached", fmt::format("a tool of type `{}` has no way to hand out a token; use `http` or "
                                       "`webhook`, or `completion: call`",
                                       tool.type->name));
  }
  if (tool.retry.attempts > kMaxAttempts)
    in.problem("detached", fmt::format("each attempt hands out a token; `retry.attempts` may be {} at most",
                                       kMaxAttempts));
  const auto properties = tool.parameters.find("properties");
  if (properties == tool.parameters.end()) return;
  for (const std::string_view name : {kCompletionUrl, kCompletionToken}) {
    if (properties->contains(std::string(name)))
      in.problem("detached",
                 fmt::format("`{}` is handed out by the server and is no argument; rename it", name));
  }
}

bool hands_out_tokens(const ToolSpec& tool) {
  return tool.detached && tool.detached->by == CompletedBy::kToken;
}

nlohmann::json usable_parameters(const ToolSpec& tool) {
  nlohmann::json out = tool.parameters;
  if (!hands_out_tokens(tool) || !out.is_object()) return out;
  for (const std::string_view name : {kCompletionUrl, kCompletionToken})
    out["properties"][std::string(name)] = {{"type", "string"}};
  return out;
}

void add_detached(nlohmann::json& tool, const std::optional<DetachSpec>& detached) {
  if (!detached) return;
  if (detached->by == CompletedBy::kCall) {
    tool["detached"] = true;
  } else {
    tool["detached"] = {{"completion", "token"}, {"deadline", spec::format_duration(detached->deadline)}};
  }
}

void add_detached_schema(nlohmann::ordered_json& schema) {
  schema["$defs"]["tool"]["properties"]["detached"] = nlohmann::ordered_json::parse(kSchema);
}

}  // namespace holdfast::agent
