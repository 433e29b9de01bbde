// Goal: no field of a request is passed over. What is accepted has its effect, or is advice without meaning
// here; else it is refused in words that name it, and nothing that a stock SDK sends unasked is. Method: the
// descriptors of all requests that are served, of every command and of what is said about updates are walked;
// each field has to stand in one of three lists. A new version of the protocol forces a decision, and what is
// listed as refused is sent and has to be refused.

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>

#include <map>
#include <set>
#include <sstream>

#include "api/method.h"
#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using testing::Driver;
using ::testing::HasSubstr;

// Names without "temporal.api.".
struct Fields {
  const char* message;
  const char* used;
  const char* ignored = "";
  const char* refused = "";
};

constexpr Fields kFields[] = {
    {"workflowservice.v1.GetSystemInfoRequest", ""},
    {"workflowservice.v1.GetClusterInfoRequest", ""},
    {"workflowservice.v1.GetSearchAttributesRequest", ""},
    {"workflowservice.v1.RegisterNamespaceRequest",
     "namespace description owner_email workflow_execution_retention_period data clusters", "security_token",
     "active_cluster_name is_global_namespace history_archival_state history_archival_uri "
     "visibility_archival_state visibility_archival_uri"},
    {"replication.v1.ClusterReplicationConfig", "", "", "cluster_name"},
    {"workflowservice.v1.DescribeNamespaceRequest", "namespace id", "weak_consistency"},
    {"workflowservice.v1.ListNamespacesRequest", "page_size next_page_token", "namespace_filter"},
    {"workflowservice.v1.UpdateNamespaceRequest", "namespace update_info config replication_config",
     "security_token", "delete_bad_binary promote_namespace"},
    {"namespace_.v1.UpdateNamespaceInfo", "description owner_email data", "", "state"},
    {"namespace_.v1.NamespaceConfig", "workflow_execution_retention_ttl", "",
     "bad_binaries history_archival_state history_archival_uri visibility_archival_state "
     "visibility_archival_uri custom_search_attribute_aliases"},
    {"replication.v1.NamespaceReplicationConfig", "clusters", "", "active_cluster_name state"},
    {"workflowservice.v1.StartWorkflowExecutionRequest",
     "namespace workflow_id workflow_type task_queue input workflow_execution_timeout workflow_run_timeout "
     "workflow_task_timeout identity request_id workflow_id_reuse_policy workflow_id_conflict_policy "
     "retry_policy cron_schedule memo search_attributes header request_eager_execution continued_failure "
     "last_completion_result workflow_start_delay user_metadata links on_conflict_options priority",
     "eager_worker_deployment_options", "completion_callbacks versioning_override time_skipping_config"},
    {"common.v1.WorkflowType", "name"},
    {"common.v1.ActivityType", "name"},
    {"taskqueue.v1.TaskQueue", "name", "kind normal_name"},
    {"common.v1.RetryPolicy",
     "initial_interval backoff_coefficient maximum_interval maximum_attempts non_retryable_error_types"},
    {"workflow.v1.OnConflictOptions", "", "", "attach_request_id attach_completion_callbacks attach_links"},
    {"common.v1.Priority", "priority_key", "fairness_key fairness_weight"},
    {"workflowservice.v1.ExecuteMultiOperationRequest", "namespace operations", "resource_id"},
    {"workflowservice.v1.ExecuteMultiOperationRequest.Operation", "start_workflow update_workflow"},
    {"workflowservice.v1.UpdateWorkflowExecutionRequest",
     "namespace workflow_execution first_execution_run_id wait_policy request"},
    {"common.v1.WorkflowExecution", "workflow_id run_id"},
    {"update.v1.WaitPolicy", "lifecycle_stage"},
    {"update.v1.Request", "meta input request_id links", "", "completion_callbacks"},
    {"update.v1.Meta", "update_id identity"},
    {"update.v1.Input", "header name args"},
    {"workflowservice.v1.SignalWorkflowExecutionRequest",
     "namespace workflow_execution signal_name input identity request_id header links", "control"},
    {"workflowservice.v1.SignalWithStartWorkflowExecutionRequest",
     "namespace workflow_id workflow_type task_queue input workflow_execution_timeout workflow_run_timeout "
     "workflow_task_timeout identity request_id workflow_id_reuse_policy workflow_id_conflict_policy "
     "signal_name signal_input retry_policy cron_schedule memo search_attributes header "
     "workflow_start_delay user_metadata links priority",
     "control", "versioning_override time_skipping_config"},
    {"workflowservice.v1.RequestCancelWorkflowExecutionRequest",
     "namespace workflow_execution identity request_id first_execution_run_id reason links"},
    {"workflowservice.v1.TerminateWorkflowExecutionRequest",
     "namespace workflow_execution reason details identity first_execution_run_id links"},
    {"workflowservice.v1.DeleteWorkflowExecutionRequest", "namespace workflow_execution"},
    {"workflowservice.v1.QueryWorkflowRequest", "namespace execution query query_reject_condition"},
    {"query.v1.WorkflowQuery", "query_type query_args header"},
    {"workflowservice.v1.PollWorkflowExecutionUpdateRequest", "namespace update_ref wait_policy", "identity"},
    {"update.v1.UpdateRef", "workflow_execution update_id"},
    {"workflowservice.v1.GetWorkflowExecutionHistoryRequest",
     "namespace execution maximum_page_size next_page_token wait_new_event history_event_filter_type",
     "skip_archival"},
    {"workflowservice.v1.GetWorkflowExecutionHistoryReverseRequest",
     "namespace execution maximum_page_size next_page_token"},
    {"workflowservice.v1.DescribeWorkflowExecutionRequest", "namespace execution"},
    {"workflowservice.v1.ListWorkflowExecutionsRequest", "namespace page_size next_page_token query"},
    {"workflowservice.v1.CountWorkflowExecutionsRequest", "namespace query"},
    {"workflowservice.v1.ScanWorkflowExecutionsRequest", "namespace page_size next_page_token query"},
    {"workflowservice.v1.ListOpenWorkflowExecutionsRequest",
     "namespace maximum_page_size next_page_token start_time_filter execution_filter type_filter"},
    {"workflowservice.v1.ListClosedWorkflowExecutionsRequest",
     "namespace maximum_page_size next_page_token start_time_filter execution_filter type_filter "
     "status_filter"},
    {"filter.v1.StartTimeFilter", "earliest_time latest_time"},
    {"filter.v1.WorkflowExecutionFilter", "workflow_id run_id"},
    {"filter.v1.WorkflowTypeFilter", "name"},
    {"filter.v1.StatusFilter", "status"},
    {"workflowservice.v1.ListArchivedWorkflowExecutionsRequest", "namespace",
     "page_size next_page_token query"},
    {"workflowservice.v1.PollWorkflowTaskQueueRequest",
     "namespace task_queue identity worker_instance_key worker_version_capabilities deployment_options",
     "poller_group_id worker_control_task_queue binary_checksum"},
    {"workflowservice.v1.PollActivityTaskQueueRequest",
     "namespace task_queue identity worker_instance_key task_queue_metadata worker_version_capabilities "
     "deployment_options",
     "poller_group_id worker_control_task_queue"},
    {"workflowservice.v1.PollNexusTaskQueueRequest",
     "namespace task_queue identity worker_instance_key worker_version_capabilities deployment_options",
     "poller_group_id worker_heartbeat"},
    {"common.v1.WorkerVersionCapabilities", "", "build_id deployment_series_name", "use_versioning"},
    {"deployment.v1.WorkerDeploymentOptions", "", "deployment_name build_id", "worker_versioning_mode"},
    {"taskqueue.v1.TaskQueueMetadata", "max_tasks_per_second"},
    {"workflowservice.v1.RespondWorkflowTaskCompletedRequest",
     "task_token commands identity sticky_attributes return_new_workflow_task force_create_new_workflow_task "
     "binary_checksum query_results namespace worker_version_stamp messages sdk_metadata metering_metadata "
     "capabilities",
     "resource_id deployment versioning_behavior deployment_options worker_instance_key "
     "worker_control_task_queue",
     "page_number intermediate_page"},
    {"command.v1.Command",
     "command_type user_metadata event_group_markers schedule_activity_task_command_attributes "
     "start_timer_command_attributes complete_workflow_execution_command_attributes "
     "fail_workflow_execution_command_attributes request_cancel_activity_task_command_attributes "
     "cancel_timer_command_attributes cancel_workflow_execution_command_attributes "
     "request_cancel_external_workflow_execution_command_attributes record_marker_command_attributes "
     "continue_as_new_workflow_execution_command_attributes "
     "start_child_workflow_execution_command_attributes "
     "signal_external_workflow_execution_command_attributes "
     "upsert_workflow_search_attributes_command_attributes protocol_message_command_attributes "
     "modify_workflow_properties_command_attributes",
     "", "schedule_nexus_operation_command_attributes request_cancel_nexus_operation_command_attributes"},
    {"command.v1.ScheduleActivityTaskCommandAttributes",
     "activity_id activity_type task_queue header input schedule_to_close_timeout schedule_to_start_timeout "
     "start_to_close_timeout heartbeat_timeout retry_policy request_eager_execution priority",
     "use_workflow_build_id"},
    {"command.v1.StartTimerCommandAttributes", "timer_id start_to_fire_timeout"},
    {"command.v1.CompleteWorkflowExecutionCommandAttributes", "result"},
    {"command.v1.FailWorkflowExecutionCommandAttributes", "failure"},
    {"command.v1.RequestCancelActivityTaskCommandAttributes", "scheduled_event_id"},
    {"command.v1.CancelTimerCommandAttributes", "timer_id"},
    {"command.v1.CancelWorkflowExecutionCommandAttributes", "details"},
    {"command.v1.RequestCancelExternalWorkflowExecutionCommandAttributes",
     "namespace workflow_id run_id control child_workflow_only reason"},
    {"command.v1.RecordMarkerCommandAttributes", "marker_name details header failure"},
    {"command.v1.ContinueAsNewWorkflowExecutionCommandAttributes",
     "workflow_type task_queue input workflow_run_timeout workflow_task_timeout backoff_start_interval "
     "retry_policy initiator failure last_completion_result cron_schedule header memo search_attributes",
     "inherit_build_id initial_versioning_behavior"},
    {"command.v1.StartChildWorkflowExecutionCommandAttributes",
     "namespace workflow_id workflow_type task_queue input workflow_execution_timeout workflow_run_timeout "
     "workflow_task_timeout parent_close_policy control workflow_id_reuse_policy retry_policy cron_schedule "
     "header memo search_attributes priority",
     "inherit_build_id", "versioning_override"},
    {"command.v1.SignalExternalWorkflowExecutionCommandAttributes",
     "namespace execution signal_name input control child_workflow_only header"},
    {"command.v1.UpsertWorkflowSearchAttributesCommandAttributes", "search_attributes"},
    {"command.v1.ProtocolMessageCommandAttributes", "message_id"},
    {"command.v1.ModifyWorkflowPropertiesCommandAttributes", "upserted_memo"},
    {"taskqueue.v1.StickyExecutionAttributes", "worker_task_queue schedule_to_start_timeout"},
    {"query.v1.WorkflowQueryResult", "result_type answer error_message failure"},
    {"protocol.v1.Message", "id protocol_instance_id body", "event_id command_index"},
    {"workflowservice.v1.RespondWorkflowTaskCompletedRequest.Capabilities",
     "discard_speculative_workflow_task_with_events"},
    {"update.v1.Acceptance",
     "accepted_request_message_id accepted_request_sequencing_event_id accepted_request"},
    {"update.v1.Rejection", "failure",
     "rejected_request_message_id rejected_request_sequencing_event_id rejected_request"},
    {"update.v1.Response", "meta outcome"},
    {"workflowservice.v1.RespondWorkflowTaskFailedRequest", "task_token cause failure identity namespace",
     "binary_checksum resource_id messages worker_version deployment deployment_options"},
    {"workflowservice.v1.RespondQueryTaskCompletedRequest",
     "task_token completed_type query_result error_message namespace failure", "cause poller_group_id"},
    {"workflowservice.v1.ResetStickyTaskQueueRequest", "namespace execution"},
    {"workflowservice.v1.ShutdownWorkerRequest", "namespace sticky_task_queue worker_instance_key",
     "identity reason worker_heartbeat task_queue task_queue_types"},
    {"workflowservice.v1.DescribeTaskQueueRequest",
     "namespace task_queue task_queue_type report_stats include_task_queue_status api_mode versions "
     "task_queue_types report_pollers report_task_reachability",
     "report_config"},
    {"taskqueue.v1.TaskQueueVersionSelection", "build_ids unversioned all_active"},
    {"workflowservice.v1.RecordActivityTaskHeartbeatRequest", "task_token details namespace",
     "identity resource_id"},
    {"workflowservice.v1.RecordActivityTaskHeartbeatByIdRequest",
     "namespace workflow_id run_id activity_id details", "identity resource_id"},
    {"workflowservice.v1.RespondActivityTaskCompletedRequest", "task_token result identity namespace",
     "resource_id worker_version deployment deployment_options"},
    {"workflowservice.v1.RespondActivityTaskCompletedByIdRequest",
     "namespace workflow_id run_id activity_id result identity", "resource_id"},
    {"workflowservice.v1.RespondActivityTaskFailedRequest",
     "task_token failure identity namespace last_heartbeat_details",
     "resource_id worker_version deployment deployment_options"},
    {"workflowservice.v1.RespondActivityTaskFailedByIdRequest",
     "namespace workflow_id run_id activity_id failure identity last_heartbeat_details", "resource_id"},
    {"workflowservice.v1.RespondActivityTaskCanceledRequest", "task_token details identity namespace",
     "resource_id worker_version deployment deployment_options"},
    {"workflowservice.v1.RespondActivityTaskCanceledByIdRequest",
     "namespace workflow_id run_id activity_id details identity", "deployment_options resource_id"},
    {"operatorservice.v1.AddSearchAttributesRequest", "search_attributes namespace"},
    {"operatorservice.v1.ListSearchAttributesRequest", "namespace"},
    {"operatorservice.v1.RemoveSearchAttributesRequest", "search_attributes namespace"},
};

