#pragma once

// The agent loop: one workflow type for every agent. Four steps, over and over: model call, approval check,
// tools in parallel, continue or finish. Deterministic workflow code: it waits for activities, children,
// people and timers, and touches nothing else. One object per run; its handlers outlive the main coroutine,
// so it is shared.
//
// By file: loop.cc the four steps; tool_calls.cc one call, and what is asked when its end is not known;
// code_calls.cc calls that code makes; together.cc calls that one activity makes; single.cc a run of one
// model call; planning.cc who speaks in an agent that plans; approval.cc a person's decision; question.cc a
// person's answer; deciding.cc how many people decide, and who; admission.cc rules that look at what the run
// has done; steering.cc messages, pause and resume, steps that failed for good; undo.cc taking effects back;
// detached.cc calls that are not waited for; status.cc what others may ask.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/budget.h"
#include "agent/pending.h"
#include "agent/undoing.h"
#include "holdfast/workflow.h"
#include "protocol/activities.h"
#include "protocol/approved_call.h"
#include "protocol/decision.h"
#include "protocol/names.h"
#include "protocol/run.h"
#include "protocol/steering.h"

namespace holdfast::agent {

using namespace protocol;

struct WorkflowTool;

// The workflow function registered as kWorkflowType.
Task<RunResult> agent_workflow(workflow::Context& ctx, RunInput input);

class Loop : public std::enable_shared_from_this<Loop> {
 public:
  Loop(workflow::Context& ctx, RunInput input) : ctx_(ctx), input_(std::move(input)) {
    if (input_.progress) progress_ = *input_.progress;  // before any handler looks
  }

  void register_handlers();
  Task<RunResult> run();

  // Its tool changes nothing (protocol/pure_tool.h).
  static bool is_pure(const PlannedCall& call);

 private:
  // loop.cc, top down
  Task<void> begin();
  void take_begun(const Begun& begun);
  Task<RunResult> within_deadline();
  Task<RunResult> turns();
  Task<RunResult> next_run();
  // None: a message cut it short.
  Task<std::optional<ModelTurn>> call_model();
  Task<std::optional<ModelTurn>> try_model();
  void take_turn(const ModelTurn& turn);
  Task<std::optional<RunResult>> call_once();  // single.cc; none: the loop goes on
  ActivityOptions model_options() const;
  Task<void> compact();  // compaction.cc
  Task<void> answer_calls(ModelTurn turn);
  void number(PlannedCall& call);
  Caller caller_of(const PlannedCall& call) const;
  bool should_continue_as_new() const;
  Task<RunResult> finish(RunEnd end);
  Task<RunResult> result_of(Finished finished, RunEnd end);
  Task<void> report_end(FinishInput in);
  bool was_lost(const Failure& failure) const;
  // Runs that began before calls were waited for keep their ways.
  bool is_steered() const { return (progress_.plan.flags & kSteeredFlag) != 0; }

  // tool_calls.cc
  Task<ToolAnswer> answer_call(PlannedCall call);
  std::optional<ToolAnswer> not_called(const PlannedCall& call) const;
  // Whether a call may begin at this very moment.
  bool begins_now(const PlannedCall& call, int slots) const;
  ToolAnswer answer_of(const CallRef& call, const Outcome<ToolAnswer>& outcome);
  // `completion`: of a call that hands out tokens, the id of the detached call. `known`: what a first attempt
  // has come to already.
  Task<ToolAnswer> call_tool(PlannedCall call, std::string completion, std::optional<ToolResult> known);
  ActivityOptions tool_options(const PlannedCall& call) const;
  ToolInput tool_input(const PlannedCall& call, const std::string& completion) const;
  Task<ToolResult> try_tool(std::shared_ptr<PlannedCall> call, std::string completion);
  Task<ToolResult> reconcile(std::shared_ptr<PlannedCall> call, ToolResult unknown);
  Task<ToolAnswer> call_in_workflow(const WorkflowTool* tool, PlannedCall call);
  Task<ToolAnswer> call_until_known(const WorkflowTool* tool, PlannedCall call);

  // detached.cc
  Task<ToolAnswer> detach(std::shared_ptr<PlannedCall> call, const WorkflowTool* in_workflow);
  Task<ToolAnswer> start_call(std::shared_ptr<PlannedCall> call, std::string id);
  void run_beside(std::shared_ptr<PlannedCall> call, const WorkflowTool* in_workflow, std::string id);
  Task<void> call_beside(std::shared_ptr<PlannedCall> call, const WorkflowTool* in_workflow, std::string id);
  void wait_beside(std::string id);
  void wait_for_detached();
  Task<void> completed_beside(std::string id);
  DetachedCall* find_detached(const std::string& id);
  bool is_completed(const std::string& id);
  void forget_detached(const std::string& id);
  void ended(const std::string& id, ToolAnswer answer);
  Task<void> until_one_ends();
  Task<void> until_none_is_beside();
  bool is_kept_by_calls() const;
  void check_beside() const;
  Task<void> close_detached();
  void check_completed(const CompletionNews& news) const;
  Json take_completed(const CompletionNews& news);

  // code_calls.cc
  Task<std::vector<ToolAnswer>> answer_code(std::vector<PlannedCall> calls);
  std::string cut_short() const;

