#include "perform/flow_activities.h"

#include <utility>

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/caller_answer.h"
#include "activities/catalog.h"
#include "base/json.h"
#include "base/sha256.h"
#include "block/respond_block.h"
#include "block/values.h"
#include "holdfast/failure.h"
#include "platform/audit_rules.h"
#include "protocol/events.h"

namespace holdfast::flows {

using agent::excerpt;
using agent::require;
using protocol::RunEnd;

FlowActivities::ProgramPtr FlowActivities::program(const std::string& flow, const std::string& version,
                                                   const std::optional<protocol::FlowItem>& item) {
  ProgramPtr whole = whole_program(flow, version);
  if (!item) return whole;
  const std::optional<std::size_t> block = block_named(*whole, item->of);
  if (!block || !whole->blocks[*block].body)
    throw ApplicationFailure::non_retryable("the flow has no body in `" + item->of + "`", "NOT_FOUND");
  return {whole, whole->blocks[*block].body.get()};
}

FlowActivities::ProgramPtr FlowActivities::whole_program(const std::string& flow,
                                                         const std::string& version) {
  {
    std::lock_guard lock(mutex_);
    auto found = programs_.find(version);
    if (found != programs_.end() && protocol::agent_of_flow(found->second->flow.name) == flow)
      return found->second;
  }
  const auto stored = require(deps_.store->definition(flow, version), "the definition of the flow");
  auto read = std::make_shared<const Program>(
      require(read_program(stored.text, flow), "the stored definition of the flow"));
  std::lock_guard lock(mutex_);
  if (programs_.size() >= kMaxCachedPrograms) programs_.clear();
  programs_[version] = read;
  return read;
}

BlockBooks FlowActivities::books(activity::Context& ctx, const Program& program) {
  return {ctx, deps_, program};
}

void FlowActivities::step(activity::Context& ctx, const protocol::FlowStepInput& in) {
  const ProgramPtr flow = program(in.flow, in.version, in.item);
  BlockBooks at = books(ctx, *flow);
  if (!in.over) return at.step_started(in.block, Json::object());
  BlockOutcome outcome;
  outcome.value = "null";
  at.ended(in.block, outcome);
  at.flush();
}

// ---- the end

namespace {

// A value that the history has no room for is told by its beginning.
std::string output_of(BlockBooks& books, std::size_t block) {
  std::string value;
  try {
    value = books.value(block);
  } catch (const TooLarge& large) {
    return dump_json(Json{{"too_large", {{"reason", large.what()}}}});
  }
  if (value.size() > kMaxOutputBytes)
    return dump_json(Json{{"too_large", {{"bytes", value.size()}, {"beginning", excerpt(value)}}}});
  return value;
}

// For readers of JSON: one that they would not get as it is (a number beyond 64 bits), as its text. `respond`
// refuses such a value; a block that is the last one may come to it.
std::string readable(const std::string& output) {
  return read_json(output, kMaxJsonDepth, Integers::kExact) ? output : dump_json(Json(output));
}

// A text as it is, all else as JSON.
std::string said_of(const std::string& output) {
  const Json value = parse_json(output);
  return value.is_string() ? value.get<std::string>() : output;
}

Json completed_event(const Program& program, const protocol::FlowFinishInput& in, const std::string& said) {
  Json skipped = Json::array();
  for (const protocol::FlowEnded& one : in.ended) {
    if (one.outlet == protocol::kFlowSkipped) skipped.push_back(program.flow.blocks.at(one.block).id);
  }
  return {{"output", excerpt(said)}, {"skipped", std::move(skipped)}};
}

}  // namespace

Payload FlowActivities::finish(activity::Context& ctx, const protocol::FlowFinishInput& in) {
  std::string output = "null";
  static const Program kNone;  // a run whose definition cannot be read ends all the same
  const bool completed = in.status == RunEnd::kCompleted;
  const ProgramPtr flow = completed ? program(in.flow, in.version, in.item) : nullptr;
  BlockBooks at = books(ctx, flow ? *flow : kNone);
  if (completed && in.item) {
    output = readable(answer_item(at, in, speaker(*flow, in.ended)));
    at.publish(protocol::event::kRunCompleted, completed_event(*flow, in, said_of(output)), "run.end");
  } else if (completed) {
    if (const auto block = speaker(*flow, in.ended)) output = output_of(at, *block);
    const std::string exact = std::exchange(output, readable(output));
    const std::string said = said_of(output);
    // To a flow a number stays one.
    if (in.caller) answer_caller(at, in, protocol::is_flow(in.caller->agent) ? exact : said);
    at.publish(protocol::event::kRunCompleted, completed_event(*flow, in, said), "run.end");
  } else {
    const bool canceled = in.status == RunEnd::kCanceled;
    Json ended =
        canceled ? Json{{"reason", in.error}} : Json{{"error_type", in.error_type}, {"error", in.error}};
    if (!in.not_undone.empty()) ended["not_undone"] = in.not_undone;
    at.publish(canceled ? protocol::event::kRunCanceled : protocol::event::kRunFailed, ended, "run.end");
  }
  if (in.caller && !completed) record_end(at, in);
  return {{{"encoding", "json/plain"}}, R"({"output":)" + output + "}"};
}

namespace {

platform::AuditRow end_of(const std::string& run, const protocol::FlowFinishInput& in) {
  platform::Bill ended;
  ended.run = run;
  ended.agent = in.flow;
  ended.version = in.version;
  ended.status = to_string(in.status);
  ended.error_type = in.error_type;
  return platform::rules::audit_of_end(ended, std::nullopt);
}

}  // namespace

// The output becomes the result of the call.
void FlowActivities::answer_caller(BlockBooks& books, const protocol::FlowFinishInput& in,
                                   const std::string& said) {
  const protocol::Caller& caller = *in.caller;
  std::optional<agent::AgentDefinition> asking;
  if (!protocol::is_flow(caller.agent)) {
    const auto stored = require(deps_.store->definition(caller.agent, caller.version), "who called");
    asking = require(agent::parse_definition(stored.text, caller.agent), "who called");
  }
  platform::StepWrite write = agent::answer_to(*deps_.store, caller, asking ? &*asking : nullptr, said);
  platform::StepWrite began;
  books.begins(began);
  write.said.push_back(end_of(began.run, in));
  require(deps_.store->commit_step(write), "storing the answer for whoever called");
  if (!asking) return;  // it tells itself what its block came to
  books.tell_caller(caller, protocol::event::kStepCompleted, {{"result", excerpt(said)}, {"is_error", false}},
                    "completed");
}

void FlowActivities::record_end(BlockBooks& books, const protocol::FlowFinishInput& in) {
  platform::StepWrite write;
  books.begins(write);
  write.key = books.end_key();
  write.result = "{}";
  if (in.took_back) write.result = dump_json(Json{{"took_back", true}, {"stands", in.not_undone.size()}});
  if (!in.item) write.said.push_back(end_of(write.run, in));
  require(deps_.store->commit_step(write), "recording the end of the run");
}

}  // namespace holdfast::flows
