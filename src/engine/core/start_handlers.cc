#include "engine/start_handlers.h"

#include "engine/core_clock.h"
#include "engine/errors.h"
#include "engine/new_ids.h"
#include "engine/options.h"
#include "engine/replies.h"
#include "engine/run_cache.h"
#include "engine/signals.h"
#include "engine/starter.h"
#include "engine/task_responses.h"
#include "engine/task_tokens.h"
#include "engine/transitions.h"
#include "history/lifecycle.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace lifecycle = history::lifecycle;
namespace wt = history::workflow_task;

namespace {

// The two parts move what only one of them needs out of the request.
ws::SignalWorkflowExecutionRequest signal_part(ws::SignalWithStartWorkflowExecutionRequest& request) {
  ws::SignalWorkflowExecutionRequest signal;
  signal.set_namespace_(request.namespace_());
  signal.set_signal_name(request.signal_name());
  if (request.has_signal_input()) signal.mutable_input()->Swap(request.mutable_signal_input());
  signal.set_identity(request.identity());
  signal.set_request_id(request.request_id());
  if (request.has_header()) *signal.mutable_header() = request.header();
  *signal.mutable_links() = request.links();
  return signal;
}

ws::StartWorkflowExecutionRequest start_part(ws::SignalWithStartWorkflowExecutionRequest& request) {
  ws::StartWorkflowExecutionRequest start;
  start.set_namespace_(request.namespace_());
  start.set_workflow_id(request.workflow_id());
  start.mutable_workflow_type()->Swap(request.mutable_workflow_type());
  start.mutable_task_queue()->Swap(request.mutable_task_queue());
  if (request.has_input()) start.mutable_input()->Swap(request.mutable_input());
  *start.mutable_workflow_execution_timeout() = request.workflow_execution_timeout();
  *start.mutable_workflow_run_timeout() = request.workflow_run_timeout();
  *start.mutable_workflow_task_timeout() = request.workflow_task_timeout();
  start.set_identity(request.identity());
  start.set_request_id(request.request_id());
  start.set_workflow_id_reuse_policy(request.workflow_id_reuse_policy());
  if (request.workflow_id_reuse_policy() != enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING) {
    start.set_workflow_id_conflict_policy(request.workflow_id_conflict_policy() ==
                                                  enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED
                                              ? enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
                                              : request.workflow_id_conflict_policy());
  }
  if (request.has_retry_policy()) start.mutable_retry_policy()->Swap(request.mutable_retry_policy());
  start.set_cron_schedule(request.cron_schedule());
  if (request.has_memo()) start.mutable_memo()->Swap(request.mutable_memo());
  if (request.has_search_attributes())
    start.mutable_search_attributes()->Swap(request.mutable_search_attributes());
  if (request.has_header()) start.mutable_header()->Swap(request.mutable_header());
  if (request.has_workflow_start_delay())
    *start.mutable_workflow_start_delay() = request.workflow_start_delay();
  if (request.has_user_metadata()) start.mutable_user_metadata()->Swap(request.mutable_user_metadata());
  if (request.has_priority()) start.mutable_priority()->Swap(request.mutable_priority());
  start.mutable_links()->Swap(request.mutable_links());
  if (request.has_versioning_override())
    start.mutable_versioning_override()->Swap(request.mutable_versioning_override());
  if (request.has_time_skipping_config())
    start.mutable_time_skipping_config()->Swap(request.mutable_time_skipping_config());
  return start;
}

}  // namespace

