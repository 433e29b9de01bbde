#pragma once

// The line of a run: what `flow` of its agent makes of what it is given. Pure but for the definition that
// flow_of() reads.

#include <optional>
#include <string>

#include "definition/definition.h"
#include "holdfast/status.h"
#include "platform/store.h"

namespace holdfast::agent {

// None: it stands in none. `input`: text, or JSON; `context`: null, when there is none.
std::optional<platform::FlowPlace> flow_place(const AgentDefinition& agent, const Json& input,
                                              const Json& context);

// Of a run that is to be started with the intent.
Result<std::optional<platform::FlowPlace>> flow_of(const platform::Definition& definition,
                                                   const platform::StartIntent& intent);

}  // namespace holdfast::agent
