#pragma once

// The methods of Temporal's services that Holdfast knows, WorkflowService's and OperatorService's, their
// names and their message types. A method missing here is answered UNIMPLEMENTED by the gRPC server.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <google/protobuf/message.h>

namespace holdfast::api {

inline constexpr std::string_view kServiceName = "temporal.api.workflowservice.v1.WorkflowService";
inline constexpr std::string_view kOperatorServiceName = "temporal.api.operatorservice.v1.OperatorService";

#define HOLDFAST_WORKFLOW_METHODS(X)    \
  X(GetSystemInfo)                      \
  X(GetClusterInfo)                     \
  X(RegisterNamespace)                  \
  X(DescribeNamespace)                  \
  X(ListNamespaces)                     \
  X(UpdateNamespace)                    \
  X(StartWorkflowExecution)             \
  X(ExecuteMultiOperation)              \
  X(SignalWorkflowExecution)            \
  X(SignalWithStartWorkflowExecution)   \
  X(RequestCancelWorkflowExecution)     \
  X(TerminateWorkflowExecution)         \
  X(DeleteWorkflowExecution)            \
  X(QueryWorkflow)                      \
  X(UpdateWorkflowExecution)            \
  X(PollWorkflowExecutionUpdate)        \
  X(GetWorkflowExecutionHistory)        \
  X(GetWorkflowExecutionHistoryReverse) \
  X(DescribeWorkflowExecution)          \
  X(ListWorkflowExecutions)             \
  X(CountWorkflowExecutions)            \
  X(ScanWorkflowExecutions)             \
  X(ListOpenWorkflowExecutions)         \
  X(ListClosedWorkflowExecutions)       \
  X(ListArchivedWorkflowExecutions)     \
  X(GetSearchAttributes)                \
  X(PollWorkflowTaskQueue)              \
  X(RespondWorkflowTaskCompleted)       \
  X(RespondWorkflowTaskFailed)          \
  X(RespondQueryTaskCompleted)          \
  X(ResetStickyTaskQueue)               \
  X(ShutdownWorker)                     \
  X(DescribeTaskQueue)                  \
  X(PollActivityTaskQueue)              \
  X(PollNexusTaskQueue)                 \
  X(RecordActivityTaskHeartbeat)        \
  X(RecordActivityTaskHeartbeatById)    \
  X(RespondActivityTaskCompleted)       \
  X(RespondActivityTaskCompletedById)   \
  X(RespondActivityTaskFailed)          \
  X(RespondActivityTaskFailedById)      \
  X(RespondActivityTaskCanceled)        \
  X(RespondActivityTaskCanceledById)

#define HOLDFAST_OPERATOR_METHODS(X) \
  X(AddSearchAttributes)             \
  X(ListSearchAttributes)            \
  X(RemoveSearchAttributes)

#define HOLDFAST_METHODS(X)    \
  HOLDFAST_WORKFLOW_METHODS(X) \
  HOLDFAST_OPERATOR_METHODS(X)

enum class Method : std::uint8_t {
#define HOLDFAST_METHOD(name) k##name,
  HOLDFAST_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD
};

#define HOLDFAST_METHOD(name) +1
inline constexpr std::size_t kMethodCount = 0 HOLDFAST_METHODS(HOLDFAST_METHOD);
#undef HOLDFAST_METHOD

// "StartWorkflowExecution"
std::string_view method_name(Method method);
// As gRPC names it: "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution"
const std::string& method_path(Method method);
std::optional<Method> method_by_path(std::string_view path);
// Of a path below one of the services, the name behind the service's; nothing: another service's, or none's.
std::optional<std::string_view> name_in_path(std::string_view path);
// Whether it is the name of one of the services.
bool is_service(std::string_view name);
// The polls for tasks, PollWorkflowExecutionUpdate, UpdateWorkflowExecution, and a history read that waits:
// calls that may stay open for a minute.
bool is_long_poll(Method method);

// Empty messages of the method's types.
std::unique_ptr<google::protobuf::Message> new_request(Method method);
std::unique_ptr<google::protobuf::Message> new_response(Method method);

}  // namespace holdfast::api
