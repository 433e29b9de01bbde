// agent.yaml into a Definition: one function per section of the file, in the order of the file.

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "definition/definition.h"
#include "spec/json_schema.h"
#include "spec/template.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kDay = hours(24);
constexpr Duration kLongestWait = kDay * 3660;

bool is_agent_name(std::string_view name) {
  auto ok = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), ok);
}

bool is_tool_name(std::string_view name) {
  auto ok = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), ok);
}

bool is_environment_name(std::string_view name) {
  auto ok = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  return std::all_of(name.begin(), name.end(), ok) && !std::isdigit(static_cast<unsigned char>(name[0]));
}

bool is_http_url(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

RetrySpec parse_retry(MapReader& parent, RetrySpec fallback) {
  MapReader in = parent.map("retry");
  RetrySpec out;
  out.initial = in.duration("initial", fallback.initial, Duration(1), hours(1));
  out.backoff = in.number("backoff", 1.0, 100.0).value_or(fallback.backoff);
  out.max_interval = in.duration("max_interval", fallback.max_interval, Duration(1), kDay);
  out.attempts = static_cast<int>(in.integer("attempts", fallback.attempts, 1, 1000));
  in.finish();
  return out;
}

ModelSpec parse_model(MapReader& spec) {
  ModelSpec out;
  MapReader in = spec.map("model");
  if (!spec.has("model")) spec.missing("model", "with `provider` and `name`");
  if (auto provider = in.choice("provider", {"openai", "anthropic"})) {
    out.provider = *provider == 0 ? Provider::kOpenAi : Provider::kAnthropic;
  } else if (spec.has("model") && !in.has("provider")) {
    in.missing("provider", "openai or anthropic (a compatible server: openai and its base_url)");
  }
  out.base_url = in.text("base_url");
  if (!out.base_url.empty() && !is_http_url(out.base_url)) {
    in.problem("base_url", "must start with http:// or https://");
  }
  if (spec.has("model")) out.name = in.required_text("name");
  out.api_key_env = in.text("api_key_env");
  if (!out.api_key_env.empty() && !is_environment_name(out.api_key_env)) {
    in.problem("api_key_env",
               "must be the name of an environment variable such as OPENAI_API_KEY, not a key");
    out.api_key_env.clear();
  }
  out.max_tokens = static_cast<int>(in.integer("max_tokens", out.max_tokens, 1, 10'000'000));
  out.temperature = in.number("temperature", 0.0, 2.0);
  out.timeout = in.duration("timeout", out.timeout, Duration(100), hours(24));
  out.idle_timeout =
      in.duration("idle_timeout", std::min(out.idle_timeout, out.timeout), Duration(100), hours(24));
  out.retry = parse_retry(in, out.retry);
  in.finish();
  return out;
}

void check_placeholders(MapReader& in, std::string_view key, const std::vector<std::string>& used,
                        const Json& schema) {
  static const Json kNone = Json::object();
  const Json& properties = schema.is_object() && schema.contains("properties") ? schema["properties"] : kNone;
  std::vector<std::string> known;
  for (const auto& [name, unused] : properties.items()) known.push_back(name);
  for (const std::string& name : used) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string_view near = nearest_name(name, known);
    in.problem(key,
               fmt::format("uses the argument `{}`, which `parameters.properties` does not declare; {}", name,
                           near.empty() ? "declare it there" : fmt::format("did you mean `{}`?", near)));
  }
}

void parse_http(MapReader& tool, ToolSpec& out, bool effect_given) {
  MapReader in = tool.map("http");
  static const std::vector<std::string_view> kMethods = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
  if (auto method = in.choice("method", kMethods)) out.http.method = kMethods[*method];
  out.http.url = in.required_text("url");
  if (!out.http.url.empty()) {
    if (!is_http_url(out.http.url)) in.problem("url", "must start with http:// or https://");
    auto url = UrlTemplate::parse(out.http.url);
    if (!url) {
      in.problem("url", url.error().message());
    } else {
      check_placeholders(in, "url", url->arguments(), out.parameters);
    }
  }
  for (auto& [name, value] : in.text_map("headers")) {
    if (name.find_first_of("\r\n: ") != std::string::npos ||
        value.find_first_of("\r\n") != std::string::npos) {
      in.problem("headers", fmt::format("`{}` is no valid header", name));
    }
    out.http.headers[name] = value;
  }
  out.http.body = in.json("body");
  check_placeholders(in, "body", body_arguments(out.http.body), out.parameters);
  out.http.max_response_bytes =
      static_cast<std::size_t>(in.integer("max_response_bytes", 64 * 1024, 1, 4 * 1024 * 1024));
  in.finish();
  const bool reads = out.http.method == "GET" || out.http.method == "HEAD";
  if (reads && !out.http.body.is_null())
    in.problem("body", fmt::format("a {} request has no body", out.http.method));
  if (effect_given) {
    if (out.effect == Effect::kTransactional) {
      tool.problem("effect",
                   "an HTTP call cannot be transactional; use idempotent (the receiver honours the "
                   "Idempotency-Key header) or at_most_once");
    }
  } else if (reads) {
    out.effect = Effect::kPure;
  } else {
    tool.missing("effect",
                 fmt::format("idempotent if the receiver of this {} honours the Idempotency-Key header, "
                             "at_most_once if not, pure if it changes nothing",
                             out.http.method));
  }
}

