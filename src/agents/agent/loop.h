#pragma once

// The agent loop: one workflow type for every agent. Four steps, over and over: model call, approval check,
// tools in parallel, continue or finish. Deterministic workflow code: it waits for activities, children,
// people and timers, and touches nothing else. One object per run; its handlers outlive the main coroutine,
// so it is shared.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/workflow.h"
#include "protocol/activities.h"
#include "protocol/decision.h"
#include "protocol/run.h"

namespace holdfast::agent {

using namespace protocol;

struct WorkflowTool;

// The workflow function registered as kWorkflowType.
Task<RunResult> agent_workflow(workflow::Context& ctx, RunInput input);

class Loop : public std::enable_shared_from_this<Loop> {
 public:
  Loop(workflow::Context& ctx, RunInput input) : ctx_(ctx), input_(std::move(input)) {}

  void register_handlers();
  Task<RunResult> run();

 private:
  // An approval that a person may decide now.
  struct Pending {
    Pending() = default;
    ApprovalInput request;
    std::optional<Decision> decision;
    std::int64_t decided_at_ms = 0;
    bool closed = false;  // expired
  };
  using PendingPtr = std::shared_ptr<Pending>;

  // loop.cc, top down
  Task<void> begin();
  Task<RunResult> within_deadline();
  Task<RunResult> turns();
  Task<ModelTurn> call_model();
  Task<void> answer_calls(ModelTurn turn);
  Task<ToolAnswer> answer_call(PlannedCall call);
  Task<ToolAnswer> call_tool(PlannedCall call);
  Task<ToolAnswer> call_in_workflow(const WorkflowTool* tool, PlannedCall call);
  Caller caller_of(const PlannedCall& call) const;
  bool should_continue_as_new() const;
  Task<RunResult> finish(RunEnd end);
  Task<void> report_end(RunEnd end, std::string type, std::string error);

  // notify.cc. `what`: the event within the run, for ids; `data`: what there is to tell.
  Task<void> notify(NotifyEvent event, std::string what, Json data);

  // approval.cc
  // What a person is asked: may a call be made, or may one that perhaps happened be made again?
  enum class Question { kFirst, kAgain };
  // None: go on with the call, whose arguments may have been edited; otherwise what to tell the model.
  Task<std::optional<std::string>> approved(std::shared_ptr<PlannedCall> call, std::string reason,
                                            std::string id, Question question);
  // The call may have happened and must not be repeated unasked: approve means call again, under a new key,
  // reject means leave it. None: call again; otherwise the answer.
  Task<std::optional<ToolAnswer>> asked_again(std::shared_ptr<PlannedCall> call, std::string note,
                                              int repeat);
  bool may_go_on_unanswered(const PlannedCall& call, Question question);
  Task<Settled> settle(PendingPtr pending, ApprovalOutcome outcome, CallRef call);
  Task<PendingPtr> ask(PlannedCall call, std::string reason, std::string id);
  void check_decision(const Decision& decision) const;
  Json decide(const Decision& decision);

  Json status() const;
  std::int64_t now_ms() const;

  workflow::Context& ctx_;
  RunInput input_;
  Progress progress_;
  std::string phase_ = "starting";
  int running_tools_ = 0;
  std::map<std::string, PendingPtr> pending_;   // by approval id
  std::map<std::uint32_t, std::string> calls_;  // of this turn: step -> "tool: state", for the status query
};

}  // namespace holdfast::agent
