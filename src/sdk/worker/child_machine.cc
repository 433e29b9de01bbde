#include "worker/child_machine.h"

#include "client/convert.h"
#include "client/failure_converter.h"

namespace holdfast::worker {
namespace {

using S = ChildMachine::State;
using I = ChildMachine::Input;

constexpr Transition<S, I> kRows[] = {
    {S::kCreated, I::kInitiatedEvent, S::kInitiated},
    {S::kCreated, I::kCancel, S::kDone},  // the command is taken back
    {S::kInitiated, I::kStartedEvent, S::kStarted},
    {S::kInitiated, I::kStartFailedEvent, S::kDone},
    {S::kInitiated, I::kCancel, S::kInitiated},  // a cancellation request goes out
    {S::kStarted, I::kCancel, S::kStarted},
    {S::kStarted, I::kClosedEvent, S::kDone},
};
const TransitionTable kTable("worker child workflow", rows(S::kCreated, kRows));

constexpr const char* kStateNames[] = {"created", "initiated", "started", "already over"};

}  // namespace

ChildMachine::ChildMachine(Outbox& outbox, std::string type, ChildOptions options,
                           std::vector<Payload> arguments, const std::string& task_queue)
    : outbox_(outbox),
      type_(std::move(type)),
      options_(std::move(options)),
      arguments_(std::move(arguments)),
      task_queue_(options_.task_queue().empty() ? task_queue : options_.task_queue()) {}

void ChildMachine::begin() {
  outbox_.commands().push(shared_from_this(), enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED);
}

void ChildMachine::cancel(const std::string& reason) {
  leave_scope();
  if (state_ == S::kDone || cancel_requested_) return;
  cancel_requested_ = true;
  const auto canceled = [&] {
    fail(RetryState::kCancelRequested, "child workflow canceled",
         std::make_shared<CanceledFailure>("child workflow canceled"));
  };
  if (state_ == S::kCreated) {
    step(I::kCancel, nullptr);
    outbox_.commands().drop(*this, enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED);
    canceled();
    return;
  }
  const ChildCancellation how = options_.cancellation();
  if (how != ChildCancellation::kAbandon) {
    step(I::kCancel, nullptr);
    ExternalTarget target;
    target.workflow_id = options_.workflow_id();
    target.child_only = true;
    std::make_shared<ExternalCancelMachine>(outbox_, std::move(target), reason)->begin();
  }
  // kWaitRequested ends with the request's own event, which is at hand as soon as this task is recorded.
  if (how != ChildCancellation::kWaitCompleted) canceled();
}

void ChildMachine::step(Input input, const HistoryEvent* event) {
  const auto next = kTable.next(state_, input);
  if (!next) {
    throw_unexpected(*event, "child workflow \"" + options_.workflow_id() + "\"",
                     kStateNames[static_cast<int>(state_)]);
  }
  state_ = *next;
}

std::string ChildMachine::describe(enums::EventType kind) const {
  return event_text(kind, {{"workflow_id", options_.workflow_id()}, {"workflow_type", type_}});
}

void ChildMachine::write(enums::EventType, Command* command) const {
  using client::set_duration;
  command->set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
  auto* out = command->mutable_start_child_workflow_execution_command_attributes();
  out->set_workflow_id(options_.workflow_id());
  out->mutable_workflow_type()->set_name(type_);
  out->mutable_task_queue()->set_name(task_queue_);
  client::set_payloads(arguments_, out->mutable_input());
  if (options_.execution_timeout()) {
    set_duration(*options_.execution_timeout(), out->mutable_workflow_execution_timeout());
  }
  if (options_.run_timeout()) set_duration(*options_.run_timeout(), out->mutable_workflow_run_timeout());
  if (options_.task_timeout()) set_duration(*options_.task_timeout(), out->mutable_workflow_task_timeout());
  out->set_parent_close_policy(static_cast<enums::ParentClosePolicy>(options_.parent_close()));
  out->set_workflow_id_reuse_policy(static_cast<enums::WorkflowIdReusePolicy>(options_.id_reuse()));
  if (options_.retry()) client::set_retry_policy(*options_.retry(), out->mutable_retry_policy());
  out->set_cron_schedule(options_.cron_schedule());
  if (!options_.memo().empty()) client::set_map(options_.memo(), out->mutable_memo()->mutable_fields());
  if (!options_.search_attributes().empty()) {
    client::set_map(options_.search_attributes().values(),
                    out->mutable_search_attributes()->mutable_indexed_fields());
  }
}

void ChildMachine::recorded(enums::EventType, const HistoryEvent& event) {
  step(I::kInitiatedEvent, &event);
  outbox_.route(event.event_id(), shared_from_this());
}

void ChildMachine::fail(RetryState retry_state, const std::string& message, FailurePtr cause) {
  const ChildWorkflowFailure failure(message, type_, options_.workflow_id(), run_id_, retry_state,
                                     std::move(cause));
  started_.set_failure(failure);
  result_.set_failure(failure);
}

void ChildMachine::start_failed(const HistoryEvent& event) {
  const auto cause = event.start_child_workflow_execution_failed_event_attributes().cause();
  const bool exists = cause == enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS;
  fail(RetryState::kNonRetryableFailure, "child workflow did not start",
       std::make_shared<ApplicationFailure>(
           exists ? "a workflow with the id \"" + options_.workflow_id() + "\" exists already"
                  : "the child's namespace was not found",
           exists ? "WorkflowAlreadyStarted" : "NamespaceNotFound", true));
}

void ChildMachine::resolve(const HistoryEvent& event) {
  using client::from_proto;
  switch (event.event_type()) {
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
      step(I::kStartedEvent, &event);
      run_id_ = event.child_workflow_execution_started_event_attributes().workflow_execution().run_id();
      started_.set_value(run_id_);
      return;
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
      step(I::kStartFailedEvent, &event);
      leave_scope();
      start_failed(event);
      return;
    default: step(I::kClosedEvent, &event); leave_scope();
  }
  switch (event.event_type()) {
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
      result_.set_value(client::single(event.child_workflow_execution_completed_event_attributes().result()));
      break;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: {
      const auto& attributes = event.child_workflow_execution_failed_event_attributes();
      fail(static_cast<RetryState>(attributes.retry_state()), "child workflow failed",
           from_proto(attributes.failure()));
      break;
    }
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
      fail(RetryState::kNonRetryableFailure, "child workflow canceled",
           std::make_shared<CanceledFailure>(
               "child workflow canceled",
               from_proto(event.child_workflow_execution_canceled_event_attributes().details())));
      break;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      fail(static_cast<RetryState>(event.child_workflow_execution_timed_out_event_attributes().retry_state()),
           "child workflow timed out",
           std::make_shared<TimeoutFailure>("child workflow timed out", TimeoutType::kStartToClose));
      break;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
      fail(RetryState::kNonRetryableFailure, "child workflow terminated",
           std::make_shared<TerminatedFailure>());
      break;
    default: break;
  }
}

}  // namespace holdfast::worker
