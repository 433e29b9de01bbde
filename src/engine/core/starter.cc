#include "engine/starter.h"

#include "engine/core_clock.h"
#include "engine/errors.h"
#include "engine/links.h"
#include "engine/new_ids.h"
#include "engine/options.h"
#include "engine/run_cache.h"
#include "engine/search_attributes.h"
#include "engine/transitions.h"
#include "engine/unserved.h"
#include "engine/wake_times.h"
#include "history/cron.h"
#include "history/priority.h"
#include "history/retry.h"
#include "history/workflow_task.h"
#include "matching/task_queues.h"

namespace holdfast::engine {

namespace lifecycle = history::lifecycle;
namespace wt = history::workflow_task;

Status Starter::check(const ws::StartWorkflowExecutionRequest& request) const {
  const auto longest = static_cast<std::size_t>(limits_.execution.id_bytes);
  if (request.workflow_id().empty()) return errors::invalid("WorkflowId is not set on request.");
  if (request.workflow_id().size() > longest) return errors::invalid("WorkflowId length exceeds limit.");
  if (request.workflow_type().name().empty()) return errors::invalid("WorkflowType is not set on request.");
  if (request.workflow_type().name().size() > longest) {
    return errors::invalid("WorkflowType length exceeds limit.");
  }
  if (!request.has_task_queue()) return errors::invalid("taskQueue is not set");
  if (request.task_queue().name().empty()) return errors::invalid("missing task queue name");
  if (request.task_queue().name().size() > longest) {
    return errors::invalid("taskQueue length exceeds limit");
  }
  if (request.request_id().size() > longest) return errors::invalid("RequestId length exceeds limit.");
  if (history::to_ns(request.workflow_execution_timeout()) < 0) {
    return errors::invalid(
        "An invalid WorkflowExecutionTimeoutSeconds is set on request. cause: negative duration");
  }
  if (history::to_ns(request.workflow_run_timeout()) < 0) {
    return errors::invalid(
        "An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration");
  }
  if (history::to_ns(request.workflow_task_timeout()) < 0) {
    return errors::invalid(
        "An invalid WorkflowTaskTimeoutSeconds is set on request. cause: negative duration");
  }
  if (history::to_ns(request.workflow_start_delay()) < 0) {
    return errors::invalid(
        "An invalid WorkflowStartDelaySeconds is set on request. cause: negative duration");
  }
  if (!request.cron_schedule().empty() && request.has_workflow_start_delay()) {
    return errors::invalid("CronSchedule and WorkflowStartDelay may not be used together.");
  }
  if (request.has_retry_policy()) {
    if (std::string wrong = history::retry::problem(request.retry_policy()); !wrong.empty()) {
      return errors::invalid(std::move(wrong));
    }
  }
  if (std::string wrong = history::cron::problem(request.cron_schedule()); !wrong.empty()) {
    return errors::invalid(std::move(wrong));
  }
  if (std::string wrong = history::priority::problem(request.priority()); !wrong.empty()) {
    return errors::invalid(std::move(wrong));
  }
  using Reuse = enums::WorkflowIdReusePolicy;
  if (request.workflow_id_reuse_policy() == Reuse::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING &&
      request.workflow_id_conflict_policy() != enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED) {
    return errors::invalid(
        "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be "
        "used together with a WorkflowIDConflictPolicy");
  }
  if (request.workflow_id_reuse_policy() == enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE &&
      request.workflow_id_conflict_policy() == enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING) {
    return errors::invalid(
        "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used "
        "together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING");
  }
  if (Status wrong = unserved::in_start(request); !wrong.ok()) return wrong;
  if (Status wrong = check_links(request.links()); !wrong.ok()) return wrong;
  if (static_cast<std::int64_t>(request.input().ByteSizeLong()) > limits_.execution.blob_bytes) {
    return errors::invalid("Blob data size exceeds limit: the input may have " +
                           std::to_string(limits_.execution.blob_bytes) + " bytes.");
  }
  if (static_cast<std::int64_t>(request.memo().ByteSizeLong()) > limits_.execution.memo_bytes) {
    return errors::invalid("Memo size exceeds limit of " + std::to_string(limits_.execution.memo_bytes) +
                           " bytes.");
  }
  return Status();
}

Status Starter::check_room() const {
  if (wakes_.bytes() + queues_.bytes() < limits_.waiting_bytes) return Status();
  return errors::exhausted(
      "Too many executions wait for a worker or for a time; start another when some of them are done, or "
      "give "
      "the server more memory.",
      enums::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED);
}

Status Starter::check_attributes(const stored::NamespaceRecord& record,
                                 ws::StartWorkflowExecutionRequest* request) const {
  if (!request->has_search_attributes()) return Status();
  return check_search_attributes(record, limits_.execution, request->mutable_search_attributes());
}

// Takes the request apart.
lifecycle::StartInput Starter::input_of(const stored::NamespaceRecord& record,
                                        ws::StartWorkflowExecutionRequest* request) {
  lifecycle::StartInput input;
  input.namespace_id = record.id();
  input.workflow_id = request->workflow_id();
  input.run_id = ids_.next();
  input.request_id = request->request_id();
  input.namespace_retention_ns = record.retention_ns();
  auto& attributes = input.attributes;
  attributes.mutable_workflow_type()->Swap(request->mutable_workflow_type());
  attributes.mutable_task_queue()->set_name(request->task_queue().name());
  if (request->has_input()) attributes.mutable_input()->Swap(request->mutable_input());
  *attributes.mutable_workflow_execution_timeout() = request->workflow_execution_timeout();
  *attributes.mutable_workflow_run_timeout() = request->workflow_run_timeout();
  *attributes.mutable_workflow_task_timeout() = request->workflow_task_timeout();
  attributes.set_identity(request->identity());
  if (request->has_retry_policy()) attributes.mutable_retry_policy()->Swap(request->mutable_retry_policy());
  attributes.set_cron_schedule(request->cron_schedule());
  if (request->has_memo()) attributes.mutable_memo()->Swap(request->mutable_memo());
  if (request->has_search_attributes()) {
    attributes.mutable_search_attributes()->Swap(request->mutable_search_attributes());
  }
  if (request->has_header()) attributes.mutable_header()->Swap(request->mutable_header());
  if (request->has_continued_failure()) {
    attributes.mutable_continued_failure()->Swap(request->mutable_continued_failure());
  }
  if (request->has_last_completion_result()) {
    attributes.mutable_last_completion_result()->Swap(request->mutable_last_completion_result());
  }
  if (request->has_priority()) attributes.mutable_priority()->Swap(request->mutable_priority());
  if (request->has_user_metadata()) {
    input.user_metadata.Swap(request->mutable_user_metadata());
    input.has_user_metadata = true;
  }
  input.first_task_backoff_ns = history::to_ns(request->workflow_start_delay());
  if (!request->cron_schedule().empty()) {
    if (const auto due = history::cron::next(request->cron_schedule(), clock_.now(), clock_.now())) {
      input.first_task_backoff_ns = *due - clock_.now();
    }
    attributes.set_initiator(enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
  }
  attributes.set_eager_execution_accepted(request->request_eager_execution() &&
                                          input.first_task_backoff_ns == 0);
  input.links.Swap(request->mutable_links());
  return input;
}

// What a start means for the workflow id's last run; nothing: a new run starts.
Result<std::optional<Starter::Outcome>> Starter::meet_existing(
    const stored::NamespaceRecord& record, const ws::StartWorkflowExecutionRequest& request,
    const stored::CurrentRun& row) {
  static const std::string kAnyChain;
  Outcome outcome;
  outcome.run_id = row.run_id();
  outcome.first_run_id = row.first_run_id();
  outcome.status = row.status();
  if (row.create_request_id() == request.request_id()) {
    // The run it started, also when others have followed that one.
    outcome.run_id = row.first_run_id();
    outcome.started = true;
    outcome.deduplicated = true;
    return outcome;
  }
  switch (lifecycle::decide(row.status(), request.workflow_id_reuse_policy(),
                            request.workflow_id_conflict_policy())) {
    case lifecycle::StartDecision::kRefuse:
      return fail(errors::already_started(request.workflow_id(), row, request.workflow_id_reuse_policy()));
    case lifecycle::StartDecision::kUseExisting: {
      auto existing = cache_.resolve(record.id(), {request.workflow_id(), row.run_id(), kAnyChain});
      if (!existing) return fail(std::move(existing.error()));
      outcome.run = *existing;
      return outcome;
    }
    case lifecycle::StartDecision::kTerminateAndStart: {
      auto old = cache_.resolve(record.id(), {request.workflow_id(), row.run_id(), kAnyChain});
      if (!old) return fail(std::move(old.error()));
      transitions_.terminate(**old, "TerminateIfRunning WorkflowIdReusePolicy", nullptr, "history-service");
      break;
    }
    case lifecycle::StartDecision::kStart: break;
  }
  return std::nullopt;
}

Result<Starter::Outcome> Starter::start(const stored::NamespaceRecord& record,
                                        ws::StartWorkflowExecutionRequest* request,
                                        const std::function<void(MutableState&)>& before_task) {
  if (Status wrong = check(*request); !wrong.ok()) return fail(std::move(wrong));
  if (Status wrong = check_attributes(record, request); !wrong.ok()) return fail(std::move(wrong));
  if (request->request_id().empty()) request->set_request_id(ids_.next());
  const auto row = cache_.current(record.id(), request->workflow_id());
  if (!row) return fail(row.error());
  // Of what takes the place of a run that waits there is no more than before.
  const bool replaces = *row && (*row)->status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
  if (*row) {
    auto known = meet_existing(record, *request, **row);
    if (!known) return fail(std::move(known.error()));
    if (*known) return std::move(**known);
  }
  if (Status full = replaces ? Status() : check_room(); !full.ok()) return fail(std::move(full));
  lifecycle::StartInput input = input_of(record, request);
  const bool eager = input.attributes.eager_execution_accepted();
  auto ms = lifecycle::start(std::move(input), clock_.now());
  Run& run = cache_.create(std::move(ms));
  Outcome outcome;
  outcome.run = &run;
  outcome.run_id = run.key.run_id;
  outcome.first_run_id = run.key.run_id;
  outcome.started = true;
  outcome.status = enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
  if (before_task) before_task(*run.ms);
  wt::schedule(*run.ms, clock_.now());
  if (eager) run.ms->effects().workflow_task = false;  // the caller takes it with the answer
  transitions_.finish(run);
  return outcome;
}

}  // namespace holdfast::engine
