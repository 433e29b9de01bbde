#include "worker/workflow_run.h"

#include "base/ids.h"
#include "client/convert.h"
#include "client/failure_converter.h"
#include "worker/marker_machine.h"

namespace holdfast::worker {
namespace {

TaskResult failed(enums::WorkflowTaskFailedCause cause, const std::string& message, const std::string& type) {
  TaskResult result;
  result.failure.emplace();
  result.failure->cause = cause;
  auto& failure = result.failure->failure;
  failure.set_message(message);
  failure.set_source(client::kFailureSource);
  failure.mutable_application_failure_info()->set_type(type);
  return result;
}

// The event that an event refers to; 0: none.
std::int64_t referenced_event(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
      return event.activity_task_started_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      return event.activity_task_completed_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
      return event.activity_task_failed_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
      return event.activity_task_timed_out_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
      return event.activity_task_canceled_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_TIMER_FIRED: return event.timer_fired_event_attributes().started_event_id();
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
      return event.start_child_workflow_execution_failed_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
      return event.child_workflow_execution_started_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
      return event.child_workflow_execution_completed_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
      return event.child_workflow_execution_failed_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
      return event.child_workflow_execution_canceled_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      return event.child_workflow_execution_timed_out_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
      return event.child_workflow_execution_terminated_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
      return event.external_workflow_execution_signaled_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      return event.signal_external_workflow_execution_failed_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      return event.external_workflow_execution_cancel_requested_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      return event.request_cancel_external_workflow_execution_failed_event_attributes().initiated_event_id();
    default: return 0;
  }
}

std::optional<Duration> optional_duration(bool has, const google::protobuf::Duration& value) {
  // Zero means none in this protocol.
  const Duration duration = client::from_proto(value);
  return has && duration > Duration::zero() ? std::optional(duration) : std::nullopt;
}

}  // namespace

WorkflowRun::WorkflowRun(const Registry& registry, std::string namespace_name, std::string workflow_id,
                         std::string run_id, LogSink log)
    : registry_(registry), log_(std::move(log)), context_(*this) {
  info_.namespace_name = std::move(namespace_name);
  info_.workflow_id = std::move(workflow_id);
  info_.run_id = std::move(run_id);
  scheduler_.set_return_watcher([this](holdfast::detail::PromiseBase& promise) { returning(promise); });
}

WorkflowRun::~WorkflowRun() {
  scheduler_.close();
}

TaskResult WorkflowRun::apply(const Events& events, const ProtocolMessages& messages) {
  try {
    const std::vector<Chunk> chunks = chunk_history(events, last_event_id_);
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      apply_chunk(chunks[i], i + 1 < chunks.size() ? &chunks[i + 1] : nullptr, messages);
    }
    return answer();
  } catch (const NondeterminismError& error) {
    return failed(
        enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
        "workflow \"" + info_.workflow_id + "\" of type \"" + info_.workflow_type + "\": " + error.what(),
        "NondeterminismError");
  } catch (const DeadlockError& error) {
    return failed(enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE, error.what(),
                  kPotentialDeadlock);
  } catch (const std::exception& error) {
    return failed(enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE, error.what(),
                  client::exception_type(error));
  } catch (...) {
    return failed(enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
                  "the workflow threw something that is not a std::exception", "unknown");
  }
}

void WorkflowRun::apply_chunk(const Chunk& chunk, const Chunk* next, const ProtocolMessages& messages) {
  replaying_ = next != nullptr;
  saw_completion_ = false;
  skip_version_upsert_ = false;
  keep_events_ = chunk.started == nullptr;
  for (const HistoryEvent* event : chunk.events) apply_event(*event);
  if (saw_completion_) check_all_recorded(nullptr);
  if (chunk.started == nullptr) return;
  if (next != nullptr) {
    look_ahead(*next);
  } else {
    read_messages(messages);
  }
  last_scheduled_event_id_ = chunk.started->workflow_task_started_event_attributes().scheduled_event_id();
  activate(*chunk.started);
  awaits_completion_ = true;
}

void WorkflowRun::forget_last_task() {
  // The ids of its Scheduled and Started events will be given to others.
  last_event_id_ = last_scheduled_event_id_ - 1;
  awaits_completion_ = false;
}

void WorkflowRun::look_ahead(const Chunk& next) {
  for (const HistoryEvent* event : next.events) {
    if (event->event_type() == enums::EVENT_TYPE_MARKER_RECORDED) {
      const auto& attributes = event->marker_recorded_event_attributes();
      if (const auto patch = patch_of(attributes)) recorded_patches_.insert(patch->id);
      if (const auto effect = side_effect_of(attributes)) recorded_effects_[effect->id] = effect->value;
    } else if (event->event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED) {
      const auto& attributes = event->workflow_execution_update_accepted_event_attributes();
      UpdateRequest request;
      request.protocol_instance_id = attributes.protocol_instance_id();
      request.message_id = attributes.accepted_request_message_id();
      request.sequencing_event_id = attributes.accepted_request_sequencing_event_id();
      request.request = attributes.accepted_request();
      request.replayed = true;
      new_updates_.push_back(std::move(request));
    }
  }
}

void WorkflowRun::read_messages(const ProtocolMessages& messages) {
  for (const ProtocolMessage& message : messages) {
    UpdateRequest request;
    if (!message.body().UnpackTo(&request.request)) continue;  // a protocol that is not ours
    request.protocol_instance_id = message.protocol_instance_id();
    request.message_id = message.id();
    request.sequencing_event_id = message.event_id();
    new_updates_.push_back(std::move(request));
  }
}

