#include "engine/update_handlers.h"

#include "engine/errors.h"
#include "engine/links.h"
#include "engine/new_ids.h"
#include "engine/options.h"
#include "engine/replies.h"
#include "engine/run_cache.h"
#include "engine/starter.h"
#include "engine/transitions.h"
#include "engine/unserved.h"
#include "engine/update_waiters.h"

namespace holdfast::engine {

using Stage = enums::UpdateWorkflowExecutionLifecycleStage;

namespace {

constexpr auto kAdmitted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
constexpr auto kAccepted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;

Status check_stage(const pb::update::v1::WaitPolicy& wait) {
  if (enums::UpdateWorkflowExecutionLifecycleStage_IsValid(wait.lifecycle_stage())) return {};
  return unserved::unknown_value("LifecycleStage", wait.lifecycle_stage());
}

// An update-with-start joins an update that is under way or has its outcome; one that its workflow left open
// when it closed is over, and the call starts a workflow as if it had never been.
bool can_join(MutableState& ms, const std::string& id) {
  if (ms.running() && ms.updates().find(id) != nullptr) return true;
  const auto* info = ms.update_by_id(id);
  return info != nullptr && (ms.running() || info->completed_event_id() != 0);
}

Status multi_operation_failed(Status start, Status update) {
  pb::errordetails::v1::MultiOperationExecutionFailure detail;
  for (Status* status : {&start, &update}) {
    auto& out = *detail.add_statuses();
    if (status->ok()) {
      out.set_code(static_cast<int>(Code::kAborted));
      out.set_message("Operation was aborted.");
      auto& any = *out.add_details();
      any.set_type_url("type.googleapis.com/" +
                       pb::failure::v1::MultiOperationExecutionAborted::descriptor()->full_name());
    } else {
      out.set_code(static_cast<int>(status->code()));
      out.set_message(status->message());
      for (const auto& typed : status->details()) {
        auto& any = *out.add_details();
        any.set_type_url(typed.type_url);
        any.set_value(typed.value);
      }
    }
  }
  const Status& cause = start.ok() ? update : start;
  return errors::with_detail(cause.code(), "Update-with-Start could not be executed. " + cause.message(),
                             detail);
}

// An operation may leave it to the request.
Status check_namespace(const auto& operation, const stored::NamespaceRecord& record) {
  if (operation.namespace_().empty() || operation.namespace_() == record.name()) return {};
  return errors::invalid("Operation namespace did not match request's namespace.");
}

// As the first of two operations.
Status check_start(const Starter& starter, const stored::NamespaceRecord& record,
                   ws::StartWorkflowExecutionRequest& start) {
  if (Status wrong = check_namespace(start, record); !wrong.ok()) return wrong;
  // Here too: a run that is joined is not started.
  if (Status wrong = unserved::in_start(start); !wrong.ok()) return wrong;
  if (!start.cron_schedule().empty()) return errors::invalid("CronSchedule is not allowed.");
  if (start.request_eager_execution()) return errors::invalid("RequestEagerExecution is not supported.");
  if (start.has_workflow_start_delay()) return errors::invalid("WorkflowStartDelay is not supported.");
  return starter.check_attributes(record, &start);
}

// As the second: it is about the run that the first one finds or makes.
Status check_joined(const stored::NamespaceRecord& record, const ws::StartWorkflowExecutionRequest& start,
                    const ws::UpdateWorkflowExecutionRequest& update) {
  if (Status wrong = check_namespace(update, record); !wrong.ok()) return wrong;
  if (start.workflow_id() != update.workflow_execution().workflow_id())
    return errors::invalid("WorkflowId is not consistent with previous operation(s).");
  if (!update.workflow_execution().run_id().empty()) return errors::invalid("RunId is not allowed.");
  if (!update.first_execution_run_id().empty()) return errors::invalid("FirstExecutionRunId is not allowed.");
  return {};
}

}  // namespace

Status UpdateHandlers::admit(Run& run, const ws::UpdateWorkflowExecutionRequest& request) {
  MutableState& ms = *run.ms;
  const std::string& id = request.request().meta().update_id();
  if (ms.updates().find(id) != nullptr || ms.update_by_id(id) != nullptr) return Status();  // sent twice
  if (!ms.running()) return errors::already_completed();
  const auto& limits = limits_.execution;
  if (static_cast<std::int64_t>(ms.updates().in_flight()) >= limits.updates_in_flight) {
    return errors::exhausted("limit on the number of concurrent in-flight updates has been reached: " +
                                 std::to_string(limits.updates_in_flight),
                             enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT);
  }
  if (ms.held().updates.size() >= limits.updates_total) {
    return Status(Code::kFailedPrecondition,
                  "limit on the total number of updates of a workflow execution has been "
                  "reached: " +
                      std::to_string(limits.updates_total) + "; continue as new.");
  }
  ms.updates().admit(request.request());
  return Status();
}

Status UpdateHandlers::check(ws::UpdateWorkflowExecutionRequest& request) {
  auto& update = *request.mutable_request();
  if (update.meta().update_id().size() > static_cast<std::size_t>(limits_.execution.id_bytes)) {
    return errors::invalid("UpdateId length exceeds limit.");
  }
  if (!update.has_input()) return errors::invalid("Update input is not set on request.");
  if (update.input().name().empty()) return errors::invalid("Update name is not set on request.");
  if (update.meta().update_id().empty()) update.mutable_meta()->set_update_id(ids_.next());
  if (static_cast<std::int64_t>(update.input().ByteSizeLong()) > limits_.execution.blob_bytes) {
    return errors::invalid("Blob data size exceeds limit: an update's arguments may have " +
                           std::to_string(limits_.execution.blob_bytes) + " bytes.");
  }
  if (request.wait_policy().lifecycle_stage() == kAdmitted) {
    return errors::permission_denied(
        "UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not supported.");
  }
  if (Status wrong = check_stage(request.wait_policy()); !wrong.ok()) return wrong;
  if (Status wrong = unserved::in_update(update); !wrong.ok()) return wrong;
  return check_links(update.links());
}

void UpdateHandlers::update(Call& call, ws::UpdateWorkflowExecutionRequest& request,
                            const stored::NamespaceRecord&, Run& run) {
  if (Status wrong = admit(run, request); !wrong.ok()) return replies_.send(call, std::move(wrong));
  const std::string id = request.request().meta().update_id();
  const Stage stage = request.wait_policy().lifecycle_stage();
  update_waiters_.wait(
      call, run, id,
      stage == enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED ? kAccepted : stage);
  carry(run);
}

Status UpdateHandlers::check_poll(const ws::PollWorkflowExecutionUpdateRequest& request) {
  if (request.update_ref().update_id().empty()) return errors::invalid("UpdateRef is not set on request.");
  return check_stage(request.wait_policy());
}

void UpdateHandlers::poll(Call& call, const ws::PollWorkflowExecutionUpdateRequest& request,
                          const stored::NamespaceRecord&, Run& run) {
  Stage stage = request.wait_policy().lifecycle_stage();
  const std::string id = request.update_ref().update_id();
  if (stage == enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED)
    stage = kAdmitted;  // as it is now
  update_waiters_.wait(call, run, id, stage);
}

// A workflow task that carries it, if none is on its way.
void UpdateHandlers::carry(Run& run) {
  if (run.ms->running() && run.ms->updates().has_unsent() && !run.ms->workflow_task_pending())
    transitions_.finish(run);
}

void UpdateHandlers::multi_operation(Call& call, ws::ExecuteMultiOperationRequest& request,
                                     const stored::NamespaceRecord& record) {
  if (request.operations_size() != 2 || !request.operations(0).has_start_workflow() ||
      !request.operations(1).has_update_workflow()) {
    return replies_.send(call, errors::invalid("Operations have to be exactly [Start, Update]."));
  }
  auto& start = *request.mutable_operations(0)->mutable_start_workflow();
  auto& update = *request.mutable_operations(1)->mutable_update_workflow();
  const auto refuse = [&](Status of_start, Status of_update) {
    replies_.send(call, multi_operation_failed(std::move(of_start), std::move(of_update)));
  };
  if (Status wrong = check_start(starter_, record, start); !wrong.ok())
    return refuse(std::move(wrong), Status());
  if (Status wrong = check_joined(record, start, update); !wrong.ok())
    return refuse(Status(), std::move(wrong));
  if (Status wrong = check(update); !wrong.ok()) return refuse(Status(), std::move(wrong));
  const std::string update_id = update.request().meta().update_id();
  // The update is known: the workflow was started before, and this call only attaches to it.
  Run* run = nullptr;
  auto started = std::make_unique<ws::StartWorkflowExecutionResponse>();
  const auto current = cache_.current(record.id(), start.workflow_id());
  if (!current) return refuse(current.error(), Status());
  if (const auto& row = *current) {
    Run* existing = cache_.find({record.id(), start.workflow_id(), row->run_id()});
    if (existing != nullptr && can_join(*existing->ms, update_id)) {
      run = existing;
      started->set_run_id(row->run_id());
      started->set_first_execution_run_id(row->first_run_id());
      started->set_started(row->create_request_id() == start.request_id());
      started->set_status(row->status());
    }
  }
  if (run == nullptr) {
    auto outcome =
        starter_.start(record, &start, [&](MutableState& ms) { ms.updates().admit(update.request()); });
    if (!outcome) return refuse(std::move(outcome.error()), Status());
    run = outcome->run;
    if (outcome->deduplicated) {
      // Sent again: the update went to the run that the call started, or is now for the chain's current one.
      Run* first = cache_.find({record.id(), start.workflow_id(), outcome->first_run_id});
      const auto row = cache_.current(record.id(), start.workflow_id());
      run = first != nullptr && can_join(*first->ms, update_id) ? first
            : row && *row ? cache_.find({record.id(), start.workflow_id(), (*row)->run_id()})
                          : nullptr;
    }
    if (run == nullptr) return refuse(Status(), errors::already_completed());
    if (!outcome->started || outcome->deduplicated) {
      if (Status wrong = admit(*run, update); !wrong.ok()) return refuse(Status(), std::move(wrong));
    }
    started->set_run_id(outcome->run_id);
    started->set_first_execution_run_id(outcome->first_run_id);
    started->set_started(outcome->started);
    started->set_status(outcome->status);
  }
  Stage stage = update.wait_policy().lifecycle_stage();
  if (stage == enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED) stage = kAccepted;
  // From here on it waits as the update does; both answers go out as one.
  call.done = [started = std::move(started),
               done = std::move(call.done)](Result<api::MessagePtr> result) mutable {
    if (!result) return done(fail(multi_operation_failed(Status(), std::move(result.error()))));
    auto response = std::make_unique<ws::ExecuteMultiOperationResponse>();
    response->add_responses()->mutable_start_workflow()->Swap(started.get());
    response->add_responses()->mutable_update_workflow()->Swap(
        static_cast<ws::UpdateWorkflowExecutionResponse*>(result->get()));
    done(api::MessagePtr(std::move(response)));
  };
  update_waiters_.wait(call, *run, update_id, stage);
  carry(*run);
}

}  // namespace holdfast::engine