// What goes into histories, to workers and into answers as it was sent.
const std::set<std::string> kKeptWhole = {
    "common.v1.Header",
    "common.v1.Link",
    "common.v1.Memo",
    "common.v1.MeteringMetadata",
    "common.v1.Payload",
    "common.v1.Payloads",
    "common.v1.SearchAttributes",
    "common.v1.WorkerVersionStamp",
    "failure.v1.Failure",
    "sdk.v1.EventGroupMarker",
    "sdk.v1.UserMetadata",
    "sdk.v1.WorkflowTaskCompletedMetadata",
    "update.v1.Outcome",
};

constexpr const char* kNoVersions = "workers whose tasks would depend on it are refused at their poll";
constexpr const char* kOnePlace = "says which part of a cluster has it; there is one";
constexpr const char* kUnfair =
    "kept and shown; the queues of a Temporal as it is shipped are not fair either";
constexpr const char* kWorkerAdvice = "advice to a server that steers its workers";

// Why a field may be ignored: by its name, or by its message's and its own.
const std::map<std::string, const char*> kWhyIgnored = {
    {"binary_checksum", kNoVersions},
    {"build_id", kNoVersions},
    {"cause", "for the server's metrics"},
    {"command_index", "messages have the place that their commands give them"},
    {"control", "deprecated, and not said to anybody by Temporal either"},
    {"deployment", kNoVersions},
    {"deployment_name", kNoVersions},
    {"deployment_options", kNoVersions},
    {"deployment_series_name", kNoVersions},
    {"eager_worker_deployment_options", kNoVersions},
    {"event_id", "messages have the place that their commands give them"},
    {"fairness_key", kUnfair},
    {"fairness_weight", kUnfair},
    {"identity", "of who leaves nothing in a history"},
    {"inherit_build_id", kNoVersions},
    {"initial_versioning_behavior", kNoVersions},
    {"kind", "a queue is its name"},
    {"messages", "a task that failed says nothing about updates: they are sent again"},
    {"namespace_filter", "no namespace is deleted"},
    {"normal_name", "a queue is its name"},
    {"poller_group_id", kOnePlace},
    {"reason", "of the worker's end, which no answer shows"},
    {"rejected_request", "the update is known by its id"},
    {"rejected_request_message_id", "the update is known by its id"},
    {"rejected_request_sequencing_event_id", "the update is known by its id"},
    {"report_config", "the call that would configure a queue is UNIMPLEMENTED"},
    {"resource_id", kOnePlace},
    {"security_token", "Temporal's never had a meaning"},
    {"skip_archival", "there is no archive"},
    {"task_queue", "a worker's polls end by its key, on whatever queue"},
    {"task_queue_types", "a worker's polls end by its key, on whatever queue"},
    {"use_workflow_build_id", kNoVersions},
    {"versioning_behavior", kNoVersions},
    {"weak_consistency", "there is one copy"},
    {"worker_control_task_queue", kWorkerAdvice},
    {"worker_heartbeat", kWorkerAdvice},
    {"worker_instance_key", kWorkerAdvice},
    {"worker_version", kNoVersions},
    {"ListArchivedWorkflowExecutionsRequest.next_page_token", "the call itself is refused"},
    {"ListArchivedWorkflowExecutionsRequest.page_size", "the call itself is refused"},
    {"ListArchivedWorkflowExecutionsRequest.query", "the call itself is refused"},
};

