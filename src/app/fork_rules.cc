#include "app/fork_rules.h"

#include "activities/rule_calls.h"

namespace holdfast::app {

namespace {

// What was made before stays made, whatever the version says.
void rule(const agent::CallRules& rules, WallTime now, runs::RuledCall& one) {
  agent::CallRuling ruling = rules.rule(one.call.tool, one.call.arguments, now);
  one.effect = std::move(ruling.effect);
  if (one.fate == runs::CallFate::kReuse) return;
  one.reason = std::move(ruling.reason);
  if (ruling.action.empty()) one.fate = runs::CallFate::kUnknownTool;
  if (ruling.action == "ask") one.fate = runs::CallFate::kAsk;
  if (ruling.action == "deny") one.fate = runs::CallFate::kDeny;
}

}  // namespace

runs::RuleCalls rule_calls(const Clock& clock) {
  return [&clock](const platform::Definition& definition, std::vector<runs::RuledCall>& calls) -> Status {
    auto rules = agent::CallRules::read(definition);
    if (!rules) return rules.error();
    for (runs::RuledCall& one : calls) rule(*rules, clock.now(), one);
    return {};
  };
}

}  // namespace holdfast::app
