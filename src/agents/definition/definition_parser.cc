// agent.yaml into an AgentDefinition: one function per section of the file, in the order of the file.

#include <set>

#include <fmt/format.h>

#include "definition/code_calls.h"
#include "definition/definition.h"
#include "definition/model_section.h"
#include "definition/names.h"
#include "spec/json_schema.h"
#include "spec/yaml_documents.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

namespace {

using spec::MapReader;
using spec::YamlProblems;
using std::chrono::hours;

constexpr Duration kDay = hours(24);
constexpr Duration kLongestWait = kDay * 3660;

void parse_parameters(MapReader& in, ToolSpec& out) {
  out.parameters = in.schema("parameters");
  if (out.parameters.is_null()) {
    out.parameters = out.type && out.type->parameters
                         ? out.type->parameters()
                         : Json::object({{"type", "object"}, {"properties", Json::object()}});
    return;
  }
  if (!out.parameters.is_object()) {
    in.problem("parameters", "must be a JSON Schema of the arguments, a mapping with `type: object`");
    out.parameters = Json::object();
    return;
  }
  if (!out.parameters.contains("type")) out.parameters["type"] = "object";
  if (out.parameters["type"] != "object")
    in.problem("parameters", "the arguments are an object: `type: object`");
  if (!out.parameters.contains("properties")) out.parameters["properties"] = Json::object();
  if (auto bad = spec::check_schema(out.parameters)) in.problem("parameters", *bad);
}

// Timeout and retry, of a type that makes attempts.
void parse_attempts(MapReader& in, ToolSpec& out) {
  if (!out.type || out.type->has_attempts) {
    out.timeout =
        in.duration("timeout", out.type ? out.type->timeout : out.timeout, Duration(10), kLongestWait);
    out.retry = parse_retry(in, out.retry);
    return;
  }
  for (std::string_view key : {"timeout", "retry"}) {
    in.child(key);
    if (in.has(key)) {
      in.problem(key, fmt::format("a tool of type `{}` makes no attempts; remove it", out.type->name));
    }
  }
}

// The section of the tool's type, and none of another one.
void parse_section(const Catalog& catalog, ToolReader& reader) {
  MapReader& in = reader.in;
  const ToolType* type = reader.tool.type;
  for (const ToolType* other : catalog.tools) {
    if (type && type != other && in.has(other->name)) {
      in.problem(
          other->name,
          fmt::format("does not belong to a tool of type `{}`; remove it or change `type`", type->name));
    }
    in.child(other->name);  // known everywhere, so that only the message above is given
  }
  if (!type) return;
  if (!in.has(type->name) && !type->section_needs.empty()) {
    in.missing(type->name, type->section_needs);
  } else {
    type->read(reader);
  }
}

ToolSpec parse_tool(const Catalog& catalog, YamlProblems& problems, const YAML::Node& node, std::string path,
                    std::string_view base_directory, const McpServers& servers) {
  MapReader in(problems, node, std::move(path));
  ToolSpec out;
  out.name = in.required_text("name");
  if (!out.name.empty() && !is_tool_name(out.name)) {
    in.problem("name", "may hold letters, digits, `_` and `-`, 64 at most: models accept no other");
  }
  out.description = in.text("description");
  std::vector<std::string_view> types;
  for (const ToolType* type : catalog.tools) types.push_back(type->name);
  auto type = in.choice("type", types);
  if (type) out.type = catalog.tools[*type];
  if (!type && !in.has("type")) in.missing("type", alternatives(types));
  auto effect = in.choice("effect", {"pure", "idempotent", "at_most_once", "transactional"});
  if (effect) out.effect = static_cast<Effect>(*effect);
  parse_parameters(in, out);
  parse_bind(in, out);
  parse_attempts(in, out);
  parse_hooks(in, out.hooks);
  out.detached = parse_detached(in);
  check_detached(in, out);
  ToolReader reader{in, out, effect.has_value(), base_directory, servers};
  parse_section(catalog, reader);
  in.finish();
  return out;
}

void parse_tools(const Catalog& catalog, MapReader& spec, AgentDefinition& out,
                 std::string_view base_directory) {
  std::set<std::string> names;
  std::vector<YAML::Mark> places;
  std::size_t index = 0;
  for (const YAML::Node& node : spec.list("tools", kMaxTools)) {
    std::string path = fmt::format("spec.tools[{}]", index++);
    ToolSpec tool = parse_tool(catalog, spec.problems(), node, path, base_directory, out.mcp_servers);
    if (!tool.name.empty() && !names.insert(tool.name).second) {
      spec.problems().add(
          node.Mark(),
          fmt::format("`{}.name`: there is a tool `{}` already; names must differ", path, tool.name));
    }
    out.tools.push_back(std::move(tool));
    places.push_back(node.Mark());
  }
  check_hooks(spec.problems(), places, out);
  check_code(spec.problems(), places, out);
}

std::optional<Action> parse_action(MapReader& in, std::string_view key) {
  auto action = in.choice(key, {"allow", "deny", "ask"});
  return action ? std::optional(static_cast<Action>(*action)) : std::nullopt;
}

// A tool of a server that was not asked yet for what it has; or all the tools of one.
bool may_be_of_a_server(const AgentDefinition& definition, std::string_view tool) {
  const McpServer* server = server_of_tool(definition.mcp_servers, tool);
  if (server == nullptr) return false;
  if (tool.substr(server->name.size()) == "__*") return true;
  return std::none_of(definition.tools.begin(), definition.tools.end(), [&](const ToolSpec& one) {
    return server_of_tool(definition.mcp_servers, one.name) == server;
  });
}

ApprovalRule parse_rule(YamlProblems& problems, const YAML::Node& node, std::string path,
                        const AgentDefinition& definition) {
  MapReader in(problems, node, std::move(path));
  ApprovalRule out;
  out.tool = in.required_text("tool");
  const ToolSpec* tool = definition.find_tool(out.tool);
  const bool is_plan = definition.orchestration.planning && out.tool == kMakePlanName;
  if (!out.tool.empty() && out.tool != "*" && !is_plan && !tool &&
      !may_be_of_a_server(definition, out.tool)) {
    std::vector<std::string> names;
    for (const ToolSpec& one : definition.tools) names.push_back(one.name);
    std::string_view near = spec::nearest_name(out.tool, names);
    in.problem("tool", fmt::format("there is no tool `{}`; {}", out.tool,
                                   near.empty() ? "name one of spec.tools, or \"*\" for all"
                                                : fmt::format("did you mean `{}`?", near)));
  }
  std::string when = in.text("when");
  if (!when.empty() && definition.approvals.terms.cel) {
    out.terms.cel = parse_cel(in, when);
    if (tool && out.terms.cel) check_declared(in, "when", out.terms.cel->fields_of("args"), tool->parameters);
  } else if (!when.empty()) {
    auto condition = spec::Condition::parse(when);
    if (!condition) {
      in.problem("when", fmt::format("`{}`: {}", when, condition.error().message()));
    } else {
      if (tool) check_declared(in, "when", condition->arguments_read(), tool->parameters);
      out.when = std::move(*condition);
    }
  }
  if (auto action = parse_action(in, "action")) {
    out.action = *action;
  } else if (!in.has("action")) {
    in.missing("action", "allow, deny or ask");
  }
  out.reason = in.text("reason");
  if (in.has("expires_after")) {
    out.expires_after = in.duration("expires_after", kDay, Duration(100), kLongestWait);
    if (out.action != Action::kAsk)
      in.problem("expires_after", "only a rule with `action: ask` waits; remove it");
  }
  parse_rule_terms(in, out.action == Action::kAsk, out.terms);
  in.finish();
  return out;
}

void parse_approvals(MapReader& spec, AgentDefinition& out) {
  MapReader in = spec.map("approvals");
  out.approvals.fallback = parse_action(in, "default").value_or(Action::kAllow);
  out.approvals.expires_after = in.duration("expires_after", kDay, Duration(100), kLongestWait);
  const std::size_t silence = in.choice("on_expiry", {"reject", "approve", "fail"}).value_or(0);
  out.approvals.approve_on_expiry = silence == 1;
  out.approvals.terms = parse_policy_terms(in);
  out.approvals.terms.fail_on_expiry = silence == 2;
  parse_on_reject(in, out.steering);
  std::set<std::string> rule_names;
  std::size_t index = 0;
  for (const YAML::Node& node : in.list("rules", kMaxRules)) {
    out.approvals.rules.push_back(
        parse_rule(spec.problems(), node, fmt::format("spec.approvals.rules[{}]", index++), out));
    const std::string& name = out.approvals.rules.back().terms.name;
    if (!name.empty() && !rule_names.insert(name).second)
      in.problems().add(node.Mark(), fmt::format("there is a rule `{}` already; names must differ", name));
  }
  in.finish();
}

void parse_limits(MapReader& spec, AgentDefinition& out) {
  MapReader in = spec.map("limits");
  Limits& limits = out.limits;
  limits.max_iterations = static_cast<int>(in.integer("max_iterations", limits.max_iterations, 1, 100'000));
  limits.run_timeout = in.duration("run_timeout", limits.run_timeout, Duration(0), kLongestWait);
  limits.max_parallel_tools =
      static_cast<int>(in.integer("max_parallel_tools", limits.max_parallel_tools, 1, 128));
  limits.max_tool_output_bytes = static_cast<std::size_t>(in.integer(
      "max_tool_output_bytes", static_cast<std::int64_t>(limits.max_tool_output_bytes), 256, 1024 * 1024));
  in.finish();
}

void parse_output_schema(MapReader& spec, AgentDefinition& out) {
  out.output_schema = spec.schema("output_schema");
  if (out.output_schema.is_null()) return;
  if (!out.output_schema.is_object()) {
    spec.problem("output_schema", "must be a JSON Schema of the answer, a mapping");
  } else if (auto bad = spec::check_schema(out.output_schema)) {
    spec.problem("output_schema", *bad);
  }
}

void parse_document(const Catalog& catalog, YamlProblems& problems, const YAML::Node& root,
                    std::string_view base_directory, AgentDefinition& out) {
  MapReader file(problems, root, "");
  std::string api_version = file.required_text("apiVersion");
  if (!api_version.empty() && api_version != "holdfast.dev/v1") {
    file.problem("apiVersion",
                 fmt::format("`{}` is not known to this version; use holdfast.dev/v1", api_version));
  }
  std::string kind = file.required_text("kind");
  if (!kind.empty() && kind != "Agent")
    file.problem("kind", fmt::format("`{}` is not known; use Agent", kind));
  MapReader metadata = file.map("metadata");
  if (!file.has("metadata"))
    file.missing("metadata", "with `name`");
  else
    out.name = metadata.required_text("name");
  if (!out.name.empty() && !is_agent_name(out.name)) {
    metadata.problem("name",
                     "may hold lower-case letters, digits and `-`, 63 at most, for example refund-agent");
  }
  out.description = metadata.text("description");
  out.team = metadata.text("team");
  if (!out.team.empty() && !is_team_name(out.team))
    metadata.problem("team", "has 1 to 63 letters, digits or . _ -, for example payments");
  metadata.finish();
  MapReader spec = file.map("spec");
  if (!file.has("spec")) file.missing("spec", "with `model` and `prompt`");
  if (file.has("spec")) {
    parse_models(catalog, spec, out);
    out.prompt = spec.required_text("prompt");
    out.mcp_servers = read_mcp_servers(spec);
    parse_tools(catalog, spec, out, base_directory);
    parse_tools_loading(spec, out);
    parse_skills(spec, out);
    parse_orchestration(spec, out);
    parse_approvals(spec, out);
    parse_limits(spec, out);
    out.budgets = parse_budgets(spec);
    out.context = parse_context(spec);
    parse_output_schema(spec, out);
    parse_steering(spec, out.steering);
    out.notify = parse_notify(catalog, spec, base_directory);
    out.flow = parse_flow(spec);
    check_single(spec, out);
  }
  spec.finish();
  file.finish();
}

}  // namespace

Result<AgentDefinition> parse_definition(const Catalog& catalog, std::string_view text,
                                         std::string_view source, std::string_view base_directory) {
  if (text.size() > kMaxDefinitionBytes) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: {} bytes, at most {} are allowed; keep data out of the definition", source,
                            text.size(), kMaxDefinitionBytes));
  }
  YamlProblems problems(source);
  AgentDefinition out;
  try {
    const std::vector<YAML::Node> documents = spec::yaml_documents(std::string(text));
    const YAML::Node root = documents.empty() ? YAML::Node() : documents.front();
    for (std::size_t i = 1; i < documents.size(); ++i) {
      if (documents[i].IsNull()) continue;  // a `---` with nothing behind it
      problems.add(
          documents[i].Mark(),
          "a second document (after `---`); a file holds one agent: move it to a file of its own, or "
          "remove the `---`");
    }
    if (!root.IsDefined() || root.IsNull()) {
      return fail(Code::kInvalidArgument, fmt::format("{}:1:1: the file is empty; start with `apiVersion: "
                                                      "holdfast.dev/v1` and `kind: Agent`",
                                                      source));
    }
    parse_document(catalog, problems, root, base_directory, out);
  } catch (const YAML::Exception& broken) {
    problems.add(broken.mark, fmt::format("broken YAML: {}", broken.msg));
  }
  if (!problems.empty()) return fail(problems.status());
  return out;
}

}  // namespace holdfast::agent