std::string short_name(const std::string& full_name) {
  constexpr std::string_view kPackage = "temporal.api.";
  return full_name.starts_with(kPackage) ? full_name.substr(kPackage.size()) : full_name;
}

std::set<std::string> words(const char* text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// The message that a field leads to; null: none of Temporal's.
const Descriptor* message_of(const FieldDescriptor& field) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return nullptr;
  if (field.is_map()) return message_of(*field.message_type()->map_value());
  return field.message_type()->full_name().starts_with("temporal.") ? field.message_type() : nullptr;
}

class Walk {
 public:
  Walk() {
    for (const Fields& row : kFields) {
      if (!rows_.emplace(row.message, &row).second) ADD_FAILURE() << row.message << " has two rows";
    }
  }

  void look(const Descriptor& type) {
    const std::string name = short_name(type.full_name());
    if (kKeptWhole.contains(name) || !seen_.insert(name).second) return;
    const auto row = rows_.find(name);
    if (row == rows_.end()) {
      ADD_FAILURE() << name << " is in no row: is it used, ignored or refused?";
      return;
    }
    const auto used = words(row->second->used);
    std::multiset<std::string> listed(used.begin(), used.end());
    for (const char* text : {row->second->ignored, row->second->refused}) listed.merge(words(text));
    std::multiset<std::string> there;
    for (int i = 0; i < type.field_count(); ++i) {
      there.insert(type.field(i)->name());
      const Descriptor* next = used.contains(type.field(i)->name()) ? message_of(*type.field(i)) : nullptr;
      if (next != nullptr) look(*next);
    }
    EXPECT_EQ(listed, there) << "fields of " << name << " are missing in its lists, or stand there twice";
  }