void StartHandlers::start(Call& call, ws::StartWorkflowExecutionRequest& request,
                          const stored::NamespaceRecord& record) {
  const bool eager = request.request_eager_execution();
  const std::string identity = request.identity();
  const std::string request_id = request.request_id().empty() ? ids_.next() : request.request_id();
  auto outcome = starter_.start(record, &request);
  if (!outcome) return replies_.send(call, std::move(outcome.error()));
  auto response = std::make_unique<ws::StartWorkflowExecutionResponse>();
  response->set_run_id(outcome->run_id);
  response->set_first_execution_run_id(outcome->first_run_id);
  response->set_started(outcome->started);
  response->set_status(outcome->status);
  auto& link = *response->mutable_link()->mutable_workflow_event();
  link.set_namespace_(request.namespace_());
  link.set_workflow_id(request.workflow_id());
  link.set_run_id(outcome->run_id);
  link.mutable_event_ref()->set_event_id(1);
  link.mutable_event_ref()->set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  if (eager && outcome->started && !outcome->deduplicated && outcome->run->ms->workflow_task_pending()) {
    Run& run = *outcome->run;
    wt::start(*run.ms, limits_.execution, clock_.now(),
              {.identity = identity, .request_id = request_id, .holder_epoch = tokens_.holder_epoch(call)});
    response->set_allocated_eager_workflow_task(responses_.workflow_task(run, false, false).release());
    cache_.touch(run);
  }
  replies_.send(call, std::move(response));
}

void StartHandlers::signal_with_start(Call& call, ws::SignalWithStartWorkflowExecutionRequest& request,
                                      const stored::NamespaceRecord& record) {
  if (request.workflow_id().empty())
    return replies_.send(call, errors::invalid("WorkflowId is not set on request."));
  if (request.workflow_id_conflict_policy() == enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL) {
    return replies_.send(
        call, errors::invalid("Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not "
                              "supported for this operation."));
  }
  const ws::SignalWorkflowExecutionRequest signal = signal_part(request);
  if (Status wrong = check_signal(signal, limits_.execution); !wrong.ok())
    return replies_.send(call, std::move(wrong));
  ws::StartWorkflowExecutionRequest start = start_part(request);

  if (!signal.request_id().empty()) {
    // A repeated call finds its signal wherever it went.
    const auto current = cache_.current(record.id(), request.workflow_id());
    if (!current) return replies_.send(call, current.error());
    if (const auto& row = *current) {
      Run* run = cache_.find({record.id(), request.workflow_id(), row->run_id()});
      if (run != nullptr && run->ms->signal_seen(signal.request_id())) {
        auto response = std::make_unique<ws::SignalWithStartWorkflowExecutionResponse>();
        response->set_run_id(row->run_id());
        response->set_first_execution_run_id(row->first_run_id());
        return replies_.send(call, std::move(response));
      }
    }
  }
  auto outcome = starter_.start(record, &start, [&](MutableState& ms) {
    // Started, signaled, then the workflow task: the signal is part of what the first task sees.
    lifecycle::signal(ms, clock_.now(), signal_attributes(signal), signal.links());
  });
  if (!outcome) return replies_.send(call, std::move(outcome.error()));
  if (outcome->deduplicated) {
    // Its request id has started a run. If with this call, the signal is there too, and may have been
    // followed by other runs; a start alone has brought no signal.
    const Run* first = cache_.find({record.id(), request.workflow_id(), outcome->first_run_id});
    if (first == nullptr || !first->ms->signal_seen(signal.request_id())) {
      const auto row = cache_.current(record.id(), request.workflow_id());
      if (!row) return replies_.send(call, row.error());
      outcome->run = *row ? cache_.find({record.id(), request.workflow_id(), (*row)->run_id()}) : nullptr;
      if (outcome->run == nullptr || !outcome->run->ms->running())
        return replies_.send(call, errors::already_completed());
      outcome->run_id = (*row)->run_id();
      outcome->started = false;
    }
  }
  if (!outcome->started) {
    if (Status full = check_signal_count(*outcome->run, limits_.execution); !full.ok())
      return replies_.send(call, std::move(full));
    lifecycle::signal(*outcome->run->ms, clock_.now(), signal_attributes(signal), signal.links(),
                      lifecycle::FirstWait::kEnded);
    transitions_.finish(*outcome->run);
  }
  auto response = std::make_unique<ws::SignalWithStartWorkflowExecutionResponse>();
  response->set_run_id(outcome->run_id);
  response->set_first_execution_run_id(outcome->first_run_id);
  response->set_started(outcome->started);
  replies_.send(call, std::move(response));
}

}  // namespace holdfast::engine
