#include "engine/outbox_delivery.h"

#include "engine/core_clock.h"
#include "engine/history_reader.h"
#include "engine/namespaces.h"
#include "engine/new_ids.h"
#include "engine/options.h"
#include "engine/outbox.h"
#include "engine/run_cache.h"
#include "engine/transitions.h"
#include "history/child_workflow.h"
#include "history/cron.h"
#include "history/external.h"
#include "history/lifecycle.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace lifecycle = history::lifecycle;
namespace wt = history::workflow_task;

int OutboxDelivery::deliver(int most) {
  int done = 0;
  for (; done < most && !outbox_.empty(); ++done) {
    const Run* sender = cache_.find(RunKey(outbox_.next()));
    if (sender == nullptr) {
      outbox_.drop();
    } else if (const auto message = outbox_.take(*sender->ms)) {
      deliver(*message);
    }
  }
  return done;
}

void OutboxDelivery::deliver(const OutboxMessage& message) {
  using Kind = OutboxMessage::Kind;
  switch (message.kind) {
    case Kind::kChildStart: return start_child(message.from, message.initiated_event_id);
    case Kind::kExternalSignal: return signal(message.from, message.initiated_event_id);
    case Kind::kExternalCancel: return request_cancel(message.from, message.initiated_event_id);
    case Kind::kClosed: return tell_parent(message.from);
    case Kind::kParentClose: return close_child(message.from, message.child);
  }
}

void OutboxDelivery::start_child(const RunKey& from, std::int64_t initiated_event_id) {
  Run* parent = cache_.find(from);
  if (parent == nullptr) return;
  const auto* pending = parent->ms->child(initiated_event_id);
  if (pending == nullptr || !pending->start_pending()) return;  // answered meanwhile
  const stored::ChildInfo info = *pending;
  const auto initiated = reader_.find(*parent, initiated_event_id);
  if (!initiated) return;
  const auto& attributes = initiated->start_child_workflow_execution_initiated_event_attributes();
  const auto* record = namespaces_.find_by_id(info.namespace_id());

  std::string child_run;
  bool refused = record == nullptr;
  auto cause = enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;
  if (record != nullptr) {
    const auto current = cache_.current(record->id(), info.workflow_id());
    if (!current) return;  // nothing is known of it: the message stays
    const auto& row = *current;
    if (row && row->create_request_id() == info.request_id()) {
      child_run = row->first_run_id();  // started by an earlier copy of this message
    } else if (row && lifecycle::decide(row->status(), attributes.workflow_id_reuse_policy(),
                                        enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL) ==
                          lifecycle::StartDecision::kRefuse) {
      refused = true;
      cause = enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS;
    } else {
      if (row && row->status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING) {
        if (Run* old = cache_.find({record->id(), info.workflow_id(), row->run_id()})) {
          transitions_.terminate(*old, "TerminateIfRunning WorkflowIdReusePolicy", nullptr,
                                 "history-service");
        }
      }
      child_run = new_child(*record, *parent, info, attributes,
                            initiated->has_user_metadata() ? &initiated->user_metadata() : nullptr);
    }
  }
  parent = cache_.find(from);
  if (parent == nullptr) return;
  const bool changed =
      refused ? history::child_workflow::start_failed(*parent->ms, clock_.now(), initiated_event_id, cause)
              : history::child_workflow::started(*parent->ms, clock_.now(), initiated_event_id, child_run,
                                                 attributes.has_header() ? &attributes.header() : nullptr);
  if (changed) transitions_.finish(*parent);
}

