// What the server says about itself, and namespaces.

#include "base/ids.h"
#include "engine/core_impl.h"
#include "store/keys.h"

namespace holdfast::engine {

const stored::NamespaceRecord* EngineCore::Impl::namespace_by_name(const std::string& name) const {
  const auto found = namespaces_.find(name);
  return found == namespaces_.end() ? nullptr : &found->second;
}

const stored::NamespaceRecord* EngineCore::Impl::namespace_by_id(const std::string& id) const {
  const auto found = namespace_names_.find(id);
  return found == namespace_names_.end() ? nullptr : namespace_by_name(found->second);
}

void EngineCore::Impl::get_system_info(Call& call, ws::GetSystemInfoRequest&) {
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
  reply(call, std::move(response));
}

void EngineCore::Impl::get_cluster_info(Call& call, ws::GetClusterInfoRequest&) {
  auto response = std::make_unique<ws::GetClusterInfoResponse>();
  response->set_server_version(options_.server_version);
  response->set_cluster_id(meta_.cluster_id());
  response->set_cluster_name(options_.cluster_name);
  response->set_history_shard_count(meta_.shard_count());
  response->set_persistence_store("rocksdb");
  response->set_visibility_store("sqlite");
  reply(call, std::move(response));
}

void EngineCore::Impl::fill_namespace(const stored::NamespaceRecord& record,
                                      ws::DescribeNamespaceResponse* response) const {
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
  history::set_duration(response->mutable_config()->mutable_workflow_execution_retention_ttl(),
                        record.retention_ns());
  response->mutable_config()->set_history_archival_state(enums::ARCHIVAL_STATE_DISABLED);
  response->mutable_config()->set_visibility_archival_state(enums::ARCHIVAL_STATE_DISABLED);
  auto& replication = *response->mutable_replication_config();
  replication.set_active_cluster_name(options_.cluster_name);
  replication.add_clusters()->set_cluster_name(options_.cluster_name);
}

void EngineCore::Impl::register_namespace(Call& call, const ws::RegisterNamespaceRequest& request) {
  if (request.namespace_().empty()) return reply(call, errors::invalid("Namespace is not set on request."));
  if (request.namespace_().size() > static_cast<std::size_t>(options_.limits.execution.id_bytes)) {
    return reply(call, errors::invalid("Namespace length exceeds limit of 1000 bytes."));
  }
  if (namespace_by_name(request.namespace_()) != nullptr)
    return reply(call, errors::namespace_exists(request.namespace_()));
  const Ns retention = history::to_ns(request.workflow_execution_retention_period());
  if (retention < 24LL * 3600 * history::kSecond) {
    return reply(call, errors::invalid("A minimal retention period of 24h is required; "
                                       "set workflow_execution_retention_period."));
  }
  if (namespaces_.size() >= options_.limits.namespaces) {
    return reply(call, errors::exhausted("There may be no more than " +
                                             std::to_string(options_.limits.namespaces) + " namespaces.",
                                         enums::RESOURCE_EXHAUSTED_CAUSE_UNSPECIFIED));
  }
  stored::NamespaceRecord record;
  record.set_id(new_id());
  record.set_name(request.namespace_());
  record.set_description(request.description());
  record.set_owner_email(request.owner_email());
  for (const auto& [key, value] : request.data()) (*record.mutable_data())[key] = value;
  record.set_retention_ns(retention);
  put(store::keys::namespace_record(record.name()), history::serialize(record));
  namespace_names_[record.id()] = record.name();
  namespaces_[record.name()] = std::move(record);
  reply(call, std::make_unique<ws::RegisterNamespaceResponse>());
}

void EngineCore::Impl::describe_namespace(Call& call, const ws::DescribeNamespaceRequest& request) {
  if (request.namespace_().empty() && request.id().empty()) {
    return reply(call, errors::invalid("Name a namespace, or its id."));
  }
  const auto* record =
      request.namespace_().empty() ? namespace_by_id(request.id()) : namespace_by_name(request.namespace_());
  if (record == nullptr) {
    return reply(call, errors::namespace_not_found(request.namespace_().empty() ? request.id()
                                                                                : request.namespace_()));
  }
  auto response = std::make_unique<ws::DescribeNamespaceResponse>();
  fill_namespace(*record, response.get());
  reply(call, std::move(response));
}

void EngineCore::Impl::list_namespaces(Call& call, const ws::ListNamespacesRequest& request) {
  auto response = std::make_unique<ws::ListNamespacesResponse>();
  const int size = request.page_size() > 0 ? std::min(request.page_size(), 100) : 100;
  // The token is the last name of the page before.
  for (auto at = namespaces_.upper_bound(request.next_page_token()); at != namespaces_.end(); ++at) {
    if (response->namespaces_size() == size) {
      response->set_next_page_token(response->namespaces(size - 1).namespace_info().name());
      break;
    }
    fill_namespace(at->second, response->add_namespaces());
  }
  reply(call, std::move(response));
}

}  // namespace holdfast::engine
