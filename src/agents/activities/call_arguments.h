#pragma once

// The arguments of a call, where they are: in the message that holds it, in the approval with which a person
// has edited them, or, of a call that no message holds, in a step record. Reads the store; a failure is
// thrown as ApplicationFailure.

#include <string>
#include <vector>

#include "model/message.h"
#include "platform/store.h"
#include "protocol/call.h"

namespace holdfast::agent {

// As the model sent them, or as a person edited them.
std::string call_text(platform::Store& store, const protocol::CallRef& call);
// The arguments as the call has them in a round of code: {"calls": [{"tool", "arguments"}]}.
std::string text_in_round(const protocol::CallRef& call, const std::string& round);
// Of a call whose message, the first of these, has been read.
std::string call_text_in(const protocol::CallRef& call, const std::vector<platform::Message>& messages);
std::string call_text_in(const protocol::CallRef& call, const model::Message& message);
// With those that the model does not give.
protocol::Json bound_arguments(const protocol::CallRef& call, const std::string& text);

}  // namespace holdfast::agent
