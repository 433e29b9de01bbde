#include "definition/mcp_servers.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/json.h"
#include "base/sha256.h"
#include "definition/names.h"
#include "spec/duration.h"
#include "spec/template.h"

namespace holdfast::agent {

namespace {

using Json = nlohmann::json;
using protocol::Effect;
using std::chrono::milliseconds;

constexpr std::size_t kMaxWords = 64;
constexpr std::size_t kMaxWordBytes = 4096;
constexpr std::size_t kMaxNamed = 1024;  // tools in `allow` or `effects`
constexpr std::size_t kMaxToolName = 64;
constexpr std::array<std::string_view, 3> kEffects = {"pure", "idempotent", "at_most_once"};

// The rest of a header that the client sets itself, and what frames a message.
bool is_own_header(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  static const std::set<std::string> kOurs = {"accept", "content-type", "content-length", "last-event-id"};
  return name.starts_with("mcp-") || kOurs.contains(name);
}

bool is_server_name(std::string_view name) {
  auto ok = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= 32 && std::isalpha(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(), ok) && name.find("__") == std::string_view::npos &&
         name.back() != '_';
}

std::vector<std::string> texts(spec::MapReader& in, std::string_view key, std::size_t most) {
  std::vector<std::string> out;
  for (const YAML::Node& node : in.list(key, most)) {
    if (node.IsScalar() && node.Scalar().size() <= kMaxWordBytes &&
        node.Scalar().find('\0') == std::string::npos) {
      out.push_back(node.Scalar());
    } else {
      in.problems().add(node.Mark(),
                        fmt::format("`{}`: must be text of at most {} bytes", key, kMaxWordBytes));
    }
  }
  return out;
}

void read_command(spec::MapReader& in, McpServer& out) {
  out.command = texts(in, "command", kMaxWords);
  if (!out.command.empty() && !out.command.front().starts_with('/')) {
    in.problem("command",
               fmt::format("`{}`: the program is an absolute path; no shell and no PATH looks for it",
                           out.command.front()));
  }
  for (auto& [name, value] : in.text_map("env")) {
    if (name.empty() || !is_environment_name(name) || value.find('\0') != std::string::npos)
      in.problem("env", fmt::format("`{}` is no name of a variable", name));
    out.environment[name] = value;
  }
}

void read_url(spec::MapReader& in, McpServer& out) {
  out.url = in.text("url");
  if (!out.url.empty() && !is_http_url(out.url)) in.problem("url", "must start with http:// or https://");
  for (auto& [name, value] : in.text_map("headers")) {
    if (name.empty() || name.find_first_of("\r\n: ") != std::string::npos ||
        value.find_first_of("\r\n") != std::string::npos) {
      in.problem("headers", fmt::format("`{}` is no valid header", name));
    } else if (is_own_header(name)) {
      in.problem("headers", fmt::format("`{}` is set by the protocol; remove it", name));
    }
    out.headers[name] = value;
  }
  out.auth = read_auth(in);
}

void read_tools(spec::MapReader& parent, McpServer& out) {
  spec::MapReader in = parent.map("tools");
  out.allow = texts(in, "allow", kMaxNamed);
  if (in.has("allow") && out.allow.empty())
    in.problem("allow", "names no tool; name some, or remove it, which allows all");
  spec::MapReader effects = in.map("effects");
  std::vector<std::string> named;
  for (auto& [tool, unused] : in.text_map("effects")) named.push_back(tool);
  if (named.size() > kMaxNamed) in.problem("effects", fmt::format("at most {} are allowed", kMaxNamed));
  for (const std::string& tool : named) {
    if (auto effect = effects.choice(tool, {kEffects.begin(), kEffects.end()}))
      out.effects[tool] = static_cast<Effect>(*effect);
    if (tool != "*" && !out.allows(tool))
      effects.problem(tool, "is the effect of a tool that `allow` leaves out");
  }
  out.trust_annotations = in.boolean("trust_annotations", false);
  in.finish();
}

std::shared_ptr<const McpServer> read_server(spec::YamlProblems& problems, const YAML::Node& node,
                                             std::string path) {
  spec::MapReader in(problems, node, std::move(path));
  auto out = std::make_shared<McpServer>();
  out->name = in.required_text("name");
  if (!out->name.empty() && !is_server_name(out->name)) {
    in.problem("name",
               "may hold letters, digits, `-` and single `_`, 32 at most, and begins with a letter: its "
               "tools are called NAME__TOOL");
  }
  read_url(in, *out);
  read_command(in, *out);
  const bool by_url = in.has("url");
  if (by_url == in.has("command")) {
    in.problem("name", by_url ? "give `url` or `command`, not both"
                              : "add `url:` of a server over HTTP, or `command: [/path/to/program, ...]`");
  }
  for (std::string_view key :
       by_url ? std::vector<std::string_view>{"env"} : std::vector<std::string_view>{"headers", "auth"}) {
    if (in.has(key))
      in.problem(key,
                 fmt::format("does not belong to a server with `{}`; remove it", by_url ? "url" : "command"));
  }
  read_tools(in, *out);
  out->timeout = in.duration("timeout", out->timeout, milliseconds(100), std::chrono::hours(24));
  out->max_response_bytes = static_cast<std::size_t>(
      in.integer("max_response_bytes", static_cast<std::int64_t>(out->max_response_bytes), 1024,
                 static_cast<std::int64_t>(kMaxMcpAnswerBytes)));
  in.finish();
  return out;
}

constexpr std::string_view kSchema = R"json({
  "type": "array",
  "maxItems": 16,
  "items": {
    "type": "object",
    "additionalProperties": false,
    "required": ["name"],
    "properties": {
      "name": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,31}$", "description": "Its tools are called NAME__TOOL."},
      "url": {"type": "string", "pattern": "^https?://", "description": "A server over streamable HTTP."},
      "command": {"type": "array", "maxItems": 64, "minItems": 1, "items": {"type": "string"}, "description": "A server that is a program: its absolute path and its arguments. No shell."},
      "headers": {"type": "object", "additionalProperties": {"type": "string"}},
      "env": {"type": "object", "additionalProperties": {"type": "string"}, "description": "The whole environment of the program."},
      "tools": {
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "allow": {"type": "array", "minItems": 1, "items": {"type": "string"}, "description": "Names as the server has them; all, if it is left out."},
          "effects": {"type": "object", "additionalProperties": {"enum": ["pure", "idempotent", "at_most_once"]}, "description": "By name, or * for the others. The default is at_most_once."},
          "trust_annotations": {"type": "boolean", "description": "What the server says of its tools decides their effect."}
        }
      },
      "timeout": {"$ref": "#/$defs/duration"},
      "max_response_bytes": {"type": "integer", "minimum": 1024, "maximum": 16777216}
    }
  }
})json";

}  // namespace

