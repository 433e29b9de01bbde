// Detached calls: a call that somebody outside ends hands out a token, and its end is taken from the platform
// store, where whoever had the token has put it.

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/carried_result.h"
#include "base/json.h"
#include "protocol/events.h"

namespace holdfast::agent {

namespace {

using platform::Completion;
using platform::CompletionState;

// How a call ended, for the model.
struct End {
  std::string text;
  bool is_error = true;
  bool is_known = false;  // else it may have done what it was to do, and can be undone
};

End end_of(const std::optional<Completion>& completion) {
  if (!completion) return {"the run ended before this call was begun"};
  switch (completion->state) {
    case CompletionState::kCompleted: return {completion->result, false, true};
    case CompletionState::kFailed: return {completion->result, true, true};
    case CompletionState::kExpired:
      return {"nobody said in time how this call ended; it is not known whether it did what it was to do"};
    default: return {"the run ended before this call did"};
  }
}

}  // namespace

std::optional<platform::OpenedCompletion> Activities::open_completion(activity::Context& ctx,
                                                                      const ToolInput& in) {
  if (in.completion.empty()) return std::nullopt;
  platform::CompletionOpening opening;
  opening.id = in.completion;
  opening.run = ctx.info().workflow_id;
  opening.tool = in.call.tool;
  opening.step = in.call.step;
  opening.deadline = deps_.clock->now() + std::chrono::milliseconds(in.deadline_ms);
  return require(deps_.store->open_completion(opening), "the completion of the call");
}

// Whoever has the token may be done before the call has its answer, or lost it: then it was made.
bool Activities::is_completed(const ToolInput& in) {
  if (in.completion.empty()) return false;
  const auto completion = require(deps_.store->completion(in.completion), "the completion of the call");
  return completion &&
         (completion->state == CompletionState::kCompleted || completion->state == CompletionState::kFailed);
}

// The call runs, or never will.
void Activities::tell_detached(activity::Context& ctx, const ToolSpec& tool, const ToolInput& in,
                               const std::string& result) {
  const Json parsed = Json::parse(result);
  if (parsed.value("is_error", false)) {
    require(deps_.store->end_completion(in.completion, CompletionState::kClosed),
            "the completion of the call");
    return tool_completed(ctx, tool, in, result);
  }
  publish(ctx, protocol::event::kStepDetached,
          {{"step", in.call.step},
           {"kind", tool.type->name},
           {"name", tool.name},
           {"detached", {{"id", in.completion}, {"answer", excerpt(parsed.value("text", ""))}}}},
          fmt::format("step/{}/detached", in.call.step));
}

ToolResult Activities::end_detached(activity::Context& ctx, const EndDetachedInput& in) {
  const DetachedCall& call = in.detached;
  platform::StepWrite write;
  write.key = "completion:" + call.id;
  write.run = ctx.info().workflow_id;
  auto record = require(deps_.store->lookup_step(write.key), "looking up the end of the call");
  if (!record) {
    const auto as = in.run_ends ? CompletionState::kClosed : CompletionState::kExpired;
    End end = end_of(require(deps_.store->end_completion(call.id, as), "the completion of the call"));
    const DefinitionPtr agent = definition(in.agent, in.version);
    const LargeOutput how = output_of(ctx, *agent, call.call);
    Json more = Json::object();
    if (!end.is_known) more["unknown"] = true;
    const std::string text = fit_output(*deps_.store, how, redaction()->apply(std::move(end.text)), more);
    write.result = tool_record(text, end.is_error, more);
    record = require(deps_.store->commit_step(write), "storing the end of the call");
  }
  const Json result = Json::parse(record->result);
  const bool is_error = result.value("is_error", false);
  publish(ctx, protocol::event::kStepCompleted,
          tool_event(call.call.step, call.kind, call.call.tool, record->result),
          fmt::format("step/{}/completed", call.call.step));
  ToolResult out;
  out.status = !is_error                        ? ToolStatus::kDone
               : result.value("unknown", false) ? ToolStatus::kUnknown
                                                : ToolStatus::kFailed;
  out.source = AnswerSource::kStep;
  out.key = write.key;
  return out;
}

// What they ended with is data, and said to be: no word of it is the user's.
void Activities::add_ends(activity::Context& ctx, const std::vector<DetachedEnd>& ended,
                          std::vector<model::Message>& messages, std::vector<platform::StepWrite>& carried) {
  for (const DetachedEnd& end : ended) {
    const model::Message said = answer_messages(ctx, {end.answer}, carried).front();
    messages.push_back(model::Message::user(
        fmt::format("The call of `{}` that runs under the id {} has ended. It answered:\n{}", end.tool,
                    end.id, said.text())));
  }
}

}  // namespace holdfast::agent
