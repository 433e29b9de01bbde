// What several sub-agents of one call came to, as the call's one result.

#include <fmt/format.h>

#include <algorithm>

#include "activities/activities.h"
#include "activities/carried_result.h"
#include "base/json.h"
#include "holdfast/failure.h"
#include "protocol/events.h"

namespace holdfast::agent {

namespace {

std::string output_of(platform::Store& store, const Member& member) {
  const auto record = require(store.lookup_step("tool:" + member.key), "the answer of a sub-agent");
  if (!record) throw ApplicationFailure::non_retryable("the answer of a sub-agent is gone", "NOT_FOUND");
  return Json::parse(record->result).value("text", "");
}

Json member_json(platform::Store& store, const Member& member) {
  Json out = {{"agent", member.agent}, {"status", to_string(member.end)}};
  if (member.end == MemberEnd::kCompleted) {
    out["output"] = output_of(store, member);
  } else {
    out["error"] = member.error;
  }
  return out;
}

Json answer_of(platform::Store& store, const JoinInput& in, bool any) {
  if (in.first && any) {
    const Member& winner = in.members.at(in.winner);
    return {{"agent", winner.agent}, {"output", output_of(store, winner)}};
  }
  Json out = Json::array();
  for (const Member& member : in.members) out.push_back(member_json(store, member));
  return out;
}

}  // namespace

void Activities::join(activity::Context& ctx, const JoinInput& in) {
  const DefinitionPtr agent = definition(in.agent, in.version);
  const bool any = std::ranges::any_of(
      in.members, [](const Member& member) { return member.end == MemberEnd::kCompleted; });
  platform::StepWrite write;
  write.key = "tool:" + in.call.key;
  write.run = ctx.info().workflow_id;
  auto record = require(deps_.store->lookup_step(write.key), "looking up the call");
  if (!record) {
    const LargeOutput how = output_of(ctx, *agent, in.call);
    Json more = Json::object();
    std::string text = fit_output(*deps_.store, how, dump_json(answer_of(*deps_.store, in, any)), more);
    write.result = tool_record(text, !any, more);
    record = require(deps_.store->commit_step(write), "storing the result");
  }
  for (const Member& member : in.members) {
    if (member.end == MemberEnd::kCompleted) continue;
    publish(ctx, protocol::event::kStepFailed,
            {{"step", member.step},
             {"kind", "agent"},
             {"agent", member.agent},
             {"canceled", member.end == MemberEnd::kCanceled},
             {"error", excerpt(member.error)}},
            fmt::format("step/{}/failed", member.step));
  }
  publish(ctx, protocol::event::kStepCompleted,
          tool_event(in.call.step, in.kind, in.call.tool, record->result),
          fmt::format("step/{}/completed", in.call.step));
}

}  // namespace holdfast::agent
