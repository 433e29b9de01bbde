#include "protocol/run.h"

#include "protocol/fields.h"

namespace holdfast::protocol {

namespace {

void fields(auto& archive, Is<Caller> auto& v) {
  archive("run", v.run)("agent", v.agent)("version", v.version)("call", v.call)("depth", v.depth)("settings",
                                                                                                  v.settings);
}

void fields(auto& archive, Is<Tokens> auto& v) {
  archive("input_tokens", v.input_tokens)("output_tokens", v.output_tokens);
}

void fields(auto& archive, Is<Plan> auto& v) {
  archive("agent", v.agent)("version", v.version)("flags", v.flags)("max_iterations", v.max_iterations)(
      "max_parallel_tools", v.max_parallel_tools)("run_timeout_ms", v.run_timeout_ms)(
      "model_timeout_ms", v.model_timeout_ms)("model_retry", v.model_retry)("settings", v.settings)(
      "notifies", v.notifies);
}

void fields(auto& archive, Is<Progress> auto& v) {
  archive("plan", v.plan)("head", v.head)("answers", v.answers)("iteration", v.iteration)("step", v.step)(
      "usage", v.usage)("deadline_ms", v.deadline_ms);
}

void fields(auto& archive, Is<RunInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("input", v.input)("conversation", v.conversation)(
      "caller", v.caller)("progress", v.progress)("context", v.context)("notify", v.notify);
}

void fields(auto& archive, Is<RunResult> auto& v) {
  archive("output", v.output)("iterations", v.iterations)("usage", v.usage)("max_iterations_reached",
                                                                            v.max_iterations_reached);
}

}  // namespace

HOLDFAST_PROTOCOL_JSON(Caller)
HOLDFAST_PROTOCOL_JSON(Tokens)
HOLDFAST_PROTOCOL_JSON(Plan)
HOLDFAST_PROTOCOL_JSON(Progress)
HOLDFAST_PROTOCOL_JSON(RunInput)
HOLDFAST_PROTOCOL_JSON(RunResult)

}  // namespace holdfast::protocol
