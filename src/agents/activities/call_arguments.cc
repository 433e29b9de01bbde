#include "activities/call_arguments.h"

#include "activities/activities.h"
#include "base/json.h"
#include "holdfast/failure.h"
#include "protocol/flow_run.h"

namespace holdfast::agent {

std::string call_text(platform::Store& store, const CallRef& call) {
  if (!call.approval.empty())
    return require(store.approval(call.approval), "the approval of the call").edited_arguments;
  if (!call.round.empty()) {
    const auto round = require(store.lookup_step(call.round), "the code that makes the call");
    if (!round) throw ApplicationFailure::non_retryable("the code that makes the call is gone", "NOT_FOUND");
    return text_in_round(call, round->result);
  }
  if (!call.message.conversation.empty())
    return call_text_in(call, require(store.read(call.message, call.message.sequence, call.message.sequence),
                                      "the message that holds the call"));
  const auto record = require(store.lookup_step(call_arguments_key(call.key)), "the arguments of the call");
  if (!record) throw ApplicationFailure::non_retryable("the arguments of the call are gone", "NOT_FOUND");
  return record->result;
}

std::string text_in_round(const CallRef& call, const std::string& round) {
  const Json calls = parse_json(round).value("calls", Json::array());
  if (call.place >= calls.size())
    throw ApplicationFailure::non_retryable("the code does not make that call", "NOT_FOUND");
  return calls.at(call.place).value("arguments", "");
}

std::string call_text_in(const CallRef& call, const std::vector<platform::Message>& messages) {
  if (messages.empty())
    throw ApplicationFailure::non_retryable("the message that holds the call is gone", "NOT_FOUND");
  return call_text_in(
      call, require(model::message_from_json(messages.front().json), "the message that holds the call"));
}

std::string call_text_in(const CallRef& call, const model::Message& message) {
  if (call.ordinal >= message.tool_calls.size()) {
    throw ApplicationFailure::non_retryable("the message does not hold that call", "NOT_FOUND");
  }
  return message.tool_calls[call.ordinal].arguments;
}

Json bound_arguments(const CallRef& call, const std::string& text) {
  Json arguments = parse_json(text.empty() ? "{}" : text);
  if (!arguments.is_object()) {
    throw ApplicationFailure::non_retryable("the arguments are no JSON object", "INVALID_ARGUMENT");
  }
  if (call.bound.is_object()) arguments.update(call.bound);
  return arguments;
}

}  // namespace holdfast::agent
