#include "history/child_workflow.h"

#include <optional>

#include "base/transition.h"
#include "history/apply.h"
#include "history/cron.h"
#include "history/priority.h"
#include "history/retry.h"
#include "history/workflow_task.h"
#include "history/writable.h"

namespace holdfast::history::child_workflow {
namespace {

enum class On : std::uint8_t { kStarted, kStartFailed, kClosed };

constexpr Transition<State, On> kRows[] = {
    {State::kInitiated, On::kStarted, State::kStarted},
    {State::kInitiated, On::kStartFailed, State::kClosed},
    {State::kStarted, On::kClosed, State::kClosed},
};
const TransitionTable kTable("child workflow", rows(State::kInitiated, kRows));

// What the five ends repeat.
template <typename Attributes>
void fill_common(Attributes* attributes, const stored::ChildInfo& info, const std::string& run_id) {
  attributes->set_namespace_(info.namespace_name());
  attributes->set_namespace_id(info.namespace_id());
  attributes->mutable_workflow_execution()->set_workflow_id(info.workflow_id());
  attributes->mutable_workflow_execution()->set_run_id(run_id);
  attributes->mutable_workflow_type()->set_name(info.workflow_type());
  attributes->set_initiated_event_id(info.initiated_event_id());
  attributes->set_started_event_id(info.started_event_id());
}

Event initiated(Ns now, std::int64_t completed_event_id, Command* command, const std::string& namespace_name,
                const std::string& namespace_id) {
  Event event = make_event<enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED>(now);
  auto& attributes = *event.mutable_start_child_workflow_execution_initiated_event_attributes();
  attributes.set_namespace_(namespace_name);
  attributes.set_namespace_id(namespace_id);
  attributes.mutable_workflow_id()->swap(*command->mutable_workflow_id());
  attributes.mutable_workflow_type()->Swap(command->mutable_workflow_type());
  attributes.mutable_task_queue()->Swap(command->mutable_task_queue());
  if (command->has_input()) attributes.mutable_input()->Swap(command->mutable_input());
  if (command->has_workflow_execution_timeout())
    *attributes.mutable_workflow_execution_timeout() = command->workflow_execution_timeout();
  *attributes.mutable_workflow_run_timeout() = command->workflow_run_timeout();
  *attributes.mutable_workflow_task_timeout() = command->workflow_task_timeout();
  attributes.set_parent_close_policy(command->parent_close_policy());
  attributes.set_control(command->control());
  attributes.set_workflow_task_completed_event_id(completed_event_id);
  attributes.set_workflow_id_reuse_policy(command->workflow_id_reuse_policy());
  if (command->has_retry_policy()) attributes.mutable_retry_policy()->Swap(command->mutable_retry_policy());
  attributes.set_cron_schedule(command->cron_schedule());
  if (command->has_header()) attributes.mutable_header()->Swap(command->mutable_header());
  if (command->has_memo()) attributes.mutable_memo()->Swap(command->mutable_memo());
  if (command->has_search_attributes()) {
    attributes.mutable_search_attributes()->Swap(command->mutable_search_attributes());
  }
  if (command->has_priority()) attributes.mutable_priority()->Swap(command->mutable_priority());
  return event;
}

Event start_failed(Ns now, const stored::ChildInfo& info,
                   enums::StartChildWorkflowExecutionFailedCause cause) {
  Event event = make_event<enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED>(now);
  auto& attributes = *event.mutable_start_child_workflow_execution_failed_event_attributes();
  attributes.set_namespace_(info.namespace_name());
  attributes.set_namespace_id(info.namespace_id());
  attributes.set_workflow_id(info.workflow_id());
  attributes.mutable_workflow_type()->set_name(info.workflow_type());
  attributes.set_cause(cause);
  attributes.set_initiated_event_id(info.initiated_event_id());
  return event;
}

Event started(Ns now, const stored::ChildInfo& info, const std::string& run_id,
              const pb::common::v1::Header* header) {
  Event event = make_event<enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED>(now);
  auto& attributes = *event.mutable_child_workflow_execution_started_event_attributes();
  attributes.set_namespace_(info.namespace_name());
  attributes.set_namespace_id(info.namespace_id());
  attributes.set_initiated_event_id(info.initiated_event_id());
  attributes.mutable_workflow_execution()->set_workflow_id(info.workflow_id());
  attributes.mutable_workflow_execution()->set_run_id(run_id);
  attributes.mutable_workflow_type()->set_name(info.workflow_type());
  if (header != nullptr) *attributes.mutable_header() = *header;
  return event;
}

// The end of the child's chain as its parent records it. Nothing: no end.
std::optional<Event> closed(Ns now, const stored::ChildInfo& info, const std::string& run_id,
                            const Event& closing) {
  switch (closing.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
      Event event = make_event<enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED>(now);
      auto& attributes = *event.mutable_child_workflow_execution_completed_event_attributes();
      fill_common(&attributes, info, run_id);
      const auto& from = closing.workflow_execution_completed_event_attributes();
      if (from.has_result()) *attributes.mutable_result() = from.result();
      return event;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
      Event event = make_event<enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED>(now);
      auto& attributes = *event.mutable_child_workflow_execution_failed_event_attributes();
      fill_common(&attributes, info, run_id);
      *attributes.mutable_failure() = closing.workflow_execution_failed_event_attributes().failure();
      attributes.set_retry_state(closing.workflow_execution_failed_event_attributes().retry_state());
      return event;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: {
      Event event = make_event<enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED>(now);
      auto& attributes = *event.mutable_child_workflow_execution_canceled_event_attributes();
      fill_common(&attributes, info, run_id);
      const auto& from = closing.workflow_execution_canceled_event_attributes();
      if (from.has_details()) *attributes.mutable_details() = from.details();
      return event;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: {
      Event event = make_event<enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT>(now);
      auto& attributes = *event.mutable_child_workflow_execution_timed_out_event_attributes();
      fill_common(&attributes, info, run_id);
      attributes.set_retry_state(closing.workflow_execution_timed_out_event_attributes().retry_state());
      return event;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: {
      Event event = make_event<enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED>(now);
      fill_common(event.mutable_child_workflow_execution_terminated_event_attributes(), info, run_id);
      return event;
    }
    default: return std::nullopt;
  }
}

}  // namespace

State state_of(const stored::ChildInfo& info) {
  return info.started_event_id() != 0 ? State::kStarted : State::kInitiated;
}

std::string prepare(Command* command, const stored::ExecutionState& parent, const Limits& limits) {
  const auto longest = static_cast<std::size_t>(limits.id_bytes);
  if (command->workflow_id().empty())
    return "Required field WorkflowId is not set on StartChildWorkflowExecutionCommand.";
  if (command->workflow_type().name().empty()) {
    return "Required field WorkflowType is not set on StartChildWorkflowExecutionCommand.";
  }
  if (command->workflow_id().size() > longest || command->workflow_type().name().size() > longest ||
      command->task_queue().name().size() > longest) {
    return "WorkflowId, WorkflowType or TaskQueue exceeds the length limit of 1000 bytes.";
  }
  for (const auto& [name, duration] :
       {std::pair("WorkflowExecutionTimeout", &command->workflow_execution_timeout()),
        std::pair("WorkflowRunTimeout", &command->workflow_run_timeout()),
        std::pair("WorkflowTaskTimeout", &command->workflow_task_timeout())}) {
    if (to_ns(*duration) >= 0) continue;
    return std::string("Invalid ") + name + " on StartChildWorkflowExecutionCommand: negative duration.";
  }
  if (command->has_retry_policy()) {
    if (std::string wrong = retry::problem(command->retry_policy()); !wrong.empty()) return wrong;
    retry::fill_defaults(command->mutable_retry_policy());
  }
  if (std::string wrong = cron::problem(command->cron_schedule()); !wrong.empty()) return wrong;
  if (!enums::WorkflowIdReusePolicy_IsValid(command->workflow_id_reuse_policy()) ||
      !enums::ParentClosePolicy_IsValid(command->parent_close_policy())) {
    return "WorkflowIdReusePolicy or ParentClosePolicy on StartChildWorkflowExecutionCommand is unknown.";
  }
  if (command->has_versioning_override()) {
    return "VersioningOverride on StartChildWorkflowExecutionCommand is not supported: tasks are not routed "
           "by the version of a worker.";
  }
  if (std::string wrong = priority::problem(command->priority()); !wrong.empty())
    return "invalid Priority on StartChildWorkflowExecutionCommand: " + wrong;
  if (command->task_queue().name().empty()) command->mutable_task_queue()->set_name(parent.task_queue());
  command->mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  if (command->parent_close_policy() == enums::PARENT_CLOSE_POLICY_UNSPECIFIED) {
    command->set_parent_close_policy(enums::PARENT_CLOSE_POLICY_TERMINATE);
  }
  if (command->workflow_id_reuse_policy() == enums::WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED) {
    command->set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
  }
  if (to_ns(command->workflow_task_timeout()) == 0) {
    set_duration(command->mutable_workflow_task_timeout(), workflow_task::kDefaultTimeout);
  }
  return {};
}

void initiate(MutableState& ms, Ns now, std::int64_t completed_event_id, Command* command,
              const std::string& namespace_name, const std::string& namespace_id,
              const std::string& request_id) {
  const std::int64_t id =
      ms.record(initiated(now, completed_event_id, command, namespace_name, namespace_id));
  writable(ms).set_child_request(id, request_id);
  ms.effects().owe(id);
}

bool started(MutableState& ms, Ns now, std::int64_t initiated_event_id, const std::string& run_id,
             const pb::common::v1::Header* header) {
  const auto* info = ms.child(initiated_event_id);
  if (info == nullptr || !kTable.next(state_of(*info), On::kStarted)) return false;
  if (!ms.running()) {
    writable(ms).erase_child(initiated_event_id);  // abandoned; nobody is left to be told
    return true;
  }
  ms.record(started(now, *info, run_id, header));
  workflow_task::schedule(ms, now);
  return true;
}

bool start_failed(MutableState& ms, Ns now, std::int64_t initiated_event_id,
                  enums::StartChildWorkflowExecutionFailedCause cause) {
  const auto* info = ms.child(initiated_event_id);
  if (info == nullptr || !kTable.next(state_of(*info), On::kStartFailed)) return false;
  if (ms.running()) {
    ms.record(start_failed(now, *info, cause));
  } else {
    writable(ms).erase_child(initiated_event_id);
  }
  workflow_task::schedule(ms, now);
  return true;
}

bool closed(MutableState& ms, Ns now, std::int64_t initiated_event_id, const std::string& run_id,
            const Event& closing) {
  const auto* info = ms.child(initiated_event_id);
  if (info == nullptr || !ms.running() || !kTable.next(state_of(*info), On::kClosed)) return false;
  auto event = closed(now, *info, run_id, closing);
  if (!event) return false;
  ms.record(*std::move(event));
  workflow_task::schedule(ms, now);
  return true;
}

void apply_initiated(Record& record, const Event& event) {
  const auto& from = event.start_child_workflow_execution_initiated_event_attributes();
  stored::ChildInfo info;
  info.set_initiated_event_id(event.event_id());
  info.set_namespace_id(from.namespace_id());
  info.set_namespace_name(from.namespace_());
  info.set_workflow_id(from.workflow_id());
  info.set_workflow_type(from.workflow_type().name());
  info.set_parent_close_policy(from.parent_close_policy());
  info.set_start_pending(true);
  record.add_child(std::move(info));
}

void apply_start_failed(Record& record, const Event& event) {
  record.erase_child(event.start_child_workflow_execution_failed_event_attributes().initiated_event_id());
}

void apply_started(Record& record, const Event& event) {
  const auto& from = event.child_workflow_execution_started_event_attributes();
  // It may have been over before its start had a place.
  record.child_started(from.initiated_event_id(), from.workflow_execution().run_id(), event.event_id());
}

void apply_completed(Record& record, const Event& event) {
  record.erase_child(event.child_workflow_execution_completed_event_attributes().initiated_event_id());
}

void apply_failed(Record& record, const Event& event) {
  record.erase_child(event.child_workflow_execution_failed_event_attributes().initiated_event_id());
}

void apply_canceled(Record& record, const Event& event) {
  record.erase_child(event.child_workflow_execution_canceled_event_attributes().initiated_event_id());
}

void apply_timed_out(Record& record, const Event& event) {
  record.erase_child(event.child_workflow_execution_timed_out_event_attributes().initiated_event_id());
}

void apply_terminated(Record& record, const Event& event) {
  record.erase_child(event.child_workflow_execution_terminated_event_attributes().initiated_event_id());
}

}  // namespace holdfast::history::child_workflow
