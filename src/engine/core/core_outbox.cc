// What crosses executions. The sender's state says what is owed; a message carries it to the other execution,
// whose transition is idempotent by request id; the sender's next transition strikes it off. After a crash it
// is sent again.
//
// Messages run between transitions, never inside one, and never touch two executions in one transition. All
// shards of this core commit through one ordered stream of batches, so a message may run before its cause is
// durable: its effect cannot become durable earlier.

#include "engine/core_impl.h"
#include "history/child_workflow.h"
#include "history/cron.h"
#include "history/external.h"
#include "history/lifecycle.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace lifecycle = history::lifecycle;
namespace wt = history::workflow_task;

void EngineCore::Impl::send_outbox(Run& run) {
  const RunKey key = run.key;
  const auto& state = run.ms->s();
  for (const auto& child : state.children()) {
    if (!child.start_pending()) continue;
    internal_.push_back({[this, key, id = child.initiated_event_id()] { send_child_start(key, id); }});
  }
  for (const auto& signal : state.external_signals()) {
    internal_.push_back({[this, key, id = signal.initiated_event_id()] { send_external_signal(key, id); }});
  }
  for (const auto& cancel : state.external_cancels()) {
    internal_.push_back({[this, key, id = cancel.initiated_event_id()] { send_external_cancel(key, id); }});
  }
  if (run.ms->running()) return;
  if (state.close_outbox().notify_parent()) {
    internal_.push_back({[this, key] { send_close_to_parent(key); }});
  }
  for (const auto& child : state.close_outbox().children()) {
    internal_.push_back({[this, key, child] { send_parent_close(key, child); }});
  }
}

void EngineCore::Impl::send_child_start(const RunKey& from, std::int64_t initiated_event_id) {
  Run* parent = find(from);
  if (parent == nullptr) return;
  const auto* pending = parent->ms->child(initiated_event_id);
  if (pending == nullptr || !pending->start_pending()) return;  // answered meanwhile
  const stored::ChildInfo info = *pending;
  const auto initiated = read_event(*parent, initiated_event_id);
  if (!initiated) return;
  const auto& attributes = initiated->start_child_workflow_execution_initiated_event_attributes();
  const auto* record = namespace_by_id(info.namespace_id());

  std::string child_run;
  bool refused = record == nullptr;
  auto cause = enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;
  if (record != nullptr) {
    const auto row = current(record->id(), info.workflow_id());
    if (row && row->create_request_id() == info.request_id()) {
      child_run = row->first_run_id();  // started by an earlier copy of this message
    } else if (row && lifecycle::decide(row->status(), attributes.workflow_id_reuse_policy(),
                                        enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL) ==
                          lifecycle::StartDecision::kRefuse) {
      refused = true;
      cause = enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS;
    } else {
      if (row && row->status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING) {
        if (Run* old = find({record->id(), info.workflow_id(), row->run_id()})) {
          terminate_run(*old, "TerminateIfRunning WorkflowIdReusePolicy Policy", nullptr, "history-service");
        }
      }
      child_run = start_child(*record, *parent, info, attributes,
                              initiated->has_user_metadata() ? &initiated->user_metadata() : nullptr);
    }
  }
  parent = find(from);
  if (parent == nullptr) return;
  const bool changed =
      refused ? history::child_workflow::start_failed(*parent->ms, now_, initiated_event_id, cause)
              : history::child_workflow::started(*parent->ms, now_, initiated_event_id, child_run,
                                                 attributes.has_header() ? &attributes.header() : nullptr);
  if (changed) finish(*parent);
}

std::string EngineCore::Impl::start_child(
    const stored::NamespaceRecord& record, Run& parent, const stored::ChildInfo& info,
    const pb::history::v1::StartChildWorkflowExecutionInitiatedEventAttributes& from,
    const pb::sdk::v1::UserMetadata* metadata) {
  lifecycle::StartInput input;
  input.namespace_id = record.id();
  input.workflow_id = info.workflow_id();
  input.run_id = new_id();
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
  if (from.has_priority()) *attributes.mutable_priority() = from.priority();
  attributes.set_parent_workflow_namespace(namespace_names_[parent.key.namespace_id]);
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
    if (const auto due = history::cron::next(from.cron_schedule(), now_, now_))
      input.first_task_backoff_ns = *due - now_;
    attributes.set_initiator(enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
  }
  Run& child = create(lifecycle::start(std::move(input), now_), true);
  wt::schedule(*child.ms, now_);
  finish(child);
  return child.key.run_id;
}

