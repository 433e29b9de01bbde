#include "activities/deploy.h"

#include <fmt/format.h>

#include <algorithm>

#include "activities/catalog.h"
#include "definition/model_section.h"
#include "model/provider.h"
#include "net/reach.h"

namespace holdfast::agent {

namespace {

Status check_tools(const AgentDefinition& definition, std::string_view source) {
  std::string problems;
  for (const ToolSpec& tool : definition.tools) {
    if (!tool.type->check) continue;
    if (auto bad = tool.type->check(tool))
      problems += fmt::format("{}{}: tool `{}`: {}", problems.empty() ? "" : "\n", source, tool.name, *bad);
  }
  return problems.empty() ? Status() : Status(Code::kInvalidArgument, std::move(problems));
}

// A rule that names a tool of `type: human` lets the question be asked, and holds for its answer. Here and
// not where definitions are read: versions that were deployed before stay readable.
Status check_questions(const AgentDefinition& definition, std::string_view source) {
  std::string problems;
  std::size_t index = 0;
  for (const ApprovalRule& rule : definition.approvals.rules) {
    const std::string where = fmt::format("spec.approvals.rules[{}].quorum", index++);
    const ToolSpec* tool = definition.find_tool(rule.tool);
    if (rule.terms.quorum <= 1 || tool == nullptr || tool->type->name != "human") continue;
    problems += fmt::format(
        "{}{}: {}: `{}` is of `type: human`, and one answer to a question wins: {} people cannot give it. "
        "Remove "
        "`quorum`; who may answer stands in `human.people` and `human.roles`, and where several have to "
        "agree, "
        "put the rule on the tool that acts on the answer",
        problems.empty() ? "" : "\n", source, where, tool->name, rule.terms.quorum);
  }
  return problems.empty() ? Status() : Status(Code::kInvalidArgument, std::move(problems));
}

// A server reads no folders for who calls its API.
Status check_skills(const AgentDefinition& definition, std::string_view source) {
  for (const Skill& skill : definition.skills) {
    if (skill.path.empty()) continue;
    return {Code::kInvalidArgument,
            fmt::format("{}: the skill in `{}` comes without its texts: give them as `files`, as the command "
                        "line does",
                        source, skill.path)};
  }
  return {};
}

// Every refusal at once, a line each.
class GrantCheck {
 public:
  GrantCheck(const grant::Permits& permits, std::string_view source) : permits_(permits), source_(source) {}

  void ask(std::string_view who, const Needs& needs) {
    // A key that may go there makes the host of the model known, too: one grant is enough to ask for.
    for (const Need& need : needs) {
      const Status status = permits_.check(need);
      if (status.ok() || is_told_by_another(need, needs)) continue;
      if (!message_.empty()) message_ += '\n';
      message_ += fmt::format("{}: {}: {}", source_, who, status.message());
      refused_.push_back(status);
    }
  }
  Status status() {
    if (refused_.empty()) return {};
    Status out(Code::kPermissionDenied, std::move(message_));
    for (const Status& one : refused_) net::add_missing_grants(out, one);
    return out;
  }

 private:
  bool is_told_by_another(const Need& need, const Needs& needs) const {
    if (need.kind != Need::Kind::kHost) return false;
    return std::any_of(needs.begin(), needs.end(), [&](const Need& other) {
      return (other.kind == Need::Kind::kKey || other.kind == Need::Kind::kVariable) &&
             other.url == need.url && !permits_.check(other).ok();
    });
  }

