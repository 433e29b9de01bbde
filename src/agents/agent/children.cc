#include "agent/children.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "agent/failures.h"
#include "base/text.h"
#include "protocol/names.h"
#include "spec/duration.h"

namespace holdfast::agent {

namespace {

using namespace protocol;
using std::chrono::milliseconds;

constexpr std::size_t kMaxError = 500;

struct Running {
  CancelScope scope;
  Future<Outcome<RunResult>> ended;
};
using Family = std::vector<Running>;
using FamilyPtr = std::shared_ptr<Family>;

bool all_ended(const Family& family) {
  return std::ranges::all_of(family, [](const Running& one) { return one.ended.ready(); });
}

bool completed(const Running& one) {
  return one.ended.ready() && one.ended.get().ok();
}

// Of what it came to the record of the call tells.
Task<RunResult> run_flow(workflow::Context* ctx, ChildOptions options, FlowInput input) {
  FlowResult ended = co_await ctx->child<FlowResult>(kFlowWorkflowType, options, input);
  RunResult out;
  out.undoable = std::move(ended.undoable);
  co_return out;
}

FamilyPtr start_all(workflow::Context& ctx, const ChildrenWanted& wanted) {
  auto out = std::make_shared<Family>();
  for (const Child& child : wanted.children) {
    // Whoever is late is cancelled; the engine's own limit is for one that does not end then.
    auto options = ChildOptions()
                       .workflow_id(child.workflow_id)
                       .task_queue(kAgentQueue)
                       .execution_timeout(wanted.timeout + 2 * kLongestChildEnding)
                       .parent_close(ParentClosePolicy::kRequestCancel);
    CancelScope scope = ctx.scope();
    auto running = attempt(child.flow ? run_flow(&ctx, options, *child.flow)
                                      : ctx.child<RunResult>(kWorkflowType, options, child.input));
    out->push_back({scope, ctx.spawn(scope, std::move(running))});
  }
  return out;
}

ChildEnd end_of(const Running& one, bool was_cancelled, const std::string& why) {
  ChildEnd out;
  if (completed(one)) {
    out.end = MemberEnd::kCompleted;
  } else if (!one.ended.ready()) {
    out.end = MemberEnd::kCanceled;
    out.error = why + "; it is still ending";
  } else if (was_cancelled && is_canceled(one.ended.get().error())) {
    out.end = MemberEnd::kCanceled;
    out.error = why;
  } else {
    out.error = bounded_text(root_of(one.ended.get().error()).message(), kMaxError);
  }
  return out;
}

}  // namespace

std::string child_id(const WorkflowCall& call) {
  return fmt::format("{}.{}", call.caller.run, call.planned.call.key.substr(0, 12));
}

Task<ChildrenEnd> run_children(workflow::Context* ctx, ChildrenWanted wanted,
                               std::vector<Undoable>* undoable) {
  const FamilyPtr family = start_all(*ctx, wanted);
  auto ended = [family] { return all_ended(*family); };
  auto enough = [family, first = wanted.first] {
    return all_ended(*family) || (first && std::ranges::any_of(*family, completed));
  };
  const Outcome<bool> waited = co_await attempt(ctx->wait_for(enough, wanted.timeout));
  const bool in_time = waited.ok() && waited.value();
  const std::string why = in_time ? std::string("another one was first")
                                  : "took longer than " + spec::format_duration(wanted.timeout);
  const std::size_t winner =
      static_cast<std::size_t>(std::ranges::find_if(*family, completed) - family->begin());
  std::vector<bool> cancelled;
  for (const Running& one : *family) {
    cancelled.push_back(!one.ended.ready());
    if (cancelled.back()) one.scope.cancel(why);
  }
  if (!all_ended(*family)) {
    auto ending = ctx->wait_for(ended, kLongestChildEnding);
    co_await ctx->shielded(std::move(ending));
  }
  ChildrenEnd out;
  out.winner = winner;
  for (std::size_t i = 0; i < family->size(); ++i) {
    const Running& one = (*family)[i];
    out.ends.push_back(end_of(one, cancelled[i], why));
    if (!completed(one)) continue;
    const RunResult result = one.ended.get().value();
    undoable->insert(undoable->end(), result.undoable.begin(), result.undoable.end());
  }
  if (!waited.ok()) waited.error().raise();
  co_return out;
}

Task<ToolAnswer> run_child(WorkflowCall call, Child child) {
  ChildrenWanted wanted;
  wanted.timeout = milliseconds(call.planned.timeout_ms);
  wanted.children.push_back(std::move(child));
  ChildrenEnd all = co_await run_children(call.ctx, std::move(wanted), call.undoable);
  const ChildEnd& only = all.ends.front();
  if (only.end != MemberEnd::kCompleted) throw ApplicationFailure::non_retryable(only.error, "ToolError");
  co_return recorded_answer(call.planned.call);
}

}  // namespace holdfast::agent