std::string resolve_database(std::string database, std::string_view base_directory) {
  // A path that begins with a variable may turn out to be absolute.
  if (database.empty() || base_directory.empty() || database.starts_with("${")) return database;
  std::filesystem::path path(database);
  return path.is_absolute() ? database
                            : (std::filesystem::path(base_directory) / path).lexically_normal().string();
}

void parse_sql(MapReader& tool, ToolSpec& out, bool effect_given, std::string_view base_directory) {
  MapReader in = tool.map("sql");
  out.sql.database = resolve_database(in.required_text("database"), base_directory);
  out.sql.statement = in.required_text("statement");
  out.sql.read_only = in.boolean("read_only", true);
  out.sql.max_rows = static_cast<std::size_t>(in.integer("max_rows", 100, 1, 10000));
  out.sql.max_bytes = static_cast<std::size_t>(in.integer("max_bytes", 64 * 1024, 1, 4 * 1024 * 1024));
  in.finish();
  check_placeholders(in, "statement", sql_parameters(out.sql.statement), out.parameters);
  const Effect only = out.sql.read_only ? Effect::kPure : Effect::kTransactional;
  if (effect_given && out.effect != only) {
    tool.problem("effect", fmt::format("this SQL tool is {} (`read_only: {}`); remove `effect`",
                                       to_string(only), out.sql.read_only));
  }
  out.effect = only;
}

void parse_sub_agent(MapReader& tool, ToolSpec& out, bool effect_given) {
  out.agent.agent = tool.required_text("agent");
  if (!out.agent.agent.empty() && !is_agent_name(out.agent.agent)) {
    tool.problem("agent", "must be an agent's name: lower-case letters, digits and `-`");
  }
  if (effect_given) tool.problem("effect", "a sub-agent is durable itself; remove `effect`");
  out.effect = Effect::kPure;
}