bool McpServer::allows(std::string_view tool) const {
  return allow.empty() || std::find(allow.begin(), allow.end(), tool) != allow.end();
}

McpServers read_mcp_servers(spec::MapReader& spec) {
  McpServers out;
  std::size_t index = 0;
  for (const YAML::Node& node : spec.list("mcp_servers", kMaxMcpServers)) {
    auto server = read_server(spec.problems(), node, fmt::format("spec.mcp_servers[{}]", index++));
    if (find_server(out, server->name) != nullptr)
      spec.problems().add(node.Mark(),
                          fmt::format("there is a server `{}` already; names must differ", server->name));
    out.push_back(std::move(server));
  }
  return out;
}

Json mcp_server_json(const McpServer& server) {
  Json out = {{"name", server.name},
              {"timeout", spec::format_duration(server.timeout)},
              {"max_response_bytes", server.max_response_bytes}};
  if (!server.url.empty()) out["url"] = server.url;
  if (!server.command.empty()) out["command"] = server.command;
  if (!server.headers.empty()) out["headers"] = server.headers;
  if (!server.environment.empty()) out["env"] = server.environment;
  if (server.auth) out["auth"] = auth_json(*server.auth);
  Json tools = Json::object();
  if (!server.allow.empty()) tools["allow"] = server.allow;
  for (const auto& [tool, effect] : server.effects) tools["effects"][tool] = to_string(effect);
  if (server.trust_annotations) tools["trust_annotations"] = true;
  if (!tools.empty()) out["tools"] = std::move(tools);
  return out;
}

std::string mcp_servers_schema() {
  auto out = nlohmann::ordered_json::parse(kSchema);
  out["items"]["properties"]["auth"] = nlohmann::ordered_json::parse(kAuthSchema);
  return dump_json(out);
}

const McpServer* find_server(const McpServers& servers, std::string_view name) {
  for (const auto& server : servers) {
    if (server->name == name) return server.get();
  }
  return nullptr;
}

const McpServer* server_of_tool(const McpServers& servers, std::string_view tool) {
  const std::size_t end = tool.find("__");
  return end == std::string_view::npos ? nullptr : find_server(servers, tool.substr(0, end));
}

std::string mcp_tool_name(const McpServer& server, std::string_view tool) {
  std::string out = server.name + "__";
  for (const char c : tool)
    out += std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' ? c : '_';
  if (out.size() <= kMaxToolName && std::string_view(out).substr(server.name.size() + 2) == tool) return out;
  const std::string mark = "_" + sha256_hex(tool).substr(0, 8);
  return out.substr(0, kMaxToolName - mark.size()) + mark;
}

std::string command_text(const std::vector<std::string>& command) {
  std::string out;
  for (const char c : dump_json(Json(command))) out += c == ' ' ? "\\u0020" : std::string(1, c);
  return out;
}

Needs needs_of(const McpServer& server) {
  Needs out;
  const auto add_variables = [&out](const std::string& value, const std::string& url) {
    for (std::string& name : spec::environment_names(value))
      out.push_back({.kind = Need::Kind::kVariable, .name = std::move(name), .url = url});
  };
  if (!server.command.empty()) {
    out.push_back({.kind = Need::Kind::kCommand, .name = command_text(server.command), .url = {}});
    for (const auto& [unused, value] : server.environment) add_variables(value, "");
    return out;
  }
  out.push_back({.kind = Need::Kind::kHost, .name = {}, .url = server.url});
  for (const auto& [unused, value] : server.headers) add_variables(value, server.url);
  if (server.auth) add_needs(*server.auth, out);
  return out;
}

}  // namespace holdfast::agent
