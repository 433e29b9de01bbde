#include "activities/fork_start.h"

#include "activities/activities.h"
#include "base/json.h"

namespace holdfast::agent {

std::optional<Fork> fork_of(platform::Store& store, activity::Context& ctx, const RunInput& run) {
  if (run.caller || !run.input.is_null()) return std::nullopt;  // others than the platform started it
  const std::string settings = require(store.run_settings(ctx.info().workflow_id), "the run's settings");
  try {
    return fork_in(settings);
  } catch (const std::exception& broken) {
    throw ApplicationFailure::non_retryable(std::string("what the run forks: ") + broken.what(),
                                            "INVALID_ARGUMENT");
  }
}

std::vector<model::Message> edited_answers(platform::Store& store, const Fork& fork) {
  std::vector<model::Message> out;
  bool found = false;
  for (const platform::Message& stored :
       require(store.read(*fork.answers, fork.at.sequence + 1), "the answers of the turn")) {
    model::Message message = require(model::message_from_json(stored.json), "an answer of the turn");
    if (message.role != model::Role::kTool)
      throw ApplicationFailure::non_retryable("what stands behind the turn is no answer", "DATA_LOSS");
    if (message.tool_call_id == fork.edited->call) {
      message = model::Message::tool(fork.edited->call, fork.edited->text, fork.edited->is_error);
      found = true;
    }
    out.push_back(std::move(message));
  }
  if (!found)
    throw ApplicationFailure::non_retryable("the call whose answer was edited is gone", "NOT_FOUND");
  return out;
}

}  // namespace holdfast::agent
