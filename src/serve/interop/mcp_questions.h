#pragma once

// Questions of `type: human` tools, as an MCP client can put them to a person: an elicitation knows forms of
// single texts, numbers, yes or no and choices. Pure.

#include <optional>

#include "interop/questions.h"

namespace holdfast::interop {

// `requestedSchema` of the question's form; none: it has what an elicitation cannot ask for, a file or a
// list.
std::optional<Json> elicitation_form(const protocol::HumanQuestion& question);

}  // namespace holdfast::interop
