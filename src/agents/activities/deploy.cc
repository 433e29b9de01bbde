#include "activities/deploy.h"

#include <fmt/format.h>

#include <algorithm>

#include "activities/catalog.h"
#include "model/provider.h"
#include "net/reach.h"

namespace holdfast::agent {

namespace {

Status check_tools(const AgentDefinition& definition, std::string_view source) {
  for (const ToolSpec& tool : definition.tools) {
    if (!tool.type->check) continue;
    if (auto bad = tool.type->check(tool)) {
      return {Code::kInvalidArgument, fmt::format("{}: tool `{}`: {}", source, tool.name, *bad)};
    }
  }
  return {};
}

Needs model_needs(const ModelSpec& model) {
  const std::string url = model_url(model);
  Needs out = {{.kind = Need::Kind::kHost, .name = {}, .url = url}};
  if (!model.api_key_env.empty())
    out.push_back({.kind = Need::Kind::kKey, .name = model.api_key_env, .url = url});
  return out;
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

std::string model_url(const ModelSpec& model) {
  if (!model.base_url.empty()) return model.base_url;
  const auto provider = model::find_provider(model.provider);
  return provider ? std::string((*provider)->default_url) : std::string();
}

Result<Deployed> deploy(platform::Store& store, const ToDeploy& from) {
  auto parsed = parse_definition(from.text, from.source, from.base_directory);
  if (!parsed) return fail(parsed.error());
  if (!from.expected_name.empty() && parsed->name != from.expected_name) {
    return fail(Code::kFailedPrecondition,
                fmt::format("the definition calls itself '{}', not '{}'", parsed->name, from.expected_name));
  }
  if (Status tools = check_tools(*parsed, from.source); !tools.ok()) return fail(std::move(tools));
  close_parameters(*parsed);
  Deployed out;
  out.needs = model_needs(parsed->model);
  const auto permits = from.within ? from.within->of(version_of(*parsed)) : nullptr;
  if (permits) {
    GrantCheck check(*permits, from.source);
    check.ask("model", out.needs);
    for (const ToolSpec& tool : parsed->tools)
      check.ask(fmt::format("tool `{}`", tool.name), tool.type->needs(tool));
    for (const Notified& one : parsed->notify) check.ask("notify", one.message.type->needs(one.message));
    if (Status granted = check.status(); !granted.ok()) return fail(std::move(granted));
  }
  for (const ToolSpec& tool : parsed->tools) {
    for (Need& need : tool.type->needs(tool)) out.needs.push_back(std::move(need));
  }
  for (const Notified& one : parsed->notify) {
    for (Need& need : one.message.type->needs(one.message)) out.needs.push_back(std::move(need));
  }
  auto before = store.current_definition(parsed->name);
  if (!before && before.error().code() != Code::kNotFound) return fail(before.error());
  auto stored = store.put_definition(parsed->name, canonical_json(*parsed));
  if (!stored) return fail(stored.error());
  out.name = stored->name;
  out.version = stored->hash;
  out.created = !before || before->hash != stored->hash;
  return out;
}

}  // namespace holdfast::agent