  const std::map<std::string, const Fields*>& rows() const { return rows_; }
  const std::set<std::string>& seen() const { return seen_; }

 private:
  std::map<std::string, const Fields*> rows_;
  std::set<std::string> seen_;
};

TEST(RequestFields, AreUsedIgnoredOrRefused) {
  Walk walk;
  for (std::size_t i = 0; i < api::kMethodCount; ++i)
    walk.look(*api::new_request(static_cast<api::Method>(i))->GetDescriptor());
  // What a worker says about updates, packed into a message.
  walk.look(*pb::update::v1::Acceptance::descriptor());
  walk.look(*pb::update::v1::Rejection::descriptor());
  walk.look(*pb::update::v1::Response::descriptor());
  for (const auto& [name, row] : walk.rows()) EXPECT_TRUE(walk.seen().contains(name)) << name << " is gone";
}

TEST(RequestFields, AreIgnoredForAReason) {
  std::set<std::string> needed;
  for (const Fields& row : kFields) {
    const std::string message = row.message;
    for (const std::string& field : words(row.ignored)) {
      const std::string own = message.substr(message.rfind('.') + 1) + "." + field;
      const std::string& reason = kWhyIgnored.contains(own) ? own : field;
      EXPECT_TRUE(kWhyIgnored.contains(reason)) << own << " is ignored; why?";
      needed.insert(reason);
    }
  }
  for (const auto& [field, why] : kWhyIgnored) EXPECT_TRUE(needed.contains(field)) << field;
}

