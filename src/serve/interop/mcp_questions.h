#pragma once

// Questions of `type: human` tools, as an MCP client can put them to a person: an elicitation knows forms of
// single texts, numbers, yes or no and choices. Pure, but for whether somebody is asked, which is in the
// store.

#include <optional>

#include "interop/host.h"
#include "protocol/human_question.h"
#include "runs/run_question.h"

namespace holdfast::interop {

using runs::question_of;  // none: it asks whether a call may be made
// Whether the caller may decide, and is one of those whom the question asks.
bool may_answer(const Host& host, const identity::Caller& caller, const platform::Approval& approval);
// `requestedSchema` of the question's form; none: it has what an elicitation cannot ask for, a file or a
// list.
std::optional<Json> elicitation_form(const protocol::HumanQuestion& question);

}  // namespace holdfast::interop
