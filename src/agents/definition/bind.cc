#include "definition/bind.h"

#include <fmt/format.h>

#include "base/json.h"
#include "definition/definition.h"
#include "definition/names.h"
#include "spec/exact.h"
#include "spec/json_schema.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

namespace {

// Whether one argument alone is what the schema of all of them says about it.
std::optional<std::string> unfit(const Json& parameters, const std::string& name, const Json& value) {
  Json alone = {{"type", "object"}, {"properties", Json::object()}};
  for (const char* key : {"properties", "$defs", "definitions"}) {
    if (parameters.contains(key)) alone[key] = parameters[key];
  }
  return spec::validate(alone, Json{{name, value}});
}

bool declares(const Json& parameters, const std::string& name) {
  const auto properties = parameters.find("properties");
  return properties != parameters.end() && properties->is_object() && properties->contains(name);
}

void parse_binding(spec::MapReader& all, const std::string& name, ToolSpec& tool) {
  spec::MapReader in = all.map(name);
  Binding out;
  out.value = in.json("value");
  if (in.has("run")) out.run = in.required_text("run");
  in.finish();
  if (in.has("value") == in.has("run")) {
    all.problem(name, "give `value`, fixed here, or `run`, a name in the run's context: one of them");
  } else if (out.run && !is_tool_name(*out.run)) {
    in.problem("run", "may hold letters, digits, `_` and `-`, 64 at most");
  } else if (!declares(tool.parameters, name)) {
    all.problem(
        name,
        "is no argument of this tool: declare it in `parameters.properties`, where the model will not "
        "see it");
  } else if (!out.run) {
    if (auto bad = unfit(tool.parameters, name, out.value)) in.problem("value", *bad);
  }
  tool.bind[name] = std::move(out);
}

Status context_is_none(const Json& context) {
  if (context.is_null()) return {};
  if (!context.is_object()) return {Code::kInvalidArgument, "the context of a run is a JSON object"};
  if (const std::size_t bytes = dump_json(context).size(); bytes > kMaxContextBytes) {
    return {Code::kInvalidArgument, fmt::format("the context of a run has {} bytes, at most {} are allowed",
                                                bytes, kMaxContextBytes)};
  }
  return {};
}

}  // namespace

void parse_bind(spec::MapReader& in, ToolSpec& tool) {
  const Json all = in.json("bind");
  if (all.is_null()) return;
  if (!all.is_object()) {
    in.problem("bind", "must map arguments to `{value: ...}` or `{run: NAME}`");
    return;
  }
  spec::MapReader names = in.map("bind");
  for (const auto& [name, unused] : all.items()) parse_binding(names, name, tool);
  names.finish();
}

Json bind_json(const Bindings& bind) {
  Json out = Json::object();
  for (const auto& [name, one] : bind)
    out[name] = one.run ? Json{{"run", *one.run}} : Json{{"value", one.value}};
  return out;
}

Json visible_parameters(const ToolSpec& tool) {
  Json out = tool.parameters;
  if (tool.bind.empty()) return out;
  Json& properties = out["properties"];
  for (const auto& [name, unused] : tool.bind) properties.erase(name);
  if (const auto required = out.find("required"); required != out.end() && required->is_array()) {
    Json left = Json::array();
    for (const Json& name : *required) {
      if (!name.is_string() || !tool.bind.contains(name.get<std::string>())) left.push_back(name);
    }
    *required = std::move(left);
  }
  return out;
}

bool binds_context(const AgentDefinition& agent) {
  for (const ToolSpec& tool : agent.tools) {
    for (const auto& [unused, one] : tool.bind) {
      if (one.run) return true;
    }
  }
  return false;
}

Status check_context(const AgentDefinition& agent, const Json& context) {
  if (Status status = context_is_none(context); !status.ok()) return status;
  std::string missing;
  std::string wrong;
  for (const ToolSpec& tool : agent.tools) {
    for (const auto& [name, one] : tool.bind) {
      if (!one.run) continue;
      if (!context.is_object() || !context.contains(*one.run)) {
        missing += fmt::format("{}`{}`, which the tool `{}` binds to `{}`", missing.empty() ? "" : "; ",
                               *one.run, tool.name, name);
      } else if (auto bad = unfit(tool.parameters, name, context[*one.run])) {
        wrong +=
            fmt::format("{}`{}` for the tool `{}`: {}", wrong.empty() ? "" : "; ", *one.run, tool.name, *bad);
      }
    }
  }
  if (!missing.empty())
    return {Code::kFailedPrecondition,
            "the context of the run lacks " + missing + "; give it with the start"};
  if (!wrong.empty()) return {Code::kInvalidArgument, "the context of the run does not fit: " + wrong};
  return {};
}

Result<Json> bound_values(const ToolSpec& tool, const Json& context) {
  if (tool.bind.empty()) return Json();
  Json out = Json::object();
  for (const auto& [name, one] : tool.bind) {
    if (one.run && !(context.is_object() && context.contains(*one.run))) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("the context of the run lacks `{}`, which the tool binds", *one.run));
    }
    out[name] = one.run ? context[*one.run] : one.value;
  }
  return out;
}

Json bound_values_of(const ToolSpec& tool, const Json& arguments) {
  if (tool.bind.empty()) return {};
  Json out = Json::object();
  for (const auto& [name, unused] : tool.bind) {
    if (arguments.is_object() && arguments.contains(name)) out[name] = arguments[name];
  }
  return out;
}

std::optional<std::string> bind_arguments(Json& arguments, const Json& bound) {
  if (!bound.is_object()) return std::nullopt;
  for (const auto& [name, value] : bound.items()) {
    // As if it were not there: the model was not told of it.
    if (arguments.contains(name)) return fmt::format("there is no argument `{}`", name);
    arguments[name] = value;
  }
  return std::nullopt;
}

std::optional<std::string> rebind_arguments(Json& arguments, const Json& bound) {
  if (!bound.is_object()) return std::nullopt;
  for (const auto& [name, value] : bound.items()) {
    const auto given = arguments.find(name);
    if (given != arguments.end() && !spec::same_value(*given, value))
      return fmt::format("`{}` is bound and cannot be edited", name);
    arguments[name] = value;
  }
  return std::nullopt;
}

}  // namespace holdfast::agent
