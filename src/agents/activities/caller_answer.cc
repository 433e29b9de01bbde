#include "activities/caller_answer.h"

#include "activities/activities.h"
#include "activities/builtin_tools.h"
#include "activities/large_output.h"

namespace holdfast::agent {

platform::StepWrite answer_to(platform::Store& store, const protocol::Caller& caller,
                              const AgentDefinition* agent, std::string answer) {
  LargeOutput how;
  how.run = caller.run;
  how.conversation = agent != nullptr ? caller.call.message.conversation : caller.run;
  how.limit = agent != nullptr ? agent->limits.max_tool_output_bytes : kMaxAnswerInline;
  how.readable = agent != nullptr && tool_named(*agent, kReadOutput.name) != nullptr;
  Json more = Json::object();
  const std::string seen = fit_output(store, how, std::move(answer), more);
  platform::StepWrite write;
  write.key = "tool:" + caller.call.key;
  write.run = caller.run;
  write.result = tool_record(seen, false, more);
  return write;
}

}  // namespace holdfast::agent