void WorkflowRun::check_all_recorded(const HistoryEvent* before) {
  if (commands_.empty()) return;
  const auto& entry = commands_.front();
  const std::string where = before != nullptr ? "at event " + std::to_string(before->event_id())
                                              : "after event " + std::to_string(last_event_id_);
  throw NondeterminismError("[TMPRL1100] history and workflow code disagree " + where + "\n  history: " +
                            (before != nullptr ? describe_event(*before) : std::string("nothing")) +
                            "\n  code:    " + entry.machine->describe(entry.kind));
}

bool WorkflowRun::skip_deprecated_patch(const HistoryEvent& event) {
  if (event.event_type() == enums::EVENT_TYPE_MARKER_RECORDED) {
    const auto patch = patch_of(event.marker_recorded_event_attributes());
    if (!patch || !patch->deprecated) return false;
    const bool expected = !commands_.empty() && commands_.front().machine->describe(commands_.front().kind) ==
                                                    describe_event(event);
    skip_version_upsert_ = !expected;
    return !expected;
  }
  if (event.event_type() == enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES && skip_version_upsert_) {
    skip_version_upsert_ = false;
    const auto& fields =
        event.upsert_workflow_search_attributes_event_attributes().search_attributes().indexed_fields();
    const bool version_only = fields.size() == 1 && fields.contains(kVersionAttribute);
    return version_only && (commands_.empty() || commands_.front().kind != event.event_type());
  }
  return false;
}

void WorkflowRun::apply_event(const HistoryEvent& event) {
  const auto type = event.event_type();
  if (is_command_event(type)) {
    if (!skip_deprecated_patch(event)) commands_.match(event);
    last_event_id_ = event.event_id();
    return;
  }
  if (saw_completion_) check_all_recorded(&event);
  last_event_id_ = event.event_id();
  switch (type) {
    case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
      saw_completion_ = true;
      awaits_completion_ = false;
      break;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: begin(event); break;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: {
      const auto& attributes = event.workflow_execution_signaled_event_attributes();
      new_signals_.push_back({attributes.signal_name(), client::from_proto(attributes.input())});
      break;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      resolutions_.push_back(
          [this, reason = event.workflow_execution_cancel_requested_event_attributes().cause()] {
            cancel_requested_ = true;
            cancel_reason_ = reason;
            scheduler_.root_scope()->cancel(reason.empty() ? "the workflow was canceled" : reason);
          });
      break;
    default: apply_reference(event);
  }
}

void WorkflowRun::apply_reference(const HistoryEvent& event) {
  const std::int64_t id = referenced_event(event);
  if (id == 0) return;  // of no concern to workflow code
  const auto found = routes_.find(id);
  if (found == routes_.end()) {
    throw NondeterminismError("[TMPRL1100] event " + std::to_string(event.event_id()) + ", " +
                              describe_event(event) + ", refers to event " + std::to_string(id) +
                              ", which workflow code did not cause");
  }
  // Of what is over only the result is kept.
  const auto resolve = [this, id, machine = found->second](const HistoryEvent& what) {
    machine->resolve(what);
    if (machine->done()) routes_.erase(id);
  };
  if (keep_events_) {
    resolutions_.push_back([resolve, copy = event] { resolve(copy); });
  } else {
    resolutions_.push_back([resolve, pointer = &event] { resolve(*pointer); });
  }
}

void WorkflowRun::begin(const HistoryEvent& event) {
  using client::from_proto;
  const auto& started = event.workflow_execution_started_event_attributes();
  info_.original_run_id = started.original_execution_run_id();
  if (info_.original_run_id.empty()) info_.original_run_id = info_.run_id;
  if (info_.run_id.empty()) info_.run_id = info_.original_run_id;
  info_.first_run_id = started.first_execution_run_id();
  info_.continued_run_id = started.continued_execution_run_id();
  info_.workflow_type = started.workflow_type().name();
  info_.task_queue = started.task_queue().name();
  info_.cron_schedule = started.cron_schedule();
  info_.attempt = std::max(started.attempt(), 1);
  info_.start_time = from_proto(event.event_time());
  info_.execution_timeout =
      optional_duration(started.has_workflow_execution_timeout(), started.workflow_execution_timeout());
  info_.run_timeout = optional_duration(started.has_workflow_run_timeout(), started.workflow_run_timeout());
  info_.task_timeout =
      optional_duration(started.has_workflow_task_timeout(), started.workflow_task_timeout());
  if (started.has_retry_policy()) info_.retry = from_proto(started.retry_policy());
  info_.parent_namespace = started.parent_workflow_namespace();
  info_.parent_workflow_id = started.parent_workflow_execution().workflow_id();
  info_.parent_run_id = started.parent_workflow_execution().run_id();
  if (started.has_last_completion_result())
    info_.last_result = client::single(started.last_completion_result());
  if (started.has_continued_failure()) info_.last_failure = from_proto(started.continued_failure());
  info_.memo = from_proto(started.memo().fields());
  info_.search_attributes = from_proto(started.search_attributes().indexed_fields());
  arguments_ = from_proto(started.input());
  random_.seed(stable_hash(info_.original_run_id));
}

TaskResult WorkflowRun::answer() {
  TaskResult result;
  for (const auto& entry : commands_.entries()) {
    entry.machine->write(entry.kind, &result.commands.emplace_back());
    if (entry.machine->has_message())
      entry.machine->write_message(entry.kind, &result.messages.emplace_back());
  }
  for (auto& rejection : rejections_) result.messages.push_back(std::move(rejection));
  rejections_.clear();
  return result;
}

std::string WorkflowRun::known_names(const char* what, const std::vector<std::string>& names) const {
  if (names.empty()) return std::string("; it has no ") + what;
  std::string out = std::string("; it has the ") + what;
  for (std::size_t i = 0; i < names.size(); ++i) out += (i == 0 ? " \"" : ", \"") + names[i] + '"';
  return out;
}

}  // namespace holdfast::worker
