#include "rpc/permission.h"

#include "api/messages.h"
#include "api/operator_messages.h"

namespace holdfast::rpc {

namespace {

using api::Method;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using identity::Permission;

// What the field of that name says; empty: nothing, or there is no such field.
std::string namespace_in(const Message& message) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName("namespace");
  if (field == nullptr || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING || field->is_repeated())
    return {};
  return message.GetReflection()->GetString(message, field);
}

// A method whose requests have no namespace is about all of them.
std::string named_namespace(const Message& request) {
  std::string name = namespace_in(request);
  return name.empty() ? std::string(identity::kEveryNamespace) : name;
}

// Where a command reaches, other than its own namespace; empty: nowhere.
std::string reached(const pb::command::v1::Command& command) {
  using enum pb::command::v1::Command::AttributesCase;
  switch (command.attributes_case()) {
    case kStartChildWorkflowExecutionCommandAttributes:
      return namespace_in(command.start_child_workflow_execution_command_attributes());
    case kSignalExternalWorkflowExecutionCommandAttributes:
      return namespace_in(command.signal_external_workflow_execution_command_attributes());
    case kRequestCancelExternalWorkflowExecutionCommandAttributes:
      return namespace_in(command.request_cancel_external_workflow_execution_command_attributes());
    default: return {};
  }
}

Status check_within(Method method, const Message& request, std::string_view own, const Check& check) {
  const auto reaches = [&](std::string_view other) {
    return other.empty() || other == own ? Status() : check(other, Permission::kRun);
  };
  if (method == Method::kRespondWorkflowTaskCompleted) {
    const auto& completed =
        static_cast<const pb::workflowservice::v1::RespondWorkflowTaskCompletedRequest&>(request);
    for (const auto& command : completed.commands()) {
      if (Status refused = reaches(reached(command)); !refused.ok()) return refused;
    }
  }
  if (method == Method::kExecuteMultiOperation) {
    const auto& multi = static_cast<const pb::workflowservice::v1::ExecuteMultiOperationRequest&>(request);
    for (const auto& operation : multi.operations()) {
      Status refused = reaches(operation.start_workflow().namespace_());
      if (refused.ok()) refused = reaches(operation.update_workflow().namespace_());
      if (!refused.ok()) return refused;
    }
  }
  return {};
}

}  // namespace

Permission permission_of(Method method) {
  switch (method) {
    case Method::kGetSystemInfo:
    case Method::kGetClusterInfo:
    case Method::kGetSearchAttributes: return Permission::kKnown;

    case Method::kDescribeNamespace:
    case Method::kListNamespaces:
    case Method::kQueryWorkflow:
    case Method::kGetWorkflowExecutionHistory:
    case Method::kGetWorkflowExecutionHistoryReverse:
    case Method::kDescribeWorkflowExecution:
    case Method::kListWorkflowExecutions:
    case Method::kCountWorkflowExecutions:
    case Method::kScanWorkflowExecutions:
    case Method::kListOpenWorkflowExecutions:
    case Method::kListClosedWorkflowExecutions:
    case Method::kListArchivedWorkflowExecutions:
    case Method::kDescribeTaskQueue:
    case Method::kListSearchAttributes: return Permission::kRead;

    case Method::kStartWorkflowExecution:
    case Method::kExecuteMultiOperation:
    case Method::kSignalWorkflowExecution:
    case Method::kSignalWithStartWorkflowExecution:
    case Method::kRequestCancelWorkflowExecution:
    case Method::kTerminateWorkflowExecution:
    case Method::kUpdateWorkflowExecution:
    case Method::kPollWorkflowExecutionUpdate: return Permission::kRun;

    case Method::kPollWorkflowTaskQueue:
    case Method::kRespondWorkflowTaskCompleted:
    case Method::kRespondWorkflowTaskFailed:
    case Method::kRespondQueryTaskCompleted:
    case Method::kResetStickyTaskQueue:
    case Method::kShutdownWorker:
    case Method::kPollActivityTaskQueue:
    case Method::kPollNexusTaskQueue:
    case Method::kRecordActivityTaskHeartbeat:
    case Method::kRecordActivityTaskHeartbeatById:
    case Method::kRespondActivityTaskCompleted:
    case Method::kRespondActivityTaskCompletedById:
    case Method::kRespondActivityTaskFailed:
    case Method::kRespondActivityTaskFailedById:
    case Method::kRespondActivityTaskCanceled:
    case Method::kRespondActivityTaskCanceledById: return Permission::kWork;

    case Method::kRegisterNamespace:
    case Method::kUpdateNamespace:
    case Method::kDeleteWorkflowExecution:
    case Method::kAddSearchAttributes:
    case Method::kRemoveSearchAttributes: return Permission::kAdmin;
  }
  return Permission::kAdmin;
}

Status check_call(Method method, const Message& request, const Check& check) {
  // There is no admin yet of a namespace that is not there.
  const std::string own = method == Method::kRegisterNamespace ? std::string(identity::kEveryNamespace)
                                                               : named_namespace(request);
  Status refused = check(own, permission_of(method));
  return refused.ok() ? check_within(method, request, own, check) : refused;
}

}  // namespace holdfast::rpc