// A request that asks for what is refused, as text, and what is said to it.
struct Refusal {
  const char* field;
  api::Method method;
  std::string request;
  const char* words;
  Code code = Code::kInvalidArgument;
};

using M = api::Method;

const std::string kStart =
    "namespace: 'default' workflow_id: 'other' workflow_type { name: 'order' } task_queue { name: 'q' } ";
const std::string kSignalWithStart = kStart + "signal_name: 's' ";
const std::string kAttach = kStart + "workflow_id_conflict_policy: WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING ";
const std::string kPoll = "namespace: 'default' task_queue { name: 'q' } ";
const std::string kUpdate =
    "namespace: 'default' workflow_execution { workflow_id: 'w' } request { input { name: 'u' } ";
const std::string kAdd = "namespace: 'new' workflow_execution_retention_period { seconds: 86400 } ";
const std::string kChange = "namespace: 'default' ";
const std::string kCommand = "namespace: 'default' commands { ";
constexpr const char* kVersions = "not routed by the version of a worker";

const std::vector<Refusal> kRefusals = {
    {"StartWorkflowExecutionRequest.completion_callbacks", M::kStartWorkflowExecution,
     kStart + "completion_callbacks { nexus { url: 'http://x/' } }",
     "invalid url: url does not match any configured callback address: http://x/. CompletionCallbacks"},
    {"StartWorkflowExecutionRequest.completion_callbacks", M::kStartWorkflowExecution,
     kStart + "completion_callbacks { internal { data: 'x' } }", "CompletionCallbacks are not supported"},
    {"StartWorkflowExecutionRequest.versioning_override", M::kStartWorkflowExecution,
     kStart + "versioning_override { auto_upgrade: true }", "VersioningOverride is not supported"},
    {"StartWorkflowExecutionRequest.time_skipping_config", M::kStartWorkflowExecution,
     kStart + "time_skipping_config { enabled: true }",
     "The Time-Skipping feature is not enabled for namespace. TimeSkippingConfig", Code::kUnimplemented},
    {"OnConflictOptions.attach_request_id", M::kStartWorkflowExecution,
     kAttach + "on_conflict_options { attach_request_id: true }", "OnConflictOptions are not supported"},
    {"OnConflictOptions.attach_completion_callbacks", M::kStartWorkflowExecution,
     kAttach + "on_conflict_options { attach_completion_callbacks: true }",
     "OnConflictOptions are not supported"},
    {"OnConflictOptions.attach_links", M::kStartWorkflowExecution,
     kAttach + "on_conflict_options { attach_links: true }", "OnConflictOptions are not supported"},
    {"SignalWithStartWorkflowExecutionRequest.versioning_override", M::kSignalWithStartWorkflowExecution,
     kSignalWithStart + "versioning_override { pinned { version { build_id: 'b' } } }",
     "VersioningOverride is not supported"},
    {"SignalWithStartWorkflowExecutionRequest.time_skipping_config", M::kSignalWithStartWorkflowExecution,
     kSignalWithStart + "time_skipping_config {}", "TimeSkippingConfig", Code::kUnimplemented},
    {"Request.completion_callbacks", M::kUpdateWorkflowExecution,
     kUpdate + "completion_callbacks { internal {} } }", "CompletionCallbacks are not supported"},
    {"WorkerDeploymentOptions.worker_versioning_mode", M::kPollWorkflowTaskQueue,
     kPoll + "deployment_options { worker_versioning_mode: WORKER_VERSIONING_MODE_VERSIONED }", kVersions},
    {"WorkerDeploymentOptions.worker_versioning_mode", M::kPollActivityTaskQueue,
     kPoll + "deployment_options { worker_versioning_mode: WORKER_VERSIONING_MODE_VERSIONED }", kVersions},
    {"WorkerDeploymentOptions.worker_versioning_mode", M::kPollNexusTaskQueue,
     kPoll + "deployment_options { worker_versioning_mode: WORKER_VERSIONING_MODE_VERSIONED }", kVersions},
    {"WorkerVersionCapabilities.use_versioning", M::kPollWorkflowTaskQueue,
     kPoll + "worker_version_capabilities { build_id: 'b' use_versioning: true }", kVersions},
    {"RespondWorkflowTaskCompletedRequest.intermediate_page", M::kRespondWorkflowTaskCompleted,
     "namespace: 'default' intermediate_page: true", "IntermediatePage"},
    {"RespondWorkflowTaskCompletedRequest.page_number", M::kRespondWorkflowTaskCompleted,
     "namespace: 'default' page_number: 1", "PageNumber"},
    {"StartChildWorkflowExecutionCommandAttributes.versioning_override", M::kRespondWorkflowTaskCompleted,
     kCommand +
         "command_type: COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION "
         "start_child_workflow_execution_command_attributes { workflow_id: 'c' workflow_type { name: 'c' } "
         "versioning_override { auto_upgrade: true } } }",
     "BadStartChildExecutionAttributes: VersioningOverride"},
    {"Command.schedule_nexus_operation_command_attributes", M::kRespondWorkflowTaskCompleted,
     kCommand + "command_type: COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION "
                "schedule_nexus_operation_command_attributes { endpoint: 'e' } }",
     "does not know the command type ScheduleNexusOperation"},
    {"Command.request_cancel_nexus_operation_command_attributes", M::kRespondWorkflowTaskCompleted,
     kCommand + "command_type: COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION "
                "request_cancel_nexus_operation_command_attributes { scheduled_event_id: 5 } }",
     "does not know the command type RequestCancelNexusOperation"},
    {"RegisterNamespaceRequest.is_global_namespace", M::kRegisterNamespace,
     kAdd + "is_global_namespace: true", "Cannot register global namespace"},
    {"RegisterNamespaceRequest.active_cluster_name", M::kRegisterNamespace,
     kAdd + "active_cluster_name: 'elsewhere'", "Invalid cluster name: elsewhere"},
    {"ClusterReplicationConfig.cluster_name", M::kRegisterNamespace,
     kAdd + "clusters { cluster_name: 'elsewhere' }", "Invalid cluster name: elsewhere"},
    {"RegisterNamespaceRequest.history_archival_state", M::kRegisterNamespace,
     kAdd + "history_archival_state: ARCHIVAL_STATE_ENABLED", "HistoryArchivalState"},
    {"RegisterNamespaceRequest.history_archival_uri", M::kRegisterNamespace,
     kAdd + "history_archival_uri: 'file:///x'", "HistoryArchivalUri"},
    {"RegisterNamespaceRequest.visibility_archival_state", M::kRegisterNamespace,
     kAdd + "visibility_archival_state: ARCHIVAL_STATE_ENABLED", "VisibilityArchivalState"},
    {"RegisterNamespaceRequest.visibility_archival_uri", M::kRegisterNamespace,
     kAdd + "visibility_archival_uri: 'file:///x'", "VisibilityArchivalUri"},
    {"UpdateNamespaceRequest.delete_bad_binary", M::kUpdateNamespace, kChange + "delete_bad_binary: 'b'",
     "bad binaries"},
    {"UpdateNamespaceRequest.promote_namespace", M::kUpdateNamespace, kChange + "promote_namespace: true",
     "Global namespaces"},
    {"UpdateNamespaceInfo.state", M::kUpdateNamespace,
     kChange + "update_info { state: NAMESPACE_STATE_DEPRECATED }", "cannot be deprecated"},
    {"NamespaceConfig.bad_binaries", M::kUpdateNamespace,
     kChange + "config { bad_binaries { binaries { key: 'b' value {} } } }", "bad binaries"},
    {"NamespaceConfig.history_archival_state", M::kUpdateNamespace,
     kChange + "config { history_archival_state: ARCHIVAL_STATE_ENABLED }", "HistoryArchivalState"},
    {"NamespaceConfig.history_archival_uri", M::kUpdateNamespace,
     kChange + "config { history_archival_uri: 'file:///x' }", "HistoryArchivalUri"},
    {"NamespaceConfig.visibility_archival_state", M::kUpdateNamespace,
     kChange + "config { visibility_archival_state: ARCHIVAL_STATE_ENABLED }", "VisibilityArchivalState"},
    {"NamespaceConfig.visibility_archival_uri", M::kUpdateNamespace,
     kChange + "config { visibility_archival_uri: 'file:///x' }", "VisibilityArchivalUri"},
    {"NamespaceConfig.custom_search_attribute_aliases", M::kUpdateNamespace,
     kChange + "config { custom_search_attribute_aliases { key: 'Keyword01' value: 'Color' } }",
     "CustomSearchAttributeAliases"},
    {"NamespaceReplicationConfig.active_cluster_name", M::kUpdateNamespace,
     kChange + "replication_config { active_cluster_name: 'elsewhere' }", "Invalid cluster name"},
    {"NamespaceReplicationConfig.state", M::kUpdateNamespace,
     kChange + "replication_config { state: REPLICATION_STATE_HANDOVER }", "Handover"},
};

