#pragma once

// Questions of `type: human` tools, whichever protocol puts them to a person: who may answer, and what is an
// answer. Pure, but for whether somebody is asked, which is in the store.

#include <expected>
#include <string>

#include "interop/host.h"
#include "protocol/human_question.h"
#include "runs/run_question.h"

namespace holdfast::interop {

using runs::question_of;  // none: it asks whether a call may be made
// Whether the caller may decide, and is one of those whom the question asks.
bool may_answer(const Host& host, const identity::Caller& caller, const platform::Approval& approval);
// A message can answer it: its form asks for no file, which is uploaded on the question's own page.
bool takes_data(const protocol::HumanQuestion& question);
// What was said as the decision that it is; else what is wrong with it. Which approval, and who says so, is
// left to the caller.
std::expected<runs::DecisionRequest, std::string> answer_to(const protocol::HumanQuestion& question,
                                                            const Json& said);

}  // namespace holdfast::interop
