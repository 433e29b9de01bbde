#include "activities/rule_calls.h"

#include <memory>
#include <utility>

#include "activities/builtin_tools.h"
#include "activities/catalog.h"
#include "base/json.h"
#include "definition/definition.h"

namespace holdfast::agent {

struct CallRules::Impl {
  AgentDefinition agent;
};

CallRules::CallRules(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CallRules::CallRules(CallRules&&) noexcept = default;
CallRules& CallRules::operator=(CallRules&&) noexcept = default;
CallRules::~CallRules() = default;

Result<CallRules> CallRules::read(const platform::Definition& definition) {
  auto agent = parse_definition(definition.text, definition.name);
  if (!agent) return fail(agent.error());
  return CallRules(std::make_unique<Impl>(Impl{*std::move(agent)}));
}

CallRuling CallRules::rule(std::string_view tool, std::string_view arguments, WallTime now) const {
  CallRuling out;
  const ToolSpec* spec = tool_named(impl_->agent, tool);
  if (!spec) return out;
  out.effect = protocol::to_string(spec->effect);
  const Json read = parse_json(arguments.empty() ? "{}" : arguments);
  PolicyFacts facts;
  facts.now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  Ruling ruling = ruling_of(impl_->agent, *spec, read.is_object() ? read : Json::object(), facts);
  out.action = to_string(ruling.action);
  out.reason = std::move(ruling.reason);
  if (reads_history(impl_->agent.approvals, spec->name)) {
    if (!out.reason.empty()) out.reason += "; ";
    out.reason += "a rule looks at what the run has done when the call is made";
  }
  return out;
}

}  // namespace holdfast::agent