api::MessagePtr parsed(api::Method method, const std::string& text) {
  auto request = api::new_request(method);
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, request.get())) << text;
  return request;
}

// Sends it as it is, with the token of a task that is held.
Result<api::MessagePtr> answer(Driver& d, api::Method method, api::MessagePtr request,
                               const std::string& task_token) {
  const auto* token = request->GetDescriptor()->FindFieldByName("task_token");
  if (token != nullptr) request->GetReflection()->SetString(request.get(), token, task_token);
  std::optional<Result<api::MessagePtr>> result;
  Call call;
  call.method = method;
  call.request = std::move(request);
  call.done = [&result](Result<api::MessagePtr> done) { result = std::move(done); };
  const CallId id = d.core->submit(std::move(call));
  d.after_work();
  if (!result) d.core->cancel(id);  // it waits: it was taken
  d.after_work();
  if (!result) return fail(Code::kInternal, "no answer");
  return std::move(*result);
}

// Values that no enum has: a later protocol may.
const std::vector<Refusal> kUnknownValues = {
    {"", M::kStartWorkflowExecution, kStart + "workflow_id_reuse_policy: 99",
     "WorkflowIdReusePolicy has no value 99."},
    {"", M::kSignalWithStartWorkflowExecution, kSignalWithStart + "workflow_id_conflict_policy: 99",
     "WorkflowIdConflictPolicy has no value 99."},
    {"", M::kUpdateWorkflowExecution, kUpdate + "} wait_policy { lifecycle_stage: 99 }",
     "LifecycleStage has no value 99."},
    {"", M::kPollWorkflowExecutionUpdate,
     "namespace: 'default' update_ref { workflow_execution { workflow_id: 'w' } update_id: 'u' } "
     "wait_policy { lifecycle_stage: 99 }",
     "LifecycleStage has no value 99."},
    {"", M::kQueryWorkflow,
     "namespace: 'default' execution { workflow_id: 'w' } query { query_type: 'q' } "
     "query_reject_condition: 99",
     "QueryRejectCondition has no value 99."},
    {"", M::kGetWorkflowExecutionHistory,
     "namespace: 'default' execution { workflow_id: 'w' } history_event_filter_type: 99",
     "HistoryEventFilterType has no value 99."},
    {"", M::kRespondWorkflowTaskCompleted,
     kCommand +
         "command_type: COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION "
         "start_child_workflow_execution_command_attributes { workflow_id: 'c' workflow_type { name: 'c' } "
         "parent_close_policy: 99 } }",
     "ParentClosePolicy"},
};

