#include "definition/tool_hooks.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "definition/definition.h"
#include "definition/hook_arguments.h"
#include "spec/duration.h"
#include "spec/reference_template.h"

namespace holdfast::agent {

namespace {

using spec::MapReader;
using std::chrono::milliseconds;

constexpr milliseconds kLongestPause = std::chrono::hours(1);

constexpr std::string_view kReconcile = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["tool"],
  "description": "The tool that says whether an interrupted at_most_once call took effect.",
  "properties": {
    "tool": {"type": "string"},
    "arguments": {"type": "object", "description": "Strings may hold {arguments.NAME} and {key}."},
    "happened": {"type": "string", "description": "A condition over the answer: status == \"paid\""},
    "after": {"$ref": "#/$defs/duration"}
  }
})json";
constexpr std::string_view kCompensate = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["tool"],
  "description": "The tool that takes the effect back when the run does not succeed.",
  "properties": {
    "tool": {"type": "string"},
    "arguments": {"type": "object", "description": "Strings may hold {result.NAME}, {arguments.NAME} and {key}."}
  }
})json";
constexpr std::string_view kOnFailure =
    R"json({"enum": ["tell", "park"], "description": "park: a call that fails for good waits for somebody to mend it and resume the run."})json";

void parse_call(MapReader& in, const std::vector<std::string_view>& roots, HookCall& out) {
  out.tool = in.required_text("tool");
  parse_hook_arguments(in, roots, out);
}

nlohmann::json json_of(const HookCall& call) {
  nlohmann::json out = {{"tool", call.tool}};
  if (!call.arguments.empty()) out["arguments"] = call.arguments;
  return out;
}

// What is wrong with naming that tool; empty: nothing.
std::string wrong_hook(const AgentDefinition& definition, const ToolSpec& tool, const HookCall& call,
                       bool asks) {
  const ToolSpec* other = definition.find_tool(call.tool);
  if (!other) {
    std::vector<std::string> names;
    for (const ToolSpec& one : definition.tools) names.push_back(one.name);
    const std::string_view near = spec::nearest_name(call.tool, names);
    return fmt::format("there is no tool `{}`; {}", call.tool,
                       near.empty() ? "name one of spec.tools" : fmt::format("did you mean `{}`?", near));
  }
  if (other == &tool) return "a tool cannot be its own hook; name another one";
  if (!other->type->in_activity)
    return fmt::format(
        "`{}` is of type `{}`, which cannot be called here; name a tool that reaches out itself", call.tool,
        other->type->name);
  if (asks && other->effect != Effect::kPure)
    return fmt::format("`{}` is {}; what only asks must be `effect: pure`", call.tool,
                       to_string(other->effect));
  if (!asks && other->effect == Effect::kPure)
    return fmt::format("`{}` is pure; what undoes an effect has one itself", call.tool);
  const auto properties = other->parameters.find("properties");
  const auto others = other->parameters.find("additionalProperties");
  const bool closed = others == other->parameters.end() || *others == false;
  for (const auto& [name, value] : call.arguments.items()) {
    if (closed && properties != other->parameters.end() && !properties->contains(name))
      return fmt::format("`{}` takes no argument `{}`", call.tool, name);
  }
  for (const auto& name : other->parameters.value("required", nlohmann::json::array())) {
    if (name.is_string() && !call.arguments.contains(name.get<std::string>()))
      return fmt::format("`{}` needs the argument `{}`", call.tool, name.get<std::string>());
  }
  return {};
}

}  // namespace

void parse_hook_arguments(MapReader& in, const std::vector<std::string_view>& roots, HookCall& out) {
  nlohmann::json arguments = in.json("arguments");
  if (arguments.is_null()) return;
  if (!arguments.is_object()) {
    in.problem("arguments", "must be a mapping: the arguments of that tool");
    return;
  }
  for (const std::string& path : spec::references(arguments)) {
    const std::string_view root = std::string_view(path).substr(0, path.find('.'));
    if (std::find(roots.begin(), roots.end(), root) == roots.end()) {
      in.problem("arguments", fmt::format("`{{{}}}` is not known here; placeholders begin with {}", path,
                                          fmt::join(roots, ", ")));
    }
  }
  out.arguments = std::move(arguments);
}

void parse_hooks(MapReader& tool, ToolHooks& out) {
  if (tool.has("reconcile")) {
    MapReader in = tool.map("reconcile");
    Reconcile& reconcile = out.reconcile.emplace();
    parse_call(in, {"arguments", "key"}, reconcile.call);
    if (const std::string text = in.text("happened"); !text.empty()) {
      auto condition = spec::Condition::parse(text);
      if (condition) {
        reconcile.happened = std::move(*condition);
      } else {
        in.problem("happened", fmt::format("`{}`: {}", text, condition.error().message()));
      }
    }
    reconcile.after = in.duration("after", reconcile.after, milliseconds(0), kLongestPause);
    in.finish();
  }
  if (tool.has("compensate")) {
    MapReader in = tool.map("compensate");
    parse_call(in, {"result", "arguments", "key"}, out.compensate.emplace());
    in.finish();
  }
  out.park_on_failure = tool.choice("on_failure", {"tell", "park"}).value_or(0) == 1;
}

void check_hooks(spec::YamlProblems& problems, const std::vector<YAML::Mark>& places,
                 const AgentDefinition& definition) {
  for (std::size_t i = 0; i < definition.tools.size() && i < places.size(); ++i) {
    const ToolSpec& tool = definition.tools[i];
    if (!tool.type) continue;
    const auto say = [&](std::string_view key, const std::string& what) {
      if (!what.empty()) problems.add(places[i], fmt::format("`spec.tools[{}].{}`: {}", i, key, what));
    };
    if (tool.hooks.reconcile) {
      say("reconcile", tool.effect != Effect::kAtMostOnce
                           ? "only a tool with `effect: at_most_once` leaves it open whether it took effect"
                           : wrong_hook(definition, tool, tool.hooks.reconcile->call, true));
    }
    if (tool.hooks.compensate) {
      say("compensate", tool.effect == Effect::kPure || !tool.type->in_activity
                            ? "this tool has no effect of its own that could be undone; remove it"
                            : wrong_hook(definition, tool, *tool.hooks.compensate, false));
    }
  }
}

void add_hooks(nlohmann::json& tool, const ToolHooks& hooks) {
  if (hooks.reconcile) {
    nlohmann::json out = json_of(hooks.reconcile->call);
    if (hooks.reconcile->happened) out["happened"] = hooks.reconcile->happened->text();
    out["after"] = spec::format_duration(hooks.reconcile->after);
    tool["reconcile"] = std::move(out);
  }
  if (hooks.compensate) tool["compensate"] = json_of(*hooks.compensate);
  if (hooks.park_on_failure) tool["on_failure"] = "park";
}

void add_hooks_schema(nlohmann::ordered_json& schema) {
  using Ordered = nlohmann::ordered_json;
  Ordered& tool = schema["$defs"]["tool"]["properties"];
  tool["reconcile"] = Ordered::parse(kReconcile);
  tool["compensate"] = Ordered::parse(kCompensate);
  tool["on_failure"] = Ordered::parse(kOnFailure);
}

}  // namespace holdfast::agent
