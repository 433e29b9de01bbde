#include "history/lifecycle.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/transition.h"
#include "history/apply.h"
#include "history/cron.h"
#include "history/failures.h"
#include "history/retry.h"
#include "history/workflow_task.h"
#include "history/writable.h"

namespace holdfast::history::lifecycle {
namespace {

enum class On : std::uint8_t { kComplete, kFail, kCancel, kTerminate, kTimeOut, kContinueAsNew };

// As WorkflowExecutionStatus has them.
enum class State : std::uint8_t {
  kRunning = enums::WORKFLOW_EXECUTION_STATUS_RUNNING,
  kCompleted = enums::WORKFLOW_EXECUTION_STATUS_COMPLETED,
  kFailed = enums::WORKFLOW_EXECUTION_STATUS_FAILED,
  kCanceled = enums::WORKFLOW_EXECUTION_STATUS_CANCELED,
  kTerminated = enums::WORKFLOW_EXECUTION_STATUS_TERMINATED,
  kContinuedAsNew = enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW,
  kTimedOut = enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
};
constexpr auto kRunning = enums::WORKFLOW_EXECUTION_STATUS_RUNNING;

constexpr Transition<State, On> kRows[] = {
    {State::kRunning, On::kComplete, State::kCompleted},
    {State::kRunning, On::kFail, State::kFailed},
    {State::kRunning, On::kCancel, State::kCanceled},
    {State::kRunning, On::kTerminate, State::kTerminated},
    {State::kRunning, On::kTimeOut, State::kTimedOut},
    {State::kRunning, On::kContinueAsNew, State::kContinuedAsNew},
};
const TransitionTable kTable("lifecycle", rows(State::kRunning, kRows));

// Who ends a workflow task so that its run can end.
const std::string kServer = "history-service";

// A run shorter than this is followed by the next only after a pause.
constexpr Ns kShortestRun = kSecond;

// The last event of a run. What waited is over; what it owes to others is written down.
void close(MutableState& ms, On on, Event event) {
  const State next = kTable.step(static_cast<State>(ms.s().status()), on);
  ms.record(std::move(event));
  HF_CHECK(static_cast<State>(ms.s().status()) == next);
  ms.set_speculative(false);
  workflow_task::clear_sticky(ms);
  writable(ms).take_buffered();
  ms.effects().closed = true;
  ms.effects().visibility = true;
  ms.effects().updates = true;
  ms.effects().workflow_task = false;
  ms.effects().activities.clear();
  ms.effects().owe(0);
}

// Next run of the chain: what it inherits from this one.
StartInput follow(const MutableState& ms, const CloseContext& context,
                  enums::ContinueAsNewInitiator initiator) {
  const auto& state = ms.s();
  StartInput input;
  input.namespace_id = state.namespace_id();
  input.workflow_id = state.workflow_id();
  input.run_id = context.new_run_id;
  // The chain's, so that a start that is repeated after its run has continued is still known.
  input.request_id = state.create_request_id();
  input.first_run_id = state.first_run_id();
  input.continued_run_id = state.run_id();
  input.execution_expiration_ns = state.execution_expiration_ns();
  input.original_start_ns = state.original_start_ns();
  input.namespace_retention_ns = state.retention_ns();
  if (state.has_user_metadata()) {
    input.user_metadata = state.user_metadata();
    input.has_user_metadata = true;
  }
  auto& attributes = input.attributes;
  attributes.mutable_workflow_type()->set_name(state.workflow_type());
  attributes.mutable_task_queue()->set_name(state.task_queue());
  set_duration(attributes.mutable_workflow_execution_timeout(), state.execution_timeout_ns());
  set_duration(attributes.mutable_workflow_run_timeout(), state.run_timeout_ns());
  set_duration(attributes.mutable_workflow_task_timeout(), state.task_timeout_ns());
  attributes.set_initiator(initiator);
  if (state.has_retry_policy()) *attributes.mutable_retry_policy() = state.retry_policy();
  attributes.set_cron_schedule(state.cron_schedule());
  if (state.has_memo()) *attributes.mutable_memo() = state.memo();
  if (state.has_search_attributes()) *attributes.mutable_search_attributes() = state.search_attributes();
  if (state.has_priority()) *attributes.mutable_priority() = state.priority();
  attributes.set_attempt(1);
  if (state.has_parent()) {
    const auto& parent = state.parent();
    attributes.set_parent_workflow_namespace_id(parent.namespace_id());
    attributes.set_parent_workflow_namespace(parent.namespace_name());
    attributes.mutable_parent_workflow_execution()->set_workflow_id(parent.workflow_id());
    attributes.mutable_parent_workflow_execution()->set_run_id(parent.run_id());
    attributes.set_parent_initiated_event_id(parent.initiated_event_id());
  }
  if (state.has_root()) *attributes.mutable_root_workflow_execution() = state.root();
  return input;
}

void set_successor(MutableState& ms, Ns now, StartInput input) {
  auto next = start(std::move(input), now);
  workflow_task::schedule(*next, now);
  ms.effects().successor = std::move(next);
}

// Takes what only the first event knows.
void copy_from_first_event(StartInput& input, const Event* first) {
  if (first == nullptr) return;
  const auto& started = first->workflow_execution_started_event_attributes();
  if (started.has_input()) *input.attributes.mutable_input() = started.input();
  if (started.has_header()) *input.attributes.mutable_header() = started.header();
  if (started.has_last_completion_result()) {
    *input.attributes.mutable_last_completion_result() = started.last_completion_result();
  }
}

// Retry first, then cron, whose next run is there also when the time of the chain is over before it is due:
// it times out while it waits, as on Temporal. Returns the successor's run id, or empty, and why there is no
// retry.
std::string follow_failure(MutableState& ms, Ns now, const Failure& failure, const CloseContext& context,
                           enums::RetryState* retry_state) {
  const auto& state = ms.s();
  *retry_state = enums::RETRY_STATE_RETRY_POLICY_NOT_SET;
  if (context.new_run_id.empty() || context.first_event == nullptr) return {};
  if (state.has_retry_policy()) {
    const auto again = retry::next(state.retry_policy(), std::max(state.attempt(), 1), now,
                                   state.execution_expiration_ns(), &failure);
    *retry_state = again.state;
    if (again.state == enums::RETRY_STATE_IN_PROGRESS) {
      StartInput input = follow(ms, context, enums::CONTINUE_AS_NEW_INITIATOR_RETRY);
      copy_from_first_event(input, context.first_event);
      input.attributes.set_attempt(state.attempt() + 1);
      *input.attributes.mutable_continued_failure() = failure;
      input.first_task_backoff_ns = again.interval;
      set_successor(ms, now, std::move(input));
      return context.new_run_id;
    }
  }
  if (state.cron_schedule().empty()) return {};
  const auto due = cron::next(state.cron_schedule(), state.execution_ns(), now);
  if (!due) return {};
  StartInput input = follow(ms, context, enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
  copy_from_first_event(input, context.first_event);
  *input.attributes.mutable_continued_failure() = failure;
  input.first_task_backoff_ns = *due - now;
  set_successor(ms, now, std::move(input));
  return context.new_run_id;
}

// Of the run and of its workflow tasks: the shorter one counts.
void settle_timeouts(const StartInput& input, Ns now,
                     pb::history::v1::WorkflowExecutionStartedEventAttributes* out) {
  auto& attributes = *out;
  const Ns execution_timeout = to_ns(attributes.workflow_execution_timeout());
  Ns run_timeout = to_ns(attributes.workflow_run_timeout());
  if (execution_timeout != 0 && (run_timeout == 0 || run_timeout > execution_timeout))
    run_timeout = execution_timeout;
  Ns task_timeout = to_ns(attributes.workflow_task_timeout());
  if (task_timeout == 0) task_timeout = workflow_task::kDefaultTimeout;
  task_timeout = std::min(task_timeout, workflow_task::kMaxTimeout);
  if (run_timeout != 0) task_timeout = std::min(task_timeout, run_timeout);
  Ns expiration = input.execution_expiration_ns;
  // From the start on, also of a run that waits before its first task: Temporal's chains are as old as they
  // are, and only a run's own timeout begins behind the wait.
  if (expiration == 0 && execution_timeout != 0) expiration = now + execution_timeout;
  // SDKs show a timeout of zero as one that was set.
  attributes.clear_workflow_execution_timeout();
  attributes.clear_workflow_run_timeout();
  if (execution_timeout != 0)
    set_duration(attributes.mutable_workflow_execution_timeout(), execution_timeout);
  if (run_timeout != 0) set_duration(attributes.mutable_workflow_run_timeout(), run_timeout);
  set_duration(attributes.mutable_workflow_task_timeout(), task_timeout);
  set_duration(attributes.mutable_first_workflow_task_backoff(), input.first_task_backoff_ns);
  if (expiration != 0) set_time(attributes.mutable_workflow_execution_expiration_time(), expiration);
}

// The first event: the request, and what it leaves open.
Event started(StartInput input, Ns now) {
  auto& attributes = input.attributes;
  settle_timeouts(input, now, &attributes);
  if (attributes.has_retry_policy()) retry::fill_defaults(attributes.mutable_retry_policy());
  attributes.set_workflow_id(input.workflow_id);
  attributes.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  attributes.set_original_execution_run_id(input.original_run_id.empty() ? input.run_id
                                                                         : input.original_run_id);
  attributes.set_first_execution_run_id(input.first_run_id.empty() ? input.run_id : input.first_run_id);
  attributes.set_continued_execution_run_id(input.continued_run_id);
  attributes.set_attempt(std::max(attributes.attempt(), 1));
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED>(now);
  if (input.has_user_metadata) event.mutable_user_metadata()->Swap(&input.user_metadata);
  event.mutable_workflow_execution_started_event_attributes()->Swap(&attributes);
  event.mutable_links()->Swap(&input.links);
  return event;
}

}  // namespace

bool may_be_followed(const stored::ExecutionState& state) {
  return state.has_retry_policy() || !state.cron_schedule().empty();
}

std::unique_ptr<MutableState> start(StartInput input, Ns now) {
  stored::StartFacts facts;
  facts.set_namespace_id(input.namespace_id);
  facts.set_workflow_id(input.workflow_id);
  facts.set_run_id(input.run_id);
  facts.set_create_request_id(input.request_id);
  facts.set_original_start_ns(input.original_start_ns != 0 ? input.original_start_ns : now);
  facts.set_retention_ns(input.namespace_retention_ns);
  auto ms = std::make_unique<MutableState>(unborn(facts));
  ms->record(started(std::move(input), now));
  ms->effects().visibility = true;
  return ms;
}

StartDecision decide(enums::WorkflowExecutionStatus current, enums::WorkflowIdReusePolicy reuse,
                     enums::WorkflowIdConflictPolicy conflict) {
  if (current == kRunning) {
    if (reuse == enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING ||
        conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING) {
      return StartDecision::kTerminateAndStart;
    }
    return conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING ? StartDecision::kUseExisting
                                                                       : StartDecision::kRefuse;
  }
  switch (reuse) {
    case enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE: return StartDecision::kRefuse;
    case enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY:
      return current == enums::WORKFLOW_EXECUTION_STATUS_COMPLETED ||
                     current == enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW
                 ? StartDecision::kRefuse
                 : StartDecision::kStart;
    default: return StartDecision::kStart;
  }
}

void signal(MutableState& ms, Ns now, pb::history::v1::WorkflowExecutionSignaledEventAttributes attributes,
            const Links& links, FirstWait wait) {
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED>(now);
  *event.mutable_links() = links;
  event.mutable_workflow_execution_signaled_event_attributes()->Swap(&attributes);
  ms.record(std::move(event));
  workflow_task::schedule(ms, now, {.end_first_wait = wait == FirstWait::kEnded});
}

bool request_cancel(MutableState& ms, Ns now,
                    pb::history::v1::WorkflowExecutionCancelRequestedEventAttributes attributes,
                    const std::string& request_id, const Links& links) {
  if (ms.s().cancel_requested()) return false;
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED>(now);
  *event.mutable_links() = links;
  event.mutable_workflow_execution_cancel_requested_event_attributes()->Swap(&attributes);
  ms.record(std::move(event));
  writable(ms).s().set_cancel_request_id(request_id);
  workflow_task::schedule(ms, now, {.end_first_wait = true});
  return true;
}

void complete(MutableState& ms, const Limits& /*limits*/, Ns now, Payloads* result,
              const CloseContext& context) {
  std::string next_run;
  const auto& state = ms.s();
  if (!state.cron_schedule().empty() && !state.cancel_requested() && context.first_event != nullptr) {
    const auto due = cron::next(state.cron_schedule(), state.execution_ns(), now);
    if (due) {
      StartInput input = follow(ms, context, enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
      copy_from_first_event(input, context.first_event);
      if (result != nullptr) *input.attributes.mutable_last_completion_result() = *result;
      input.first_task_backoff_ns = *due - now;
      set_successor(ms, now, std::move(input));
      next_run = context.new_run_id;
    }
  }
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED>(now);
  auto& attributes = *event.mutable_workflow_execution_completed_event_attributes();
  if (result != nullptr) attributes.mutable_result()->Swap(result);
  attributes.set_workflow_task_completed_event_id(context.completed_event_id);
  attributes.set_new_execution_run_id(next_run);
  close(ms, On::kComplete, std::move(event));
}

void fail(MutableState& ms, const Limits& /*limits*/, Ns now, Failure* failure, const CloseContext& context) {
  enums::RetryState retry_state{};
  const std::string next_run = ms.s().cancel_requested() && !ms.s().has_retry_policy()
                                   ? (retry_state = enums::RETRY_STATE_RETRY_POLICY_NOT_SET, std::string())
                                   : follow_failure(ms, now, *failure, context, &retry_state);
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED>(now);
  auto& attributes = *event.mutable_workflow_execution_failed_event_attributes();
  attributes.mutable_failure()->Swap(failure);
  attributes.set_retry_state(retry_state);
  attributes.set_workflow_task_completed_event_id(context.completed_event_id);
  attributes.set_new_execution_run_id(next_run);
  close(ms, On::kFail, std::move(event));
}

void cancel(MutableState& ms, Ns now, Payloads* details, const CloseContext& context) {
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED>(now);
  auto& attributes = *event.mutable_workflow_execution_canceled_event_attributes();
  attributes.set_workflow_task_completed_event_id(context.completed_event_id);
  if (details != nullptr) attributes.mutable_details()->Swap(details);
  close(ms, On::kCancel, std::move(event));
}

void terminate(MutableState& ms, Ns now, const std::string& reason, Payloads* details,
               const std::string& identity, const Links& links) {
  if (ms.workflow_task_started()) {
    // What was buffered gets its place before the end.
    workflow_task::fail(
        ms, now, {.cause = enums::WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND, .identity = kServer});
    ms.flush_buffered();
  }
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED>(now);
  *event.mutable_links() = links;
  auto& attributes = *event.mutable_workflow_execution_terminated_event_attributes();
  attributes.set_reason(reason);
  if (details != nullptr) attributes.mutable_details()->Swap(details);
  attributes.set_identity(identity);
  close(ms, On::kTerminate, std::move(event));
}

void time_out(MutableState& ms, const Limits& /*limits*/, Ns now, const CloseContext& context) {
  if (ms.workflow_task_started()) {
    workflow_task::fail(
        ms, now, {.cause = enums::WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND, .identity = kServer});
    ms.flush_buffered();
  }
  enums::RetryState retry_state = enums::RETRY_STATE_TIMEOUT;
  std::string next_run;
  const Ns end = ms.s().execution_expiration_ns();
  if (end == 0 || end > now) {
    Failure failure = timeout_failure(enums::TIMEOUT_TYPE_START_TO_CLOSE);
    failure.set_message("workflow timeout");
    next_run = follow_failure(ms, now, failure, context, &retry_state);
  }
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT>(now);
  auto& attributes = *event.mutable_workflow_execution_timed_out_event_attributes();
  attributes.set_retry_state(retry_state);
  attributes.set_new_execution_run_id(next_run);
  close(ms, On::kTimeOut, std::move(event));
}

// What the command leaves out the next run does not have: SDKs send what they want to keep.
static void take_or_clear(const pb::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes* command,
                          pb::history::v1::WorkflowExecutionStartedEventAttributes* attributes) {
  attributes->clear_retry_policy();
  attributes->clear_memo();
  attributes->clear_search_attributes();
  if (command->has_retry_policy()) *attributes->mutable_retry_policy() = command->retry_policy();
  if (command->has_memo()) *attributes->mutable_memo() = command->memo();
  if (command->has_search_attributes())
    *attributes->mutable_search_attributes() = command->search_attributes();
  attributes->set_cron_schedule(command->cron_schedule());
}

void continue_as_new(MutableState& ms, Ns now,
                     pb::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes* command,
                     const CloseContext& context) {
  const auto initiator = command->initiator() == enums::CONTINUE_AS_NEW_INITIATOR_UNSPECIFIED
                             ? enums::CONTINUE_AS_NEW_INITIATOR_WORKFLOW
                             : command->initiator();
  StartInput input = follow(ms, context, initiator);
  auto& attributes = input.attributes;
  if (!command->workflow_type().name().empty())
    *attributes.mutable_workflow_type() = command->workflow_type();
  if (!command->task_queue().name().empty()) {
    attributes.mutable_task_queue()->set_name(command->task_queue().name());
  }
  if (command->has_input()) *attributes.mutable_input() = command->input();
  if (command->has_header()) *attributes.mutable_header() = command->header();
  if (to_ns(command->workflow_run_timeout()) != 0) {
    *attributes.mutable_workflow_run_timeout() = command->workflow_run_timeout();
  }
  if (to_ns(command->workflow_task_timeout()) != 0) {
    *attributes.mutable_workflow_task_timeout() = command->workflow_task_timeout();
  }
  take_or_clear(command, &attributes);
  if (command->has_last_completion_result()) {
    *attributes.mutable_last_completion_result() = command->last_completion_result();
  }
  if (command->has_failure()) *attributes.mutable_continued_failure() = command->failure();
  Ns backoff = to_ns(command->backoff_start_interval());
  const Ns lifetime = now - ms.s().execution_ns();
  if (lifetime + backoff < kShortestRun) backoff = kShortestRun - lifetime;
  input.first_task_backoff_ns = backoff;
  set_successor(ms, now, std::move(input));

  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW>(now);
  auto& closing = *event.mutable_workflow_execution_continued_as_new_event_attributes();
  closing.set_new_execution_run_id(context.new_run_id);
  const auto& next = ms.effects().successor->s();
  closing.mutable_workflow_type()->set_name(next.workflow_type());
  closing.mutable_task_queue()->set_name(next.task_queue());
  closing.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  if (command->has_input()) closing.mutable_input()->Swap(command->mutable_input());
  set_duration(closing.mutable_workflow_run_timeout(), next.run_timeout_ns());
  set_duration(closing.mutable_workflow_task_timeout(), next.task_timeout_ns());
  closing.set_workflow_task_completed_event_id(context.completed_event_id);
  if (command->has_backoff_start_interval())
    *closing.mutable_backoff_start_interval() = command->backoff_start_interval();
  closing.set_initiator(command->initiator());
  if (command->has_last_completion_result()) {
    closing.mutable_last_completion_result()->Swap(command->mutable_last_completion_result());
  }
  if (command->has_header()) closing.mutable_header()->Swap(command->mutable_header());
  if (command->has_memo()) closing.mutable_memo()->Swap(command->mutable_memo());
  if (command->has_search_attributes()) {
    closing.mutable_search_attributes()->Swap(command->mutable_search_attributes());
  }
  close(ms, On::kContinueAsNew, std::move(event));
}

void first_task_due(MutableState& ms, Ns now) {
  workflow_task::schedule(ms, now, {.end_first_wait = true});
}

void parent_told(MutableState& ms) {
  writable(ms).s().mutable_close_outbox()->set_notify_parent(false);
}

void child_told(MutableState& ms, std::int64_t initiated_event_id) {
  writable(ms).erase_parent_close(initiated_event_id);
}

void fill_info(const stored::ExecutionState& state, pb::workflow::v1::WorkflowExecutionInfo* info) {
  info->mutable_execution()->set_workflow_id(state.workflow_id());
  info->mutable_execution()->set_run_id(state.run_id());
  info->mutable_type()->set_name(state.workflow_type());
  set_time(info->mutable_start_time(), state.start_ns());
  set_time(info->mutable_execution_time(), state.execution_ns());
  info->set_status(state.status());
  info->set_history_length(state.next_event_id() - 1);
  info->set_history_size_bytes(state.history_bytes());
  info->set_state_transition_count(state.transition_count());
  info->set_task_queue(state.task_queue());
  info->set_first_run_id(state.first_run_id());
  if (state.has_memo()) *info->mutable_memo() = state.memo();
  if (state.has_search_attributes()) *info->mutable_search_attributes() = state.search_attributes();
  if (state.close_ns() != 0) {
    set_time(info->mutable_close_time(), state.close_ns());
    set_duration(info->mutable_execution_duration(), state.close_ns() - state.execution_ns());
  }
  if (state.has_parent()) {
    info->set_parent_namespace_id(state.parent().namespace_id());
    info->mutable_parent_execution()->set_workflow_id(state.parent().workflow_id());
    info->mutable_parent_execution()->set_run_id(state.parent().run_id());
  }
  if (state.has_root()) {
    *info->mutable_root_execution() = state.root();
  } else {
    *info->mutable_root_execution() = info->execution();
  }
}

}  // namespace holdfast::history::lifecycle