void expect_refused(const Refusal& refusal) {
  SCOPED_TRACE(refusal.request);
  Driver d;
  d.start("w");
  const std::string token = d.workflow_task().task_token();
  const auto result = answer(d, refusal.method, parsed(refusal.method, refusal.request), token);
  ASSERT_FALSE(result) << refusal.field << " is taken";
  EXPECT_EQ(result.error().code(), refusal.code);
  EXPECT_THAT(result.error().message(), HasSubstr(refusal.words));
  ws::DescribeWorkflowExecutionRequest other;
  other.set_namespace_("default");
  other.mutable_execution()->set_workflow_id("other");
  EXPECT_EQ(d.error(M::kDescribeWorkflowExecution, other).code(), Code::kNotFound) << "nothing was started";
}

TEST(RequestFields, OfUnknownValuesAreRefused) {
  for (const Refusal& refusal : kUnknownValues) expect_refused(refusal);
}

TEST(RequestFields, AreRefusedByName) {
  std::set<std::string> shown;
  for (const Refusal& refusal : kRefusals) {
    expect_refused(refusal);
    shown.insert(refusal.field);
  }
  for (const Fields& row : kFields) {
    const std::string message = row.message;
    for (const std::string& field : words(row.refused)) {
      const std::string own = message.substr(message.rfind('.') + 1) + "." + field;
      EXPECT_TRUE(shown.contains(own)) << own << " is said to be refused; nothing shows it";
    }
  }
}

