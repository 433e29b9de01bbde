#pragma once

// The life of an execution: start, signals and requests to cancel, its end, and the run that follows it
// (continue-as-new, retry, cron).

#include <memory>
#include <string>

#include "history/mutable_state.h"

namespace holdfast::history::lifecycle {

// Everything a first event says; made from a request, a parent's command or a closing run.
struct StartInput {
  std::string namespace_id;
  std::string workflow_id;
  std::string run_id;
  std::string request_id;
  std::string first_run_id;  // empty: this run is the first
  std::string original_run_id;
  std::string continued_run_id;
  pb::history::v1::WorkflowExecutionStartedEventAttributes
      attributes;  // type, queue, input, timeouts, policies, ...
  pb::sdk::v1::UserMetadata user_metadata;
  bool has_user_metadata = false;
  Ns first_task_backoff_ns = 0;
  Ns execution_expiration_ns = 0;  // of the chain; 0: from the execution timeout
  Ns original_start_ns = 0;
  std::int64_t namespace_retention_ns = 0;
  Links links;
};

// A run before its first event.
stored::ExecutionState unborn(const stored::StartFacts& facts);

// A running execution whose first event is written. The caller schedules the first workflow task and ends the
// transition.
std::unique_ptr<MutableState> start(StartInput input, Ns now);

// Policies for a workflow id that is taken: what a start has to do.
enum class StartDecision : std::uint8_t { kStart, kUseExisting, kTerminateAndStart, kRefuse };
StartDecision decide(enums::WorkflowExecutionStatus current, enums::WorkflowIdReusePolicy reuse,
                     enums::WorkflowIdConflictPolicy conflict);

// What is said to a run whose first workflow task is held back (a start delay, a cron or retry pause). A
// request to cancel, an update and a signal-with-start end the wait; a plain signal waits with the run. So
// does Temporal (measured, and its SignalWorkflowExecution asks for no task while the first one is held
// back).
enum class FirstWait : std::uint8_t { kKept, kEnded };
void signal(MutableState& ms, Ns now, pb::history::v1::WorkflowExecutionSignaledEventAttributes attributes,
            const Links& links = {}, FirstWait wait = FirstWait::kKept);
// False: already requested.
bool request_cancel(MutableState& ms, Ns now,
                    pb::history::v1::WorkflowExecutionCancelRequestedEventAttributes attributes,
                    const std::string& request_id, const Links& links = {});

// The end. Each writes the closing event; a successor, if the chain goes on, is left in the effects.
struct CloseContext {
  std::int64_t completed_event_id = 0;
  std::string identity{};
  std::string new_run_id{};            // for the run that may follow
  const Event* first_event = nullptr;  // the started event: input and headers of the next run
};
void complete(MutableState& ms, const Limits& limits, Ns now, Payloads* result, const CloseContext& context);
void fail(MutableState& ms, const Limits& limits, Ns now, Failure* failure, const CloseContext& context);
void cancel(MutableState& ms, Ns now, Payloads* details, const CloseContext& context);
void terminate(MutableState& ms, Ns now, const std::string& reason, Payloads* details,
               const std::string& identity, const Links& links = {});
void time_out(MutableState& ms, const Limits& limits, Ns now, const CloseContext& context);
void continue_as_new(MutableState& ms, Ns now,
                     pb::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes* command,
                     const CloseContext& context);
// Does closing this run need its first event (retry or cron)?
bool may_be_followed(const stored::ExecutionState& state);

// Held-back first task: the moment has come.
void first_task_due(MutableState& ms, Ns now);

// What a closed execution owed to others has been taken: its parent knows of the end; the parent close policy
// of a child has been carried out.
void parent_told(MutableState& ms);
void child_told(MutableState& ms, std::int64_t initiated_event_id);

void apply_started(Record& record, const Event& event);
void apply_signaled(Record& record, const Event& event);
void apply_cancel_requested(Record& record, const Event& event);
void apply_completed(Record& record, const Event& event);
void apply_failed(Record& record, const Event& event);
void apply_canceled(Record& record, const Event& event);
void apply_terminated(Record& record, const Event& event);
void apply_timed_out(Record& record, const Event& event);
void apply_continued_as_new(Record& record, const Event& event);

// What lists show.
void fill_info(const stored::ExecutionState& state, pb::workflow::v1::WorkflowExecutionInfo* info);

}  // namespace holdfast::history::lifecycle
