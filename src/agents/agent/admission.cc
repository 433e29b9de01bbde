// Rules that look at what the run has done before. What such a rule says of a call is found out when the call
// is about to be made, one call behind the other, and a call that passes is remembered before the next one is
// looked at: two calls of one turn count for each other. What is remembered is where the call stands, when it
// was begun and how it ended; a run takes it along, up to a bound, and knows of which tools it is not all.

#include <algorithm>

#include "agent/bookkeeping.h"
#include "agent/failures.h"
#include "agent/loop.h"
#include "agent/workflow_tool.h"
#include "protocol/names.h"

namespace holdfast::agent {

bool Loop::is_watched(const std::string& tool) const {
  return std::ranges::find(progress_.plan.watched, tool) != progress_.plan.watched.end();
}

Task<Judged> Loop::judge(std::shared_ptr<PlannedCall> call, bool asked) {
  JudgeInput in;
  in.agent = progress_.plan.agent;
  in.version = progress_.plan.version;
  in.call = call->call;
  in.past = progress_.past;
  in.lost = progress_.past_lost;
  in.now_ms = now_ms();
  in.asked = asked;
  in.requester = progress_.plan.requester;
  co_return co_await ctx_.activity<Judged>(kJudgeActivity, bookkeeping(), in);
}

// One behind the other, so that whoever is looked at next knows of this one.
Task<Verdict> Loop::ruled_on(std::shared_ptr<PlannedCall> call, bool asked) {
  auto free = [this] { return !judging_; };
  while (judging_) co_await ctx_.wait(free);
  judging_ = true;
  Outcome<Judged> outcome = co_await attempt(judge(call, asked));
  judging_ = false;
  if (!outcome.ok()) outcome.error().raise();
  const Judged& judged = outcome.value();
  const Verdict verdict = judged.verdict.value_or(Verdict::kDeny);
  if (verdict == Verdict::kAllow || (verdict == Verdict::kAsk && asked)) {
    remember_call(*call);
    co_return Verdict::kAllow;
  }
  call->reason = judged.reason;
  call->rule = judged.rule;
  call->expires_after_ms = judged.expires_after_ms;
  call->approve_on_expiry = judged.approve_on_expiry;
  call->terms = judged.terms;
  co_return verdict;
}

Task<void> Loop::until_free(int slots) {
  while (true) {
    while (slots > 0 && running_tools_ >= progress_.plan.max_parallel_tools) {
      auto is_free = [this] { return running_tools_ < progress_.plan.max_parallel_tools; };
      co_await ctx_.wait(is_free);
    }
    if (!progress_.hold) co_return;
    co_await held();
  }
}

Task<std::optional<ToolAnswer>> Loop::admitted(std::shared_ptr<PlannedCall> call) {
  const WorkflowTool* in_workflow = find_workflow_tool(call->kind);
  const int slots = in_workflow && in_workflow->only_waits ? 0 : 1;
  bool asked = false;
  while (true) {
    co_await until_free(slots);
    if (auto refusal = not_called(*call)) co_return refusal;
    const Verdict verdict = co_await ruled_on(call, asked);
    if (verdict == Verdict::kAllow) co_return std::nullopt;
    if (verdict != Verdict::kAsk) co_return error_answer(call->call, "denied: " + call->reason);
    auto refusal =
        co_await approved(call, call->reason, "ap-" + call->call.key.substr(0, 24), Question::kFirst);
    if (refusal) co_return error_answer(call->call, *refusal);
    asked = true;  // and what has happened meanwhile counts, too
  }
}

// ---- what is remembered

void Loop::remember_call(const PlannedCall& call) {
  if (!is_watched(call.call.tool)) return;
  PastCall past;
  past.tool = call.call.tool;
  past.step = call.call.step;
  past.sequence = call.call.message.sequence;
  past.ordinal = call.call.ordinal;
  past.approval = call.call.approval;
  past.round = call.call.round;
  past.place = call.call.place;
  past.bound = call.call.bound;
  past.at_ms = now_ms();
  progress_.past.push_back(std::move(past));
  std::size_t bytes = 0;
  for (const PastCall& one : progress_.past) bytes += bytes_of(one);
  while (bytes > kMaxPastBytes && progress_.past.size() > 1) {
    const PastCall& oldest = progress_.past.front();
    bytes -= bytes_of(oldest);
    if (std::ranges::find(progress_.past_lost, oldest.tool) == progress_.past_lost.end())
      progress_.past_lost.push_back(oldest.tool);
    progress_.past.erase(progress_.past.begin());
  }
}

void Loop::call_ended(std::uint32_t step, bool ok) {
  const bool well = not_well_.erase(step) == 0 && ok;
  const auto found = std::ranges::find(progress_.past, step, &PastCall::step);
  if (found == progress_.past.end()) return;
  found->ended_ms = now_ms();
  found->ok = well;
}

}  // namespace holdfast::agent
