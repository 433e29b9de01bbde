// Effects after the fact: another tool says whether an interrupted call took effect, and another one takes an
// effect back. The ledger is the only memory: an attempt after a crash finds there what was settled and
// undone.

#include <algorithm>

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/effect_hooks.h"
#include "activities/read_blob.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "holdfast/failure.h"
#include "protocol/events.h"

namespace holdfast::agent {

namespace {

constexpr std::size_t kMaxNote = 500;
// Of a result that an undoing is told of; one that is larger has its beginning alone there.
constexpr std::uint64_t kMaxResultBytes = 8 << 20;

std::string note_of(std::string text) {
  return bounded_text(std::move(text), kMaxNote);
}

// A call that no model made; its step is that of the asking, or the undoing.
ToolInput hook_call(const EffectInput& in, const std::string& tool, std::string key) {
  ToolInput out;
  out.agent = in.agent;
  out.version = in.version;
  out.call = in.call;
  out.call.tool = tool;
  out.call.key = std::move(key);
  out.call.step = in.step;
  return out;
}

const ToolSpec& need_tool(const AgentDefinition& agent, const std::string& name) {
  const ToolSpec* tool = agent.find_tool(name);
  if (!tool) throw ApplicationFailure::non_retryable(fmt::format("there is no tool `{}`", name), "NOT_FOUND");
  return *tool;
}

std::string text_of(const std::string& record) {
  return Json::parse(record).value("text", "");
}

// A large one is a blob, of which the record has the beginning.
std::string whole_text_of(activity::Context& ctx, platform::Store& store, const std::string& record) {
  const Json in = Json::parse(record);
  auto whole = whole_text(ctx, store, in, kMaxResultBytes);
  return whole ? *std::move(whole) : in.value("text", "");
}

UndoTryResult undo_result(UndoStatus status, std::string note) {
  UndoTryResult out;
  out.status = status;
  out.note = note_of(std::move(note));
  return out;
}

}  // namespace

std::optional<platform::EffectRecord> Activities::ask_hook(activity::Context& ctx,
                                                           const AgentDefinition& agent, const ToolSpec& tool,
                                                           const EffectInput& in, const Json& made_with,
                                                           std::string& why) {
  if (!tool.hooks.reconcile) {
    why = fmt::format("`{}` has nobody to ask", tool.name);
    return std::nullopt;
  }
  const Reconcile& hook = *tool.hooks.reconcile;
  const ToolSpec& asked = need_tool(agent, hook.call.tool);
  const auto arguments = hook_arguments(hook.call, asked, hook_document(made_with, in.call.key, ""));
  if (!arguments) {
    why = arguments.error().message();
    return std::nullopt;
  }
  const ToolInput call = hook_call(in, asked.name, "ask-" + in.call.key);
  if (auto refused = not_granted(in.agent, call.call)) {
    why = *std::move(refused);
    return std::nullopt;
  }
  const ToolEnding ending = run_tool(ctx, asked, call, *arguments);
  if (ending.ending == Ending::kRetry || ending.ending == Ending::kUnknown)
    retry_tool(ctx, asked, call, ending);
  const bool failed = ending.ending == Ending::kFailed;
  tool_completed(ctx, asked, call, tool_record(ending.text, failed));
  const spec::Truth truth = failed ? spec::Truth::kUnknown : took_effect(hook, ending.text);
  publish(ctx, protocol::event::kEffectReconciled,
          {{"step", in.call.step},
           {"tool", tool.name},
           {"asked", asked.name},
           {"outcome", truth == spec::Truth::kTrue    ? "happened"
                       : truth == spec::Truth::kFalse ? "did not happen"
                                                      : "unknown"}},
          fmt::format("effect/{}/reconciled/{}", in.call.key, in.step));
  if (truth == spec::Truth::kUnknown) {
    why = fmt::format("`{}` answered: {}", asked.name, ending.text);
    return std::nullopt;
  }
  const bool happened = truth == spec::Truth::kTrue;
  const std::string record =
      happened ? tool_record(ending.text, false)
               : tool_record("the call was interrupted and took no effect; call again if it is still wanted",
                             true);
  return require(deps_.store->settle_effect(in.call.key, happened, record), "settling the effect");
}

ToolResult Activities::reconcile(activity::Context& ctx, const EffectInput& in) {
  DefinitionPtr agent = definition(in.agent, in.version);
  const ToolSpec& tool = need_tool(*agent, in.call.tool);
  auto record = require(deps_.store->lookup_effect(in.call.key), "the record of the call");
  ToolResult out;
  if (!record || record->state != platform::EffectState::kSettled) {
    std::string why;
    record = ask_hook(ctx, *agent, tool, in, arguments_of(in.call), why);
    out.note = note_of(why);
  }
  if (!record) return out;  // unknown
  ToolInput call = hook_call(in, tool.name, in.call.key);
  call.call.step = in.call.step;
  tool_completed(ctx, tool, call, record->result);
  out.status = record->succeeded ? ToolStatus::kDone : ToolStatus::kFailed;
  out.source = AnswerSource::kEffect;
  out.key = in.call.key;
  return out;
}

// Another tool knows, where the definition names one; it is asked a while after the call, so that what is
// under way has arrived. Else a person does, where whoever undoes asks people.
UndoTryResult Activities::undoing_unknown(activity::Context& ctx, const AgentDefinition& agent,
                                          const ToolSpec& undoing, const UndoTryInput& in,
                                          const Json& arguments, std::string note) {
  note = fmt::format("it is not known whether `{}` took effect: {}", undoing.name, note);
  if (undoing.hooks.reconcile && !in.ask) {
    UndoTryResult later = undo_result(UndoStatus::kUnknown, std::move(note));
    later.ask_after_ms = std::max<std::int64_t>(1, undoing.hooks.reconcile->after.count());
    return later;
  }
  if (undoing.hooks.reconcile) {
    EffectInput asked = in;
    asked.call.key = protocol::undo_key(in.call.key, in.again);
    std::string why;
    const auto settled = ask_hook(ctx, agent, undoing, asked, arguments, why);
    if (settled && settled->succeeded) return undo_result(UndoStatus::kUndone, "");
    if (settled)
      return undo_result(UndoStatus::kFailed,
                         fmt::format("`{}` was interrupted and took no effect", undoing.name));
    note += "; asking did not help: " + why;
  }
  UndoTryResult out = undo_result(UndoStatus::kUnknown, std::move(note));
  out.arguments_sha256 = sha256_hex(dump_json(arguments_of(in.call)));
  return out;
}

UndoTryResult Activities::call_undoing(activity::Context& ctx, const AgentDefinition& agent,
                                       const HookCall& hook, const UndoTryInput& in,
                                       const std::string& result_of_call) {
  const ToolSpec& undoing = need_tool(agent, hook.tool);
  const auto arguments =
      hook_arguments(hook, undoing, hook_document(arguments_of(in.call), in.call.key, result_of_call));
  if (!arguments) return undo_result(UndoStatus::kFailed, arguments.error().message());
  const ToolInput call = hook_call(in, undoing.name, protocol::undo_key(in.call.key, in.again));
  if (const auto refused = not_granted(in.agent, call.call))
    return undo_result(UndoStatus::kFailed, *refused);
  const ToolResult result = call_with_effect(ctx, undoing, call, *arguments);
  if (result.status == ToolStatus::kUnknown)
    return undoing_unknown(ctx, agent, undoing, in, *arguments, result.note);
  if (result.status == ToolStatus::kDone) return undo_result(UndoStatus::kUndone, "");
  const auto settled = require(deps_.store->lookup_effect(call.call.key), "the record of the undoing");
  return undo_result(UndoStatus::kFailed,
                     fmt::format("`{}` failed: {}", undoing.name, settled ? text_of(settled->result) : ""));
}

UndoTryResult Activities::undo(activity::Context& ctx, const UndoTryInput& in, bool is_told) {
  DefinitionPtr agent = definition(in.agent, in.version);
  const ToolSpec& tool = need_tool(*agent, in.call.tool);
  const auto told = [&](UndoTryResult result) {
    if (result.status == UndoStatus::kNothing || result.ask_after_ms > 0) return result;
    const bool undone = result.status == UndoStatus::kUndone;
    if (undone && !is_told) return result;
    Json event = {{"step", in.call.step}, {"tool", tool.name}};
    if (in.item) event["item"] = *in.item;
    if (tool.hooks.compensate) event["by"] = tool.hooks.compensate->tool;
    if (!undone) event["why"] = result.note;
    const std::string which = in.again > 0 ? fmt::format("/{}", in.again) : "";
    publish(ctx, undone ? protocol::event::kEffectUndone : protocol::event::kEffectNotUndone, event,
            fmt::format("effect/{}/undone{}", in.call.key, which));
    return result;
  };
  if (!tool.hooks.compensate)
    return told(undo_result(UndoStatus::kFailed, fmt::format("`{}` says no `compensate`", tool.name)));
  auto record = require(deps_.store->lookup_effect(in.call.key), "the record of the call");
  if (!record) return undo_result(UndoStatus::kNothing, "");  // it was never begun
  if (record->state != platform::EffectState::kSettled) {
    std::string why;
    record = ask_hook(ctx, *agent, tool, in, arguments_of(in.call), why);
    if (!record)
      return told(undo_result(UndoStatus::kUnknown, "it is not known whether it took effect; " + why));
  }
  if (!record->succeeded) return undo_result(UndoStatus::kNothing, "");
  return told(call_undoing(ctx, *agent, *tool.hooks.compensate, in,
                           whole_text_of(ctx, *deps_.store, record->result)));
}

}  // namespace holdfast::agent
