#include "activities/mcp_tools.h"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>

#include "activities/catalog.h"
#include "base/json.h"
#include "spec/duration.h"

namespace holdfast::agent {

namespace {

bool is_of_a_server(const Json& tool) {
  return tool["type"] == "mcp";
}

Effect effect_of(const McpServer& server, const mcp::ListedTool& tool) {
  for (const std::string_view name : {std::string_view(tool.name), std::string_view("*")}) {
    const auto said = server.effects.find(std::string(name));
    if (said != server.effects.end()) return said->second;
    // What the operator says of one tool counts more than what the server says, and that more than his `*`.
    if (name != "*" && server.trust_annotations && tool.claimed != Effect::kAtMostOnce) return tool.claimed;
  }
  return Effect::kAtMostOnce;
}

// As it stands in a stored definition.
Json entry_of(const McpServer& server, const mcp::ListedTool& tool) {
  Json out = {{"name", mcp_tool_name(server, tool.name)},
              {"type", "mcp"},
              {"parameters", tool.parameters},
              {"effect", to_string(effect_of(server, tool))},
              {"timeout", spec::format_duration(server.timeout)},
              {"mcp", {{"server", server.name}, {"tool", tool.name}, {"sha256", tool.sha256}}}};
  if (!tool.description.empty()) out["description"] = tool.description;
  if (!tool.headers.empty()) out["mcp"]["headers"] = tool.headers;
  return out;
}

// What the definition names must be there: a misspelt tool would otherwise be missed by nobody.
Status check_named(const McpServer& server, const mcp::Listing& listing) {
  std::vector<std::string> names;
  for (const mcp::ListedTool& tool : listing.tools) names.push_back(tool.name);
  std::vector<std::string> asked = server.allow;
  for (const auto& [name, unused] : server.effects) {
    if (name != "*") asked.push_back(name);
  }
  for (const std::string& name : asked) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    for (const std::string& left_out : listing.left_out) {
      if (left_out.starts_with(fmt::format("`{}`: ", name)))
        return {Code::kInvalidArgument, fmt::format("its tool {}", left_out)};
    }
    const std::string_view near = spec::nearest_name(name, names);
    return {Code::kInvalidArgument,
            fmt::format("it has no tool `{}`{}", name,
                        near.empty() ? "" : fmt::format("; did you mean `{}`?", near))};
  }
  return {};
}

// What is not passing and no lack of a grant is a fault of the definition: it names such a server.
Status problem_of(const Status& status) {
  switch (status.code()) {
    case Code::kUnavailable:
    case Code::kCancelled: return {Code::kUnavailable, status.message()};
    case Code::kPermissionDenied: return status;
    default: return {Code::kInvalidArgument, status.message()};
  }
}

Result<Json> asked(const std::shared_ptr<const McpServer>& server, const McpAsking& asking,
                   const grant::Permits& permits, MonotonicTime deadline) {
  mcp::Access access;
  access.clock = asking.clock;
  access.permits = &permits;
  access.stop = asking.stop;
  access.deadline = deadline;
  auto listing = asking.client->list(server, access);
  if (!listing) return fail(problem_of(listing.error().status()));
  if (Status named = check_named(*server, *listing); !named.ok()) return fail(std::move(named));
  // In an order of ours, so that a server that shuffles them makes no new version.
  std::sort(listing->tools.begin(), listing->tools.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  Json out = Json::array();
  for (const mcp::ListedTool& tool : listing->tools) {
    if (server->allows(tool.name)) out.push_back(entry_of(*server, tool));
  }
  return out;
}

// The tools that the same server has in a version that is there; none: it stands there otherwise.
std::optional<Json> kept(const McpServer& server, const AgentDefinition* pinned) {
  const McpServer* before = pinned == nullptr ? nullptr : find_server(pinned->mcp_servers, server.name);
  if (before == nullptr || mcp_server_json(*before) != mcp_server_json(server)) return std::nullopt;
  Json out = Json::array();
  const Json canonical = Json::parse(canonical_json(*pinned));
  for (const Json& tool : canonical["spec"]["tools"]) {
    if (is_of_a_server(tool) && tool["mcp"]["server"] == server.name) out.push_back(tool);
  }
  return out;
}

Status check_rules(const AgentDefinition& definition) {
  for (const ApprovalRule& rule : definition.approvals.rules) {
    if (rule.tool.ends_with('*') || definition.find_tool(rule.tool)) continue;
    std::vector<std::string> names;
    for (const ToolSpec& tool : definition.tools) names.push_back(tool.name);
    const std::string_view near = spec::nearest_name(rule.tool, names);
    return {Code::kInvalidArgument,
            fmt::format("`spec.approvals.rules`: there is no tool `{}`{}", rule.tool,
                        near.empty() ? "" : fmt::format("; did you mean `{}`?", near))};
  }
  return {};
}

// Asking keeps a thread of the API busy: a few may.
class Turn {
 public:
  explicit Turn() : taken_(++count_ <= kMaxAskingForTools) {}
  ~Turn() { --count_; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool taken() const { return taken_; }

 private:
  static inline std::atomic<int> count_ = 0;
  const bool taken_;
};

}  // namespace

Result<AgentDefinition> with_mcp_tools(const AgentDefinition& definition, std::string_view source,
                                       const McpAsking& asking, const grant::Permits& permits,
                                       const AgentDefinition* pinned) {
  if (asking.client == nullptr)
    return fail(Code::kUnimplemented,
                fmt::format("{}: this program asks no MCP servers for their tools", source));
  const Turn turn;
  if (!turn.taken())
    return fail(Code::kResourceExhausted,
                "other definitions are asking MCP servers for their tools; try again");
  const MonotonicTime deadline = asking.clock->monotonic() + kAskingForTools;
  Json out = Json::parse(canonical_json(definition));
  Json& tools = out["spec"]["tools"];
  std::erase_if(tools.get_ref<Json::array_t&>(), is_of_a_server);
  for (const auto& server : definition.mcp_servers) {
    if (auto same = kept(*server, pinned)) {
      tools.insert(tools.end(), same->begin(), same->end());
      continue;
    }
    auto found = asked(server, asking, permits, deadline);
    if (!found) {
      return fail(found.error().code(),
                  fmt::format("{}: MCP server `{}`: {}", source, server->name, found.error().message()));
    }
    tools.insert(tools.end(), found->begin(), found->end());
  }
  if (tools.size() > kMaxTools) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("{}: with those of its MCP servers the agent has {} tools, at most {} are allowed; name "
                    "the ones it needs in `tools: {{allow: [...]}}`",
                    source, tools.size(), kMaxTools));
  }
  const std::string text = dump_json(out);
  if (text.size() > kMaxDefinitionBytes) {
    return fail(
        Code::kInvalidArgument,
        fmt::format(
            "{}: with the tools of its MCP servers the definition has {} bytes, at most {} are allowed; "
            "name the ones it needs in `tools: {{allow: [...]}}`",
            source, text.size(), kMaxDefinitionBytes));
  }
  auto read = parse_definition(text, source);
  if (!read) return fail(read.error());
  if (Status rules = check_rules(*read); !rules.ok())
    return fail(rules.code(), fmt::format("{}: {}", source, rules.message()));
  return read;
}

}  // namespace holdfast::agent
