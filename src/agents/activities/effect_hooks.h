#pragma once

// What the hooks of a tool are called with, and what their answers mean. Pure; any thread.

#include <string>
#include <string_view>

#include "definition/definition.h"
#include "holdfast/status.h"
#include "spec/condition.h"

namespace holdfast::agent {

// How long a call of that tool, a hook, may take and how often it is tried, as PlannedCall has it.
Json attempts_of(const ToolSpec& tool);

// Into what the workflow needs to make the call: that there are hooks, and how long they may take.
void plan_hooks(const AgentDefinition& agent, const ToolSpec& tool, protocol::PlannedCall& planned);

// What a hook's placeholders refer to: the arguments of the call it is about, its key, and its result (JSON,
// or the text that it is).
Json hook_document(const Json& arguments, std::string_view key, std::string_view result);

// The arguments of the hook's call, which fit the parameters of the tool that is called.
Result<Json> hook_arguments(const HookCall& hook, const ToolSpec& called, const Json& document);

// Whether the call took effect, by the answer of the tool that was asked. With a condition: what that says of
// the answer (a text or a list is `result` to it). Without: `happened` of an object, or whether there are
// `rows`, or whether a list has items. Everything else leaves it unknown.
spec::Truth took_effect(const Reconcile& hook, std::string_view answer);

}  // namespace holdfast::agent