std::string OutboxDelivery::new_child(
    const stored::NamespaceRecord& record, Run& parent, const stored::ChildInfo& info,
    const pb::history::v1::StartChildWorkflowExecutionInitiatedEventAttributes& from,
    const pb::sdk::v1::UserMetadata* metadata) {
  lifecycle::StartInput input;
  input.namespace_id = record.id();
  input.workflow_id = info.workflow_id();
  input.run_id = ids_.next();
  input.request_id = info.request_id();
  input.namespace_retention_ns = record.retention_ns();
  if (metadata != nullptr) {
    input.user_metadata = *metadata;
    input.has_user_metadata = true;
  }
  auto& attributes = input.attributes;
  *attributes.mutable_workflow_type() = from.workflow_type();
  attributes.mutable_task_queue()->set_name(from.task_queue().name());
  if (from.has_input()) *attributes.mutable_input() = from.input();
  *attributes.mutable_workflow_execution_timeout() = from.workflow_execution_timeout();
  *attributes.mutable_workflow_run_timeout() = from.workflow_run_timeout();
  *attributes.mutable_workflow_task_timeout() = from.workflow_task_timeout();
  if (from.has_retry_policy()) *attributes.mutable_retry_policy() = from.retry_policy();
  attributes.set_cron_schedule(from.cron_schedule());
  if (from.has_header()) *attributes.mutable_header() = from.header();
  if (from.has_memo()) *attributes.mutable_memo() = from.memo();
  if (from.has_search_attributes()) *attributes.mutable_search_attributes() = from.search_attributes();
  // What the command leaves open is the parent's.
  if (parent.ms->s().has_priority()) *attributes.mutable_priority() = parent.ms->s().priority();
  if (from.has_priority()) attributes.mutable_priority()->MergeFrom(from.priority());
  attributes.set_parent_workflow_namespace(namespaces_.name_of(parent.key.namespace_id));
  attributes.set_parent_workflow_namespace_id(parent.key.namespace_id);
  attributes.mutable_parent_workflow_execution()->set_workflow_id(parent.key.workflow_id);
  attributes.mutable_parent_workflow_execution()->set_run_id(parent.key.run_id);
  attributes.set_parent_initiated_event_id(info.initiated_event_id());
  if (parent.ms->s().has_root()) {
    *attributes.mutable_root_workflow_execution() = parent.ms->s().root();
  } else {
    attributes.mutable_root_workflow_execution()->set_workflow_id(parent.key.workflow_id);
    attributes.mutable_root_workflow_execution()->set_run_id(parent.key.run_id);
  }
  if (!from.cron_schedule().empty()) {
    if (const auto due = history::cron::next(from.cron_schedule(), clock_.now(), clock_.now()))
      input.first_task_backoff_ns = *due - clock_.now();
    attributes.set_initiator(enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
  }
  Run& child = cache_.create(lifecycle::start(std::move(input), clock_.now()));
  wt::schedule(*child.ms, clock_.now());
  transitions_.finish(child);
  return child.key.run_id;
}

void OutboxDelivery::signal(const RunKey& from, std::int64_t initiated_event_id) {
  Run* sender = cache_.find(from);
  if (sender == nullptr) return;
  const auto* pending = sender->ms->external_signal(initiated_event_id);
  if (pending == nullptr) return;
  const std::string request_id = pending->request_id();
  const std::string target_namespace = pending->namespace_id();
  const auto initiated = reader_.find(*sender, initiated_event_id);
  if (!initiated) return;
  const auto& attributes = initiated->signal_external_workflow_execution_initiated_event_attributes();
  auto found = cache_.resolve(target_namespace, named(attributes.workflow_execution()));
  if (!found && found.error().code() == Code::kDataLoss) return;
  using Cause = enums::SignalExternalWorkflowExecutionFailedCause;
  Cause cause = enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNSPECIFIED;
  if (!found || (attributes.child_workflow_only() && (*found)->ms->s().parent().run_id() != from.run_id)) {
    cause = enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
  } else {
    Run& target = **found;
    if (target.ms->signal_seen(request_id)) {
      // An earlier copy of this message arrived.
    } else if (!target.ms->running()) {
      cause = enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
    } else if (target.ms->s().signal_count() >= limits_.execution.signals) {
      cause = enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED;
    } else {
      pb::history::v1::WorkflowExecutionSignaledEventAttributes signal;
      signal.set_signal_name(attributes.signal_name());
      if (attributes.has_input()) *signal.mutable_input() = attributes.input();
      if (attributes.has_header()) *signal.mutable_header() = attributes.header();
      signal.set_identity("history-service");
      signal.set_request_id(request_id);
      signal.mutable_external_workflow_execution()->set_workflow_id(from.workflow_id);
      signal.mutable_external_workflow_execution()->set_run_id(from.run_id);
      lifecycle::signal(*target.ms, clock_.now(), std::move(signal));
      transitions_.finish(target);
    }
  }
  sender = cache_.find(from);
  if (sender == nullptr) return;
  const bool changed = cause == enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNSPECIFIED
                           ? history::external_signal::done(*sender->ms, clock_.now(), *initiated)
                           : history::external_signal::failed(*sender->ms, clock_.now(), *initiated, cause);
  if (changed) transitions_.finish(*sender);
}

void OutboxDelivery::request_cancel(const RunKey& from, std::int64_t initiated_event_id) {
  Run* sender = cache_.find(from);
  if (sender == nullptr) return;
  const auto* pending = sender->ms->external_cancel(initiated_event_id);
  if (pending == nullptr) return;
  const std::string request_id = pending->request_id();
  const std::string target_namespace = pending->namespace_id();
  const auto initiated = reader_.find(*sender, initiated_event_id);
  if (!initiated) return;
  const auto& attributes = initiated->request_cancel_external_workflow_execution_initiated_event_attributes();
  auto found = cache_.resolve(target_namespace, named(attributes.workflow_execution()));
  if (!found && found.error().code() == Code::kDataLoss) return;
  const bool known =
      found && !(attributes.child_workflow_only() && (*found)->ms->s().parent().run_id() != from.run_id);
  if (known && (*found)->ms->running()) {
    pb::history::v1::WorkflowExecutionCancelRequestedEventAttributes request;
    request.set_cause(attributes.reason());
    request.set_external_initiated_event_id(initiated_event_id);
    request.mutable_external_workflow_execution()->set_workflow_id(from.workflow_id);
    request.mutable_external_workflow_execution()->set_run_id(from.run_id);
    request.set_identity("history-service");
    if (lifecycle::request_cancel(*(*found)->ms, clock_.now(), std::move(request), request_id))
      transitions_.finish(**found);
  }
  sender = cache_.find(from);
  if (sender == nullptr) return;
  const bool changed =
      known
          ? history::external_cancel::done(*sender->ms, clock_.now(), *initiated)
          : history::external_cancel::failed(
                *sender->ms, clock_.now(), *initiated,
                enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND);
  if (changed) transitions_.finish(*sender);
}

void OutboxDelivery::tell_parent(const RunKey& from) {
  Run* child = cache_.find(from);
  if (child == nullptr || !child->ms->s().close_outbox().notify_parent()) return;
  const auto parent_info = child->ms->s().parent();
  const auto loaded =
      cache_.load({parent_info.namespace_id(), parent_info.workflow_id(), parent_info.run_id()});
  if (!loaded) return;
  if (Run* parent = *loaded; parent != nullptr) {
    // The parent has to have heard of the start first; both messages may have been on their way.
    const auto* known = parent->ms->child(parent_info.initiated_event_id());
    if (known != nullptr && known->start_pending())
      start_child(parent->key, parent_info.initiated_event_id());
    const auto closing = reader_.find(*child, child->ms->s().close_event_id());
    if (!closing) return;
    if (parent->ms->running() &&
        history::child_workflow::closed(*parent->ms, clock_.now(), parent_info.initiated_event_id(),
                                        from.run_id, *closing)) {
      transitions_.finish(*parent);
    }
  }
  child = cache_.find(from);
  if (child == nullptr) return;
  lifecycle::parent_told(*child->ms);
  cache_.touch(*child);
}

void OutboxDelivery::close_child(const RunKey& from, const stored::ChildInfo& info) {
  // The child's chain may have moved on: its current run is the one to act on, if it is still that chain.
  const auto row = cache_.current(info.namespace_id(), info.workflow_id());
  if (!row) return;
  const auto loaded =
      *row ? cache_.load({info.namespace_id(), info.workflow_id(), (*row)->run_id()}) : Result<Run*>(nullptr);
  if (!loaded) return;
  Run* child = *loaded;
  if (child != nullptr && child->ms->running() && child->ms->s().parent().run_id() == from.run_id &&
      child->ms->s().parent().initiated_event_id() == info.initiated_event_id()) {
    if (info.parent_close_policy() == enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL) {
      pb::history::v1::WorkflowExecutionCancelRequestedEventAttributes request;
      request.set_cause("by parent close policy");
      request.set_identity("history-service");
      request.mutable_external_workflow_execution()->set_workflow_id(from.workflow_id);
      request.mutable_external_workflow_execution()->set_run_id(from.run_id);
      if (lifecycle::request_cancel(*child->ms, clock_.now(), std::move(request), info.request_id()))
        transitions_.finish(*child);
    } else {
      transitions_.terminate(*child, "by parent close policy", nullptr, "history-service");
    }
  }
  Run* parent = cache_.find(from);
  if (parent == nullptr) return;
  lifecycle::child_told(*parent->ms, info.initiated_event_id());
  cache_.touch(*parent);
}

}  // namespace holdfast::engine
