#include "app/fork_rules.h"

#include "activities/rule_calls.h"

namespace holdfast::app {

// What was made before stays made, whatever the version says.
Status rule_calls(const platform::Definition& definition, std::vector<runs::RuledCall>& calls) {
  auto rules = agent::CallRules::read(definition);
  if (!rules) return rules.error();
  for (runs::RuledCall& one : calls) {
    agent::CallRuling ruling = rules->rule(one.call.tool, one.call.arguments);
    one.effect = std::move(ruling.effect);
    if (one.fate == runs::CallFate::kReuse) continue;
    one.reason = std::move(ruling.reason);
    if (ruling.action.empty()) one.fate = runs::CallFate::kUnknownTool;
    if (ruling.action == "ask") one.fate = runs::CallFate::kAsk;
    if (ruling.action == "deny") one.fate = runs::CallFate::kDeny;
  }
  return {};
}

}  // namespace holdfast::app
