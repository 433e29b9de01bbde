#include "engine/large_payloads.h"

#include "history/payload_slot.h"

namespace holdfast::engine {

namespace {

using Payloads = pb::common::v1::Payloads;
using Lists = std::vector<Payloads*>;

template <typename Request>
Request& as(api::Message* message) {
  return static_cast<Request&>(*message);
}

// Null where there is none: a message keeps what it has and what it has not.
template <typename Owner>
Payloads* input_of(Owner& owner) {
  return owner.has_input() ? owner.mutable_input() : nullptr;
}
template <typename Owner>
Payloads* result_of(Owner& owner) {
  return owner.has_result() ? owner.mutable_result() : nullptr;
}

Payloads* payloads_of(pb::command::v1::Command* command) {
  using C = pb::command::v1::Command;
  switch (command->attributes_case()) {
    case C::kScheduleActivityTaskCommandAttributes:
      return input_of(*command->mutable_schedule_activity_task_command_attributes());
    case C::kCompleteWorkflowExecutionCommandAttributes:
      return result_of(*command->mutable_complete_workflow_execution_command_attributes());
    case C::kContinueAsNewWorkflowExecutionCommandAttributes:
      return input_of(*command->mutable_continue_as_new_workflow_execution_command_attributes());
    case C::kStartChildWorkflowExecutionCommandAttributes:
      return input_of(*command->mutable_start_child_workflow_execution_command_attributes());
    case C::kSignalExternalWorkflowExecutionCommandAttributes:
      return input_of(*command->mutable_signal_external_workflow_execution_command_attributes());
    default: return nullptr;
  }
}

template <typename Owner>
void add_history(Owner& owner, Lists* lists) {
  if (!owner.has_history()) return;
  for (auto& event : *owner.mutable_history()->mutable_events()) {
    for (Payloads* list : history::slotted_lists(&event)) {
      if (list != nullptr) lists->push_back(list);
    }
  }
}

void add(ws::PollWorkflowTaskQueueResponse* task, Lists* lists) {
  add_history(*task, lists);
}

void add(ws::PollActivityTaskQueueResponse* task, Lists* lists) {
  if (task->has_input()) lists->push_back(task->mutable_input());
}

void add(ws::StartWorkflowExecutionResponse* started, Lists* lists) {
  if (started->has_eager_workflow_task()) add(started->mutable_eager_workflow_task(), lists);
}

}  // namespace

bool may_carry_large(api::Method method) {
  using enum api::Method;
  return method == kStartWorkflowExecution || method == kSignalWorkflowExecution ||
         method == kSignalWithStartWorkflowExecution || method == kRespondActivityTaskCompleted ||
         method == kRespondActivityTaskCompletedById || method == kRespondWorkflowTaskCompleted;
}

Lists lists_to_stage(api::Method method, api::Message* request, const history::Limits& limits) {
  Lists lists;
  const auto take = [&](Payloads* list) {
    if (list == nullptr || list->payloads().empty()) return;
    const auto bytes = static_cast<std::int64_t>(list->ByteSizeLong());
    if (bytes >= static_cast<std::int64_t>(kLargePayload) && bytes <= limits.blob_bytes)
      lists.push_back(list);
  };
  switch (method) {
    case api::Method::kStartWorkflowExecution:
      take(input_of(as<ws::StartWorkflowExecutionRequest>(request)));
      break;
    case api::Method::kSignalWorkflowExecution:
      take(input_of(as<ws::SignalWorkflowExecutionRequest>(request)));
      break;
    case api::Method::kSignalWithStartWorkflowExecution:
      take(input_of(as<ws::SignalWithStartWorkflowExecutionRequest>(request)));
      if (as<ws::SignalWithStartWorkflowExecutionRequest>(request).has_signal_input())
        take(as<ws::SignalWithStartWorkflowExecutionRequest>(request).mutable_signal_input());
      break;
    case api::Method::kRespondActivityTaskCompleted:
      take(result_of(as<ws::RespondActivityTaskCompletedRequest>(request)));
      break;
    case api::Method::kRespondActivityTaskCompletedById:
      take(result_of(as<ws::RespondActivityTaskCompletedByIdRequest>(request)));
      break;
    case api::Method::kRespondWorkflowTaskCompleted:
      for (auto& command : *as<ws::RespondWorkflowTaskCompletedRequest>(request).mutable_commands())
        take(payloads_of(&command));
      break;
    default: break;
  }
  return lists;
}

// By what the answer is, not by what was called: an update that starts its workflow is answered in parts.
Lists lists_to_fill(api::Message* answer) {
  Lists lists;
  if (auto* page = dynamic_cast<ws::GetWorkflowExecutionHistoryResponse*>(answer)) {
    add_history(*page, &lists);
  } else if (auto* reverse = dynamic_cast<ws::GetWorkflowExecutionHistoryReverseResponse*>(answer)) {
    add_history(*reverse, &lists);
  } else if (auto* workflow_task = dynamic_cast<ws::PollWorkflowTaskQueueResponse*>(answer)) {
    add(workflow_task, &lists);
  } else if (auto* activity_task = dynamic_cast<ws::PollActivityTaskQueueResponse*>(answer)) {
    add(activity_task, &lists);
  } else if (auto* started = dynamic_cast<ws::StartWorkflowExecutionResponse*>(answer)) {
    add(started, &lists);
  } else if (auto* parts = dynamic_cast<ws::ExecuteMultiOperationResponse*>(answer)) {
    for (auto& part : *parts->mutable_responses()) {
      if (part.has_start_workflow()) add(part.mutable_start_workflow(), &lists);
    }
  } else if (auto* completed = dynamic_cast<ws::RespondWorkflowTaskCompletedResponse*>(answer)) {
    if (completed->has_workflow_task()) add(completed->mutable_workflow_task(), &lists);
    for (auto& task : *completed->mutable_activity_tasks()) add(&task, &lists);
  }
  return lists;
}

std::int64_t bytes_to_fill(const api::Message& answer) {
  std::int64_t bytes = 0;
  // Only looked at.
  for (const Payloads* list : lists_to_fill(const_cast<api::Message*>(&answer)))
    bytes += history::bytes_behind(*list);
  return bytes;
}

}  // namespace holdfast::engine
