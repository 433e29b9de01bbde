#include "engine/namespace_handlers.h"

#include <algorithm>

#include "engine/errors.h"
#include "engine/new_ids.h"
#include "engine/options.h"
#include "engine/replies.h"
#include "engine/unserved.h"

namespace holdfast::engine {

namespace {

// All namespaces are in memory, and a page of them is one answer.
Status check_size(const Namespaces::Record& record, const EngineLimits& limits) {
  std::size_t bytes = record.description().size() + record.owner_email().size();
  for (const auto& [key, value] : record.data()) bytes += key.size() + value.size();
  if (bytes <= limits.namespace_bytes) return {};
  return errors::invalid("Namespace size exceeds limit of " + std::to_string(limits.namespace_bytes) +
                         " bytes.");
}

}  // namespace

void NamespaceHandlers::get_system_info(Call& call, const ws::GetSystemInfoRequest&) {
  auto response = std::make_unique<ws::GetSystemInfoResponse>();
  response->set_server_version(options_.server_version);
  auto& can = *response->mutable_capabilities();
  can.set_signal_and_query_header(true);
  can.set_internal_error_differentiation(true);
  can.set_activity_failure_include_heartbeat(true);
  can.set_encoded_failure_attributes(true);
  can.set_upsert_memo(true);
  can.set_eager_workflow_start(true);
  can.set_sdk_metadata(true);
  can.set_count_group_by_execution_status(true);
  // Without it workers keep their build to themselves, and histories could not name it. Tasks are not routed
  // by build: the calls that would say so are UNIMPLEMENTED.
  can.set_build_id_based_versioning(true);
  // Schedules and Nexus are not offered: their flags stay false.
  replies_.send(call, std::move(response));
}

void NamespaceHandlers::get_cluster_info(Call& call, const ws::GetClusterInfoRequest&) {
  auto response = std::make_unique<ws::GetClusterInfoResponse>();
  response->set_server_version(options_.server_version);
  response->set_cluster_id(meta_.cluster_id());
  response->set_cluster_name(options_.cluster_name);
  response->set_history_shard_count(meta_.shard_count());
  response->set_persistence_store("rocksdb");
  response->set_visibility_store("sqlite");
  // What Temporal of these years supports: SDKs and tools older than that would be told to update.
  auto& clients = *response->mutable_supported_clients();
  for (const char* name : {"temporal-cli", "temporal-go", "temporal-java", "temporal-php", "temporal-server",
                           "temporal-typescript", "Nexus-go-sdk"}) {
    clients[name] = "<2.0.0";
  }
  clients["temporal-ui"] = "<3.0.0";
  replies_.send(call, std::move(response));
}

template <typename Response>
void NamespaceHandlers::fill(const Namespaces::Record& record, Response* response) const {
  auto& info = *response->mutable_namespace_info();
  info.set_name(record.name());
  info.set_id(record.id());
  info.set_state(enums::NAMESPACE_STATE_REGISTERED);
  info.set_description(record.description());
  info.set_owner_email(record.owner_email());
  for (const auto& [key, value] : record.data()) (*info.mutable_data())[key] = value;
  info.mutable_capabilities()->set_eager_workflow_start(true);
  info.mutable_capabilities()->set_sync_update(true);
  info.mutable_capabilities()->set_async_update(true);
  info.mutable_limits()->set_blob_size_limit_error(options_.limits.execution.blob_bytes);
  info.mutable_limits()->set_memo_size_limit_error(options_.limits.execution.memo_bytes);
  // Nobody chose one, nothing is deleted.
  history::set_duration(response->mutable_config()->mutable_workflow_execution_retention_ttl(),
                        record.retention_chosen() ? record.retention_ns() : 0);
  response->mutable_config()->mutable_bad_binaries();
  response->mutable_config()->set_history_archival_state(enums::ARCHIVAL_STATE_DISABLED);
  response->mutable_config()->set_visibility_archival_state(enums::ARCHIVAL_STATE_DISABLED);
  auto& replication = *response->mutable_replication_config();
  replication.set_active_cluster_name(options_.cluster_name);
  replication.add_clusters()->set_cluster_name(options_.cluster_name);
}

Status NamespaceHandlers::check_retention(const google::protobuf::Duration& retention) const {
  if (history::to_ns(retention) >= options_.limits.min_retention_ns) return {};
  return errors::invalid("A valid retention period is not set on request.");
}

void NamespaceHandlers::add(Call& call, const ws::RegisterNamespaceRequest& request) {
  if (request.namespace_().empty())
    return replies_.send(call, errors::invalid("Namespace not set on request."));
  if (request.namespace_().size() > static_cast<std::size_t>(options_.limits.execution.id_bytes)) {
    return replies_.send(call, errors::invalid("Namespace length exceeds limit."));
  }
  if (namespaces_.find(request.namespace_()) != nullptr)
    return replies_.send(call, errors::namespace_exists(request.namespace_()));
  if (Status wrong = unserved::in_registration(request, options_.cluster_name); !wrong.ok())
    return replies_.send(call, std::move(wrong));
  if (Status wrong = check_retention(request.workflow_execution_retention_period()); !wrong.ok())
    return replies_.send(call, std::move(wrong));
  if (namespaces_.size() >= options_.limits.namespaces) {
    return replies_.send(
        call, errors::exhausted(
                  "There may be no more than " + std::to_string(options_.limits.namespaces) + " namespaces.",
                  enums::RESOURCE_EXHAUSTED_CAUSE_UNSPECIFIED));
  }
  Namespaces::Record record;
  record.set_id(ids_.next());
  record.set_name(request.namespace_());
  record.set_description(request.description());
  record.set_owner_email(request.owner_email());
  for (const auto& [key, value] : request.data()) (*record.mutable_data())[key] = value;
  record.set_retention_ns(history::to_ns(request.workflow_execution_retention_period()));
  record.set_retention_chosen(true);
  record.set_closed_runs_indexed(true);
  record.set_search_attributes_registered(true);
  if (Status wrong = check_size(record, options_.limits); !wrong.ok())
    return replies_.send(call, std::move(wrong));
  namespaces_.add(std::move(record));
  replies_.send(call, std::make_unique<ws::RegisterNamespaceResponse>());
}

void NamespaceHandlers::describe(Call& call, const ws::DescribeNamespaceRequest& request) {
  if (request.namespace_().empty() && request.id().empty()) {
    return replies_.send(call, errors::invalid("Namespace not set on request."));
  }
  const auto* record = request.namespace_().empty() ? namespaces_.find_by_id(request.id())
                                                    : namespaces_.find(request.namespace_());
  if (record == nullptr) {
    return replies_.send(call, errors::namespace_not_found(
                                   request.namespace_().empty() ? request.id() : request.namespace_()));
  }
  auto response = std::make_unique<ws::DescribeNamespaceResponse>();
  fill(*record, response.get());
  replies_.send(call, std::move(response));
}

// What is absent or empty stays as it is.
void NamespaceHandlers::update(Call& call, const ws::UpdateNamespaceRequest& request) {
  const auto* found = namespaces_.find(request.namespace_());
  if (found == nullptr) return replies_.send(call, errors::namespace_not_found(request.namespace_()));
  if (Status wrong = unserved::in_namespace_update(request, options_.cluster_name); !wrong.ok())
    return replies_.send(call, std::move(wrong));
  const auto state = request.update_info().state();
  if (state != enums::NAMESPACE_STATE_UNSPECIFIED && state != enums::NAMESPACE_STATE_REGISTERED) {
    return replies_.send(call, errors::invalid("A namespace cannot be deprecated or deleted by an update."));
  }
  Namespaces::Record record = *found;
  if (request.config().has_workflow_execution_retention_ttl()) {
    const auto& retention = request.config().workflow_execution_retention_ttl();
    if (Status wrong = check_retention(retention); !wrong.ok()) return replies_.send(call, std::move(wrong));
    record.set_retention_ns(history::to_ns(retention));
    record.set_retention_chosen(true);
  }
  if (!request.update_info().description().empty())
    record.set_description(request.update_info().description());
  if (!request.update_info().owner_email().empty())
    record.set_owner_email(request.update_info().owner_email());
  for (const auto& [key, value] : request.update_info().data()) (*record.mutable_data())[key] = value;
  if (Status wrong = check_size(record, options_.limits); !wrong.ok())
    return replies_.send(call, std::move(wrong));
  auto response = std::make_unique<ws::UpdateNamespaceResponse>();
  fill(record, response.get());
  namespaces_.update(std::move(record));
  replies_.send(call, std::move(response));
}

void NamespaceHandlers::list(Call& call, const ws::ListNamespacesRequest& request) {
  auto response = std::make_unique<ws::ListNamespacesResponse>();
  const int size = request.page_size() > 0 ? std::min(request.page_size(), 100) : 100;
  // The token is the last name of the page before.
  const auto& all = namespaces_.by_name();
  for (auto at = all.upper_bound(request.next_page_token()); at != all.end(); ++at) {
    if (response->namespaces_size() == size) {
      response->set_next_page_token(response->namespaces(size - 1).namespace_info().name());
      break;
    }
    fill(at->second, response->add_namespaces());
  }
  replies_.send(call, std::move(response));
}

}  // namespace holdfast::engine