  const grant::Permits& permits_;
  std::string_view source_;
  std::string message_;
  std::vector<Status> refused_;
};

}  // namespace

Needs needs_of(const AgentDefinition& definition) {
  Needs out = model_needs(definition.model, model_url);
  const auto add = [&out](Needs needs) {
    for (Need& need : needs) out.push_back(std::move(need));
  };
  for (const auto& [unused, model] : definition.models) add(model_needs(model, model_url));
  for (const auto& server : definition.mcp_servers) add(needs_of(*server));
  for (const ToolSpec& tool : definition.tools) add(tool.type->needs(tool));
  for (const Notified& one : definition.notify) add(one.message.type->needs(one.message));
  return out;
}

namespace {

Status check_grants(const AgentDefinition& definition, const grant::Permits& permits,
                    std::string_view source) {
  GrantCheck check(permits, source);
  check.ask("model", model_needs(definition.model, model_url));
  for (const auto& [role, model] : definition.models)
    check.ask(fmt::format("model of `{}`", role), model_needs(model, model_url));
  for (const auto& server : definition.mcp_servers)
    check.ask(fmt::format("MCP server `{}`", server->name), needs_of(*server));
  for (const ToolSpec& tool : definition.tools) {
    if (tool.type->name != "mcp") check.ask(fmt::format("tool `{}`", tool.name), tool.type->needs(tool));
  }
  for (const Notified& one : definition.notify) check.ask("notify", one.message.type->needs(one.message));
  return check.status();
}

// With the tools of its MCP servers. Nobody is asked who is not granted.
Status add_mcp_tools(platform::Store& store, const ToDeploy& from, AgentDefinition& definition) {
  if (definition.mcp_servers.empty()) return {};
  const grant::Grants* grants = from.within ? from.within : from.grants;
  if (grants == nullptr) return {Code::kUnimplemented, "MCP servers cannot be asked for their tools here"};
  const auto permits =
      from.within ? grants->of(version_of(definition)) : grants->naming(needs_of(definition));
  if (from.within) {
    if (Status granted = check_grants(definition, *permits, from.source); !granted.ok()) return granted;
  }
  std::optional<AgentDefinition> before;
  if (from.keep_tools) {
    const auto stored = store.current_definition(definition.name);
    if (stored) {
      if (auto read = parse_definition(stored->text, definition.name)) before = *std::move(read);
    }
  }
  auto with_tools =
      with_mcp_tools(definition, from.source, from.asking, *permits, before ? &*before : nullptr);
  if (!with_tools) return with_tools.error();
  definition = *std::move(with_tools);
  return {};
}

}  // namespace

std::string model_url(const ModelSpec& model) {
  if (!model.base_url.empty()) return model.base_url;
  const auto provider = model::find_provider(model.provider);
  return provider ? std::string((*provider)->default_url) : std::string();
}

Result<AgentDefinition> read_definition(std::string_view text, std::string_view source,
                                        std::string_view base_directory) {
  auto parsed = parse_definition(text, source, base_directory);
  if (!parsed) return parsed;
  if (Status tools = check_tools(*parsed, source); !tools.ok()) return fail(std::move(tools));
  if (Status asks = check_questions(*parsed, source); !asks.ok()) return fail(std::move(asks));
  close_parameters(*parsed);
  return parsed;
}

Result<Deployed> deploy(platform::Store& store, const ToDeploy& from) {
  auto parsed = read_definition(from.text, from.source, from.base_directory);
  if (!parsed) return fail(parsed.error());
  if (!from.expected_name.empty() && parsed->name != from.expected_name) {
    return fail(Code::kFailedPrecondition,
                fmt::format("the definition calls itself '{}', not '{}'", parsed->name, from.expected_name));
  }
  if (Status skills = check_skills(*parsed, from.source); !skills.ok()) return fail(std::move(skills));
  Deployed out;
  out.text_version = version_of(*parsed);
  if (Status added = add_mcp_tools(store, from, *parsed); !added.ok()) return fail(std::move(added));
  close_parameters(*parsed);
  if (from.within) {
    Status granted = check_grants(*parsed, *from.within->of(version_of(*parsed)), from.source);
    if (!granted.ok()) return fail(std::move(granted));
  }
  out.needs = needs_of(*parsed);
  auto before = store.current_definition(parsed->name);
  if (!before && before.error().code() != Code::kNotFound) return fail(before.error());
  const auto known = store.definition(parsed->name, version_of(*parsed));
  if (!known && known.error().code() != Code::kNotFound) return fail(known.error());
  auto stored = store.put_definition(parsed->name, canonical_json(*parsed));
  if (!stored) return fail(stored.error());
  out.name = stored->name;
  out.version = stored->hash;
  out.created = !before || before->hash != stored->hash;
  out.is_new = !known;
  return out;
}

}  // namespace holdfast::agent