void parse_parameters(MapReader& in, ToolSpec& out) {
  out.parameters = in.json("parameters");
  if (out.parameters.is_null()) {
    out.parameters = Json::object({{"type", "object"}, {"properties", Json::object()}});
    if (out.kind == ToolKind::kAgent) {
      out.parameters["properties"]["input"] = {{"type", "string"},
                                               {"description", "What the agent is to do."}};
      out.parameters["required"] = Json::array({"input"});
    }
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
  if (auto bad = check_schema(out.parameters)) in.problem("parameters", *bad);
}

ToolSpec parse_tool(YamlProblems& problems, const YAML::Node& node, std::string path,
                    std::string_view base_directory) {
  MapReader in(problems, node, std::move(path));
  ToolSpec out;
  out.name = in.required_text("name");
  if (!out.name.empty() && !is_tool_name(out.name)) {
    in.problem("name", "may hold letters, digits, `_` and `-`, 64 at most: models accept no other");
  }
  out.description = in.text("description");
  auto kind = in.choice("type", {"http", "sql", "agent"});
  if (!kind && !in.has("type")) in.missing("type", "http, sql or agent");
  auto effect = in.choice("effect", {"pure", "idempotent", "at_most_once", "transactional"});
  if (effect) out.effect = static_cast<Effect>(*effect);
  if (kind) out.kind = static_cast<ToolKind>(*kind);
  parse_parameters(in, out);
  out.timeout = in.duration("timeout", out.kind == ToolKind::kAgent ? hours(24) : seconds(30), Duration(10),
                            kLongestWait);
  out.retry = parse_retry(in, out.retry);
  static constexpr std::string_view kSections[] = {"http", "sql", "agent"};
  for (std::string_view section : kSections) {
    if (kind && in.has(section) && section != kSections[*kind]) {
      in.problem(section, fmt::format("does not belong to a tool of type `{}`; remove it or change `type`",
                                      kSections[*kind]));
    }
    in.child(section);  // known everywhere, so that only the message above is given
  }
  if (kind && !in.has(kSections[*kind])) {
    in.missing(kSections[*kind], out.kind == ToolKind::kHttp  ? "with `url`"
                                 : out.kind == ToolKind::kSql ? "with `database` and `statement`"
                                                              : "and the agent's name");
  } else if (kind) {
    if (out.kind == ToolKind::kHttp) parse_http(in, out, effect.has_value());
    if (out.kind == ToolKind::kSql) parse_sql(in, out, effect.has_value(), base_directory);
    if (out.kind == ToolKind::kAgent) parse_sub_agent(in, out, effect.has_value());
  }
  in.finish();
  return out;
}

void parse_tools(MapReader& spec, Definition& out, std::string_view base_directory) {
  std::set<std::string> names;
  std::size_t index = 0;
  for (const YAML::Node& node : spec.list("tools", kMaxTools)) {
    std::string path = fmt::format("spec.tools[{}]", index++);
    ToolSpec tool = parse_tool(spec.problems(), node, path, base_directory);
    if (!tool.name.empty() && !names.insert(tool.name).second) {
      spec.problems().add(
          node.Mark(),
          fmt::format("`{}.name`: there is a tool `{}` already; names must differ", path, tool.name));
    }
    out.tools.push_back(std::move(tool));
  }
}

std::optional<Action> parse_action(MapReader& in, std::string_view key) {
  auto action = in.choice(key, {"allow", "deny", "ask"});
  return action ? std::optional(static_cast<Action>(*action)) : std::nullopt;
}

ApprovalRule parse_rule(YamlProblems& problems, const YAML::Node& node, std::string path,
                        const Definition& definition) {
  MapReader in(problems, node, std::move(path));
  ApprovalRule out;
  out.tool = in.required_text("tool");
  const ToolSpec* tool = definition.find_tool(out.tool);
  if (!out.tool.empty() && out.tool != "*" && !tool) {
    std::vector<std::string> names;
    for (const ToolSpec& one : definition.tools) names.push_back(one.name);
    std::string_view near = nearest_name(out.tool, names);
    in.problem("tool", fmt::format("there is no tool `{}`; {}", out.tool,
                                   near.empty() ? "name one of spec.tools, or \"*\" for all"
                                                : fmt::format("did you mean `{}`?", near)));
  }
  std::string when = in.text("when");
  if (!when.empty()) {
    auto condition = Condition::parse(when);
    if (!condition) {
      in.problem("when", fmt::format("`{}`: {}", when, condition.error().message()));
    } else {
      if (tool) check_placeholders(in, "when", condition->arguments_read(), tool->parameters);
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
  in.finish();
  return out;
}

void parse_approvals(MapReader& spec, Definition& out) {
  MapReader in = spec.map("approvals");
  out.approvals.fallback = parse_action(in, "default").value_or(Action::kAllow);
  out.approvals.expires_after = in.duration("expires_after", kDay, Duration(100), kLongestWait);
  out.approvals.approve_on_expiry = in.choice("on_expiry", {"reject", "approve"}).value_or(0) == 1;
  std::size_t index = 0;
  for (const YAML::Node& node : in.list("rules", kMaxRules)) {
    out.approvals.rules.push_back(
        parse_rule(spec.problems(), node, fmt::format("spec.approvals.rules[{}]", index++), out));
  }
  in.finish();
}

void parse_limits(MapReader& spec, Definition& out) {
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

void parse_document(YamlProblems& problems, const YAML::Node& root, std::string_view base_directory,
                    Definition& out) {
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
  metadata.finish();
  MapReader spec = file.map("spec");
  if (!file.has("spec")) file.missing("spec", "with `model` and `prompt`");
  if (file.has("spec")) {
    out.model = parse_model(spec);
    out.prompt = spec.required_text("prompt");
    parse_tools(spec, out, base_directory);
    parse_approvals(spec, out);
    parse_limits(spec, out);
  }
  spec.finish();
  file.finish();
}

}  // namespace

Result<Definition> parse_definition(std::string_view text, std::string_view source,
                                    std::string_view base_directory) {
  if (text.size() > kMaxDefinitionBytes) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: {} bytes, at most {} are allowed; keep data out of the definition", source,
                            text.size(), kMaxDefinitionBytes));
  }
  YamlProblems problems(source);
  Definition out;
  try {
    YAML::Node root = YAML::Load(std::string(text));
    if (!root.IsDefined() || root.IsNull()) {
      return fail(Code::kInvalidArgument, fmt::format("{}:1:1: the file is empty; start with `apiVersion: "
                                                      "holdfast.dev/v1` and `kind: Agent`",
                                                      source));
    }
    parse_document(problems, root, base_directory, out);
  } catch (const YAML::Exception& broken) {
    problems.add(broken.mark, fmt::format("broken YAML: {}", broken.msg));
  }
  if (!problems.empty()) return fail(problems.status());
  return out;
}

}  // namespace holdfast::agent