  // together.cc
  struct Together {
    Together() = default;
    std::vector<PlannedCall> calls;
    std::vector<std::optional<ToolResult>> results;  // none: the activity did not answer for that call
    std::size_t tried = 0;                           // so many of them were given to it
    bool called = false;
    FailurePtr failure;  // that ends the run
  };
  using TogetherPtr = std::shared_ptr<Together>;
  bool goes_together(const PlannedCall& call) const;
  std::vector<Task<ToolAnswer>> answer_together(std::vector<PlannedCall> calls);
  Task<ToolAnswer> answer_in_group(TogetherPtr group, std::size_t at);
  Task<void> call_together(TogetherPtr group);
  Task<void> try_together(TogetherPtr group);

  // planning.cc
  void note_planning(const CallRef& call, const ToolResult& result);
  void calls_answered();
  bool is_last_word();

  // notify.cc. `what`: the event within the run, for ids; `data`: what there is to tell.
  bool notifies(NotifyEvent event) const;
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
  bool says_itself(const PlannedCall& call) const;
  ApprovedCall approved_call(const ToolInput& tool);
  Task<void> settle_alone(CallRef call);
  void settled_with(const CallRef& call);
  // `asked`: the question that a person is to answer; null: to decide about the call.
  Task<PendingPtr> ask(PlannedCall call, std::string reason, std::string id, Question question,
                       Json asked = {});
  // deciding.cc: until it is decided, or its time is over
  Task<void> until_decided(PendingPtr pending);
  Task<bool> until_answered(PendingPtr pending);  // the same of a question; true: it is decided
  Task<void> note(PendingPtr pending, bool escalated);
  void check_scope(const Pending& pending, const Decision& decision) const;
  const RunAllowance* allowance_of(const PlannedCall& call) const;
  Task<void> apply_allowance(std::shared_ptr<PlannedCall> call, RunAllowance allowance);
  void allow_for_run(const Pending& pending);
  void check_decision(const Decision& decision) const;
  Json decide(const Decision& decision);
  void withdraw(Pending& pending, const std::string& by);

  // question.cc
  Task<ToolAnswer> ask_person(PlannedCall call);

  // admission.cc: rules that look at what the run has done
  bool is_watched(const std::string& tool) const;
  Task<Judged> judge(std::shared_ptr<PlannedCall> call, bool asked);
  // None: the call is made now, and is remembered.
  Task<std::optional<ToolAnswer>> admitted(std::shared_ptr<PlannedCall> call);
  Task<Verdict> ruled_on(std::shared_ptr<PlannedCall> call, bool asked);
  Task<void> until_free(int slots);
  void remember_call(const PlannedCall& call);
  void call_ended(std::uint32_t step, bool ok);

  // steering.cc
  void check_message(const SentMessage& message) const;
  Json take_message(const SentMessage& message);
  void interrupt(const std::string& by);
  void check_pause() const;
  Task<Json> pause(PauseRequest request);
  void check_held(bool parked_only) const;
  Task<Json> resume(ResumeRequest request);
  Task<Json> give_up(GiveUpRequest request);
  Task<void> release(std::string by);
  bool parks(const Failure& failure, bool of_tool) const;
  // Returns when somebody resumed the run.
  Task<void> park(std::string type, std::string detail, std::uint32_t step);
  Task<void> held();
  Task<void> record_hold(HoldInput in);
  Task<void> run_time_over();
  Task<void> handlers_ended();

  // undo.cc
  void remember_effect(const PlannedCall& call);
  void forget_effect(const std::string& key);
  // What could not be undone, for people.
  Task<std::vector<std::string>> undo_effects();

  // status.cc
  Json status() const;
  std::int64_t now_ms() const;

  workflow::Context& ctx_;
  RunInput input_;
  Progress progress_;
  BudgetGate budget_{ctx_};
  std::string phase_ = "starting";
  int running_tools_ = 0;
  OpenQuestions pending_;
  std::map<std::uint32_t, PendingPtr> settling_;  // approved, and the call itself is to say so; by its step
  std::map<std::uint32_t, std::string> calls_;    // of this turn: step -> "tool: state", for the status query
  std::optional<CancelScope> model_scope_;        // of the model call under way
  std::map<std::uint32_t, CancelScope> waits_;    // of calls that the workflow makes itself, by step
  int code_calls_ = 0;                            // of this turn
  // The last round of code that is under way, by the place of its call in the turn: for who takes the run up.
  std::map<std::uint32_t, std::string> code_rounds_;
  bool interrupted_ = false;  // what is not under way yet of this turn is not begun any more
  std::string interrupted_by_;
  bool single_ = false;                  // the one call is under way: there is nothing to steer
  std::optional<ModelTurn> first_turn_;  // that it came to, when the loop is to go on with it
  bool ending_ = false;                  // nobody is promised any more that a message is seen
  Undoing undoing_;
  bool recording_hold_ = false;
  bool releasing_ = false;
  // Of detached calls.
  std::optional<CancelScope> beside_scope_;
  int beside_ = 0;           // that end themselves
  int ending_detached_ = 0;  // whose end is being asked for
  std::set<std::string> failed_starts_;
  bool closing_ = false;
  std::shared_ptr<Outcome<ToolAnswer>> beside_failure_;  // of one of them, which ends the run
  bool judging_ = false;                                 // one call behind the other
  std::set<std::uint32_t> not_well_;                     // calls that are over, and failed
  std::optional<std::string> given_up_;  // by whom, and why: what is parked ends with its failure
};

}  // namespace holdfast::agent