void EngineCore::Impl::send_external_signal(const RunKey& from, std::int64_t initiated_event_id) {
  Run* sender = find(from);
  if (sender == nullptr) return;
  const auto* pending = sender->ms->external_signal(initiated_event_id);
  if (pending == nullptr) return;
  const std::string request_id = pending->request_id();
  const std::string target_namespace = pending->namespace_id();
  const auto initiated = read_event(*sender, initiated_event_id);
  if (!initiated) return;
  const auto& attributes = initiated->signal_external_workflow_execution_initiated_event_attributes();
  auto found = resolve(target_namespace, named(attributes.workflow_execution()));
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
    } else if (target.ms->s().signal_count() >= options_.limits.execution.signals) {
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
      lifecycle::signal(*target.ms, now_, std::move(signal));
      finish(target);
    }
  }
  sender = find(from);
  if (sender == nullptr) return;
  const bool changed = cause == enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNSPECIFIED
                           ? history::external_signal::done(*sender->ms, now_, *initiated)
                           : history::external_signal::failed(*sender->ms, now_, *initiated, cause);
  if (changed) finish(*sender);
}

void EngineCore::Impl::send_external_cancel(const RunKey& from, std::int64_t initiated_event_id) {
  Run* sender = find(from);
  if (sender == nullptr) return;
  const auto* pending = sender->ms->external_cancel(initiated_event_id);
  if (pending == nullptr) return;
  const std::string request_id = pending->request_id();
  const std::string target_namespace = pending->namespace_id();
  const auto initiated = read_event(*sender, initiated_event_id);
  if (!initiated) return;
  const auto& attributes = initiated->request_cancel_external_workflow_execution_initiated_event_attributes();
  auto found = resolve(target_namespace, named(attributes.workflow_execution()));
  const bool known =
      found && !(attributes.child_workflow_only() && (*found)->ms->s().parent().run_id() != from.run_id);
  if (known && (*found)->ms->running()) {
    pb::history::v1::WorkflowExecutionCancelRequestedEventAttributes request;
    request.set_cause(attributes.reason());
    request.set_external_initiated_event_id(initiated_event_id);
    request.mutable_external_workflow_execution()->set_workflow_id(from.workflow_id);
    request.mutable_external_workflow_execution()->set_run_id(from.run_id);
    request.set_identity("history-service");
    if (lifecycle::request_cancel(*(*found)->ms, now_, std::move(request), request_id)) finish(**found);
  }
  sender = find(from);
  if (sender == nullptr) return;
  const bool changed =
      known
          ? history::external_cancel::done(*sender->ms, now_, *initiated)
          : history::external_cancel::failed(
                *sender->ms, now_, *initiated,
                enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND);
  if (changed) finish(*sender);
}

void EngineCore::Impl::send_close_to_parent(const RunKey& from) {
  Run* child = find(from);
  if (child == nullptr || !child->ms->s().close_outbox().notify_parent()) return;
  const auto parent_info = child->ms->s().parent();
  Run* parent = find({parent_info.namespace_id(), parent_info.workflow_id(), parent_info.run_id()});
  if (parent != nullptr) {
    // The parent has to have heard of the start first; both messages may have been on their way.
    const auto* known = parent->ms->child(parent_info.initiated_event_id());
    if (known != nullptr && known->start_pending())
      send_child_start(parent->key, parent_info.initiated_event_id());
    const auto closing = read_event(*child, child->ms->s().close_event_id());
    if (closing && parent->ms->running() &&
        history::child_workflow::closed(*parent->ms, now_, parent_info.initiated_event_id(), from.run_id,
                                        *closing)) {
      finish(*parent);
    }
  }
  child = find(from);
  if (child == nullptr) return;
  lifecycle::parent_told(*child->ms);
  touch(*child);
}

void EngineCore::Impl::send_parent_close(const RunKey& from, stored::ChildInfo info) {
  // The child's chain may have moved on: its current run is the one to act on, if it is still that chain.
  const auto row = current(info.namespace_id(), info.workflow_id());
  Run* child = row ? find({info.namespace_id(), info.workflow_id(), row->run_id()}) : nullptr;
  if (child != nullptr && child->ms->running() && child->ms->s().parent().run_id() == from.run_id &&
      child->ms->s().parent().initiated_event_id() == info.initiated_event_id()) {
    if (info.parent_close_policy() == enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL) {
      pb::history::v1::WorkflowExecutionCancelRequestedEventAttributes request;
      request.set_cause("by parent close policy");
      request.set_identity("history-service");
      request.mutable_external_workflow_execution()->set_workflow_id(from.workflow_id);
      request.mutable_external_workflow_execution()->set_run_id(from.run_id);
      if (lifecycle::request_cancel(*child->ms, now_, std::move(request), info.request_id())) finish(*child);
    } else {
      terminate_run(*child, "by parent close policy", nullptr, "history-service");
    }
  }
  Run* parent = find(from);
  if (parent == nullptr) return;
  lifecycle::child_told(*parent->ms, info.initiated_event_id());
  touch(*parent);
}

}  // namespace holdfast::engine