// As the SDKs of Go, Java, TypeScript and Python send them when nobody asks for anything.
const std::vector<std::pair<api::Method, std::string>>& unasked() {
  static const std::string unversioned =
      "deployment_options { deployment_name: 'd' build_id: 'b' worker_versioning_mode: "
      "WORKER_VERSIONING_MODE_UNVERSIONED } ";
  static const std::string capabilities = "worker_version_capabilities { build_id: 'b' } ";
  static const std::string worker =
      "identity: 'worker' worker_instance_key: 'k' worker_control_task_queue: 'c' poller_group_id: 'g' ";
  static const std::vector<std::pair<api::Method, std::string>> all = {
      {M::kStartWorkflowExecution,
       kStart + "priority {} user_metadata { summary { data: 's' } } request_eager_execution: true header {} "
                "eager_worker_deployment_options { build_id: 'b' worker_versioning_mode: "
                "WORKER_VERSIONING_MODE_UNVERSIONED } workflow_id_reuse_policy: "
                "WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE"},
      {M::kStartWorkflowExecution, kStart + "on_conflict_options { attach_links: true }"},
      {M::kStartWorkflowExecution, kAttach + "on_conflict_options {}"},
      {M::kSignalWithStartWorkflowExecution, kSignalWithStart + "priority {} control: 'c' header {}"},
      {M::kPollWorkflowTaskQueue, kPoll + worker + unversioned + capabilities + "binary_checksum: 'b'"},
      {M::kPollActivityTaskQueue, kPoll + worker + unversioned + capabilities +
                                      "task_queue_metadata { max_tasks_per_second { value: 100000 } }"},
      {M::kPollNexusTaskQueue, kPoll + "identity: 'worker' " + unversioned + "worker_heartbeat {}"},
      {M::kRespondWorkflowTaskCompleted,
       "namespace: 'default' identity: 'worker' resource_id: 'r' binary_checksum: 'b' " + unversioned +
           "worker_version_stamp { build_id: 'b' } sdk_metadata { core_used_flags: 1 } metering_metadata {} "
           "capabilities { discard_speculative_workflow_task_with_events: true } worker_instance_key: 'k' "
           "worker_control_task_queue: 'c' return_new_workflow_task: true commands { command_type: "
           "COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION start_child_workflow_execution_command_attributes { "
           "workflow_id: 'c' workflow_type { name: 'c' } priority {} inherit_build_id: true } } "
           "commands { command_type: COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK "
           "schedule_activity_task_command_attributes { activity_id: 'a' activity_type { name: 'a' } "
           "start_to_close_timeout { seconds: 1 } use_workflow_build_id: true priority {} } }"},
      {M::kRespondWorkflowTaskFailed,
       "namespace: 'default' resource_id: 'r' worker_version { build_id: 'b' } " + unversioned},
      {M::kUpdateNamespace,
       kChange +
           "config { bad_binaries {} history_archival_state: ARCHIVAL_STATE_DISABLED } "
           "update_info { state: NAMESPACE_STATE_REGISTERED } replication_config { active_cluster_name: "
           "'active' clusters { cluster_name: 'active' } state: REPLICATION_STATE_NORMAL }"},
      {M::kRegisterNamespace,
       kAdd + "active_cluster_name: 'active' clusters { cluster_name: 'active' } history_archival_state: "
              "ARCHIVAL_STATE_DISABLED visibility_archival_state: ARCHIVAL_STATE_DISABLED"},
  };
  return all;
}

TEST(RequestFields, ThatSdksSendUnaskedAreTaken) {
  for (const auto& [method, text] : unasked()) {
    SCOPED_TRACE(text);
    Driver d;
    d.start("w");
    const std::string token = d.workflow_task().task_token();
    const auto result = answer(d, method, parsed(method, text), token);
    if (!result) EXPECT_EQ(result.error().code(), Code::kCancelled) << result.error().to_string();
  }
}

}  // namespace
}  // namespace holdfast::engine
