// `tool_calls: one_activity`: the calls of a turn, one behind the other. Each has its result in the store
// before the next begins, so that an attempt behind a crash looks up what was done and goes on there; ledger,
// budgets and retries are those of a call that is made alone.

#include <fmt/format.h>

#include "activities/activities.h"
#include "activities/builtin_tools.h"
#include "agent/failures.h"
#include "base/text.h"
#include "definition/model_section.h"
#include "holdfast/failure.h"

namespace holdfast::agent {

namespace {

constexpr std::size_t kMaxNote = 2000;

// What the store does not say of the attempts so far: it goes from one to the next in the heartbeat. An
// attempt that was killed leaves none, and its calls have all their attempts again.
class Attempts {
 public:
  explicit Attempts(const std::optional<Json>& before)
      : state_(before && before->is_object() ? *before : Json::object()) {}

  // Of a call that failed at its last attempt, what the model is told.
  std::optional<std::string> gave_up(std::size_t call) const {
    const auto all = state_.find("gave_up");
    if (all == state_.end() || !all->contains(std::to_string(call))) return std::nullopt;
    return all->at(std::to_string(call)).get<std::string>();
  }
  void give_up(std::size_t call, const std::string& note) {
    state_["gave_up"][std::to_string(call)] = note;
    state_.erase("attempts");
  }
  // How many it has had, this one included.
  int failed() {
    const int attempts = state_.value("attempts", 0) + 1;
    state_["attempts"] = attempts;
    return attempts;
  }
  // Once while one may be under way, and once with the attempt's end.
  void leave(activity::Context& ctx) const {
    ctx.heartbeat(state_);
    ctx.heartbeat(state_);
  }

 private:
  Json state_;  // {"attempts": of the call that failed last, "gave_up": {CALL: NOTE}}
};

ToolResult failed_for_good(std::string note) {
  ToolResult out;
  out.status = ToolStatus::kFailed;
  out.note = std::move(note);
  return out;
}

}  // namespace

ToolsResult Activities::call_tools(activity::Context& ctx, const ToolsInput& in) {
  DefinitionPtr agent = definition(in.agent, in.version);
  Attempts attempts(ctx.last_heartbeat<Json>());
  ToolsResult out;
  for (std::size_t i = 0; i < in.calls.size(); ++i) {
    ctx.throw_if_cancelled();
    if (auto note = attempts.gave_up(i)) {
      out.results.push_back(failed_for_good(*note));
      continue;
    }
    ToolInput one;
    one.agent = in.agent;
    one.version = in.version;
    one.call = in.calls[i];
    try {
      out.results.push_back(call_tool(ctx, one));
    } catch (const ApplicationFailure& failure) {
      if (is_budget(failure.type()))
        return out;  // whoever makes it alone waits for the budget, or ends the run
      const ToolSpec* tool = tool_named(*agent, one.call.tool);
      const RetrySpec retry = tool ? tool->retry : RetrySpec();
      const bool without_end =
          tool && tool->effect == Effect::kAtMostOnce;  // the ledger makes no second call
      const int had = attempts.failed();
      if (!failure.is_non_retryable() && (without_end || had < retry.attempts)) {
        attempts.leave(ctx);
        throw ApplicationFailure(failure.message(), failure.type(), false, {},
                                 failure.next_retry_delay().value_or(interval_after(retry, had)));
      }
      const std::string note = bounded_text(failure.message(), kMaxNote);
      attempts.give_up(i, note);
      out.results.push_back(failed_for_good(note));
    }
  }
  return out;
}

}  // namespace holdfast::agent
