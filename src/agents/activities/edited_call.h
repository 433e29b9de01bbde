#pragma once

// What schema, tool and policy say of arguments that a person put in the place of a model's: asked when the
// decision is made, so that its maker hears of it, and again when the run takes it. Pure but for the store
// that check_edit reads; any thread.

#include <string>
#include <string_view>

#include "definition/definition.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/store.h"
#include "protocol/activities.h"

namespace holdfast::agent {

using namespace protocol;

struct EditedCall {
  Verdict verdict = Verdict::kInvalid;
  std::string reason;
  std::string canonical;  // the arguments, keys sorted; empty when the verdict is kInvalid
  Json input;             // what the tool's plan made of them
};

// "ask" is what just happened, so it allows.
// `bound`: CallRef::bound of the call.
EditedCall rule_on_edit(const AgentDefinition& agent, std::string_view tool, std::string_view arguments,
                        const Json& bound, WallTime now);

// INVALID_ARGUMENT or FAILED_PRECONDITION (policy) says why the run that asked would not make the call. OK,
// too, when that run keeps no version here, as that of a sub-agent: then the run itself decides.
Status check_edit(platform::Store& store, const platform::Approval& approval, std::string_view arguments,
                  WallTime now);

}  // namespace holdfast::agent
