#include "engine/unserved.h"

#include "engine/errors.h"

namespace holdfast::engine::unserved {

namespace {

using Callbacks = google::protobuf::RepeatedPtrField<pb::common::v1::Callback>;

// Temporal's words about a URL that no operator has allowed: as shipped it allows none.
Status no_callbacks(const Callbacks& callbacks) {
  if (callbacks.empty()) return {};
  const std::string why = "CompletionCallbacks are not supported: this server calls nobody back.";
  if (!callbacks[0].has_nexus()) return errors::invalid(why);
  return errors::invalid("invalid url: url does not match any configured callback address: " +
                         callbacks[0].nexus().url() + ". " + why);
}

Status no_archival(enums::ArchivalState state, const std::string& uri, const std::string& of) {
  if (state != enums::ARCHIVAL_STATE_ENABLED && uri.empty()) return {};
  return errors::invalid(of + "ArchivalState cannot be enabled, and " + of +
                         "ArchivalUri not be set: this server has no archive.");
}

template <typename Archival>
Status no_archival_in(const Archival& from) {
  Status history = no_archival(from.history_archival_state(), from.history_archival_uri(), "History");
  if (!history.ok()) return history;
  return no_archival(from.visibility_archival_state(), from.visibility_archival_uri(), "Visibility");
}

using Clusters = google::protobuf::RepeatedPtrField<pb::replication::v1::ClusterReplicationConfig>;

// Replication would bring a namespace there.
Status no_other_cluster(const std::string& active, const Clusters& clusters, const std::string& own) {
  const auto refuse = [](const std::string& name) {
    return errors::invalid("Invalid cluster name: " + name);
  };
  if (!active.empty() && active != own) return refuse(active);
  for (const auto& cluster : clusters) {
    if (cluster.cluster_name() != own) return refuse(cluster.cluster_name());
  }
  return {};
}

}  // namespace

Status in_start(const ws::StartWorkflowExecutionRequest& request) {
  if (!enums::WorkflowIdReusePolicy_IsValid(request.workflow_id_reuse_policy()))
    return unknown_value("WorkflowIdReusePolicy", request.workflow_id_reuse_policy());
  if (!enums::WorkflowIdConflictPolicy_IsValid(request.workflow_id_conflict_policy()))
    return unknown_value("WorkflowIdConflictPolicy", request.workflow_id_conflict_policy());
  if (Status wrong = no_callbacks(request.completion_callbacks()); !wrong.ok()) return wrong;
  if (request.has_versioning_override()) {
    return errors::invalid(
        "VersioningOverride is not supported: tasks are not routed by the version of a worker.");
  }
  if (request.has_time_skipping_config()) {
    return Status(Code::kUnimplemented,
                  "The Time-Skipping feature is not enabled for namespace. TimeSkippingConfig is not "
                  "supported.");
  }
  // Without a run that is met they say nothing.
  const auto& attach = request.on_conflict_options();
  if (request.workflow_id_conflict_policy() == enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING &&
      (attach.attach_request_id() || attach.attach_completion_callbacks() || attach.attach_links())) {
    return errors::invalid(
        "OnConflictOptions are not supported: nothing can be attached to a workflow that is running.");
  }
  return {};
}

Status in_update(const pb::update::v1::Request& request) {
  return no_callbacks(request.completion_callbacks());
}

// What the namespace does not promise; taken alone, a page would be a task with half of its commands.
Status in_completion(const ws::RespondWorkflowTaskCompletedRequest& request) {
  if (!request.intermediate_page() && request.page_number() == 0) return {};
  return errors::invalid(
      "IntermediatePage and PageNumber are not supported: a workflow task is completed in one request.");
}

Status in_registration(const ws::RegisterNamespaceRequest& request, const std::string& cluster_name) {
  if (request.is_global_namespace())
    return errors::invalid("Cannot register global namespace when not enabled");
  if (Status wrong = no_archival_in(request); !wrong.ok()) return wrong;
  return no_other_cluster(request.active_cluster_name(), request.clusters(), cluster_name);
}

Status in_namespace_update(const ws::UpdateNamespaceRequest& request, const std::string& cluster_name) {
  const auto& replication = request.replication_config();
  if (request.promote_namespace() || replication.clusters_size() > 1 ||
      !request.delete_bad_binary().empty() || !request.config().bad_binaries().binaries().empty()) {
    return errors::invalid("Global namespaces and bad binaries are not supported.");
  }
  if (replication.state() == enums::REPLICATION_STATE_HANDOVER)
    return errors::invalid("Handover can only be set for global namespace");
  if (!request.config().custom_search_attribute_aliases().empty()) {
    return errors::invalid(
        "CustomSearchAttributeAliases are not supported: search attributes have the names that they were "
        "registered by.");
  }
  if (Status wrong = no_archival_in(request.config()); !wrong.ok()) return wrong;
  return no_other_cluster(replication.active_cluster_name(), replication.clusters(), cluster_name);
}

Status unknown_value(const char* field, int value) {
  return errors::invalid(std::string(field) + " has no value " + std::to_string(value) + ".");
}

// A worker of an SDK ends its polls at INVALID_ARGUMENT, with these words; others it would try again for
// ever.
Status versioned_worker() {
  return errors::invalid(
      "Worker versioning is not supported: tasks are not routed by the version of a worker. Switch "
      "use_worker_versioning off.");
}

}  // namespace holdfast::engine::unserved
