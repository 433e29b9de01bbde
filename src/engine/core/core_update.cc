// Updates: admission, waiting for a stage, outcomes; and update-with-start.

#include "engine/core_impl.h"
#include "history/lifecycle.h"
#include "history/update.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace wt = history::workflow_task;
using history::UpdateStage;
using Stage = enums::UpdateWorkflowExecutionLifecycleStage;

namespace {

constexpr auto kAdmitted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
constexpr auto kAccepted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
constexpr auto kCompleted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;

const stored::UpdateInfo* stored_update(const MutableState& ms, const std::string& id) {
  for (int i = ms.s().updates_size() - 1; i >= 0; --i) {
    if (ms.s().updates(i).update_id() == id) return &ms.s().updates(i);
  }
  return nullptr;
}

// An update-with-start joins an update that is under way or has its outcome; one that its workflow left open
// when it closed is over, and the call starts a workflow as if it had never been.
bool can_join(MutableState& ms, const std::string& id) {
  if (ms.running() && ms.updates().find(id) != nullptr) return true;
  const auto* info = stored_update(ms, id);
  return info != nullptr && (ms.running() || info->completed_event_id() != 0);
}

template <typename Response>
api::MessagePtr make_response(const Run& run, const std::string& update_id, Stage stage,
                              const pb::update::v1::Outcome* outcome) {
  auto response = std::make_unique<Response>();
  auto& ref = *response->mutable_update_ref();
  ref.mutable_workflow_execution()->set_workflow_id(run.key.workflow_id);
  ref.mutable_workflow_execution()->set_run_id(run.key.run_id);
  ref.set_update_id(update_id);
  response->set_stage(stage);
  if (outcome != nullptr) *response->mutable_outcome() = *outcome;
  return response;
}

}  // namespace

// True when the caller has its answer.
bool EngineCore::Impl::answer_update(Parked& parked, Run& run, bool deadline) {
  MutableState& ms = *run.ms;
  const auto answer = [&](Stage stage, const pb::update::v1::Outcome* outcome) {
    const bool poll = parked.call.method == api::Method::kPollWorkflowExecutionUpdate;
    reply(parked.call,
          poll ? make_response<ws::PollWorkflowExecutionUpdateResponse>(run, parked.update_id, stage, outcome)
               : make_response<ws::UpdateWorkflowExecutionResponse>(run, parked.update_id, stage, outcome));
    return true;
  };
  if (const auto* update = ms.updates().find(parked.update_id)) {
    if (update->outcome) return answer(kCompleted, &*update->outcome);
    if (update->stage == UpdateStage::kAccepted) {
      if (parked.stage == kCompleted && !deadline && ms.running()) return false;
      return answer(kAccepted, nullptr);
    }
    if (!ms.running()) {
      reply(parked.call, errors::already_completed());
      return true;
    }
    if (parked.stage == kAdmitted || deadline) return answer(kAdmitted, nullptr);
    return false;
  }
  if (const auto* info = stored_update(ms, parked.update_id)) {
    if (info->completed_event_id() != 0) {
      pb::update::v1::Outcome outcome;
      visit_event(run, info->completed_event_id(), [&outcome](const Event& event) {
        outcome = event.workflow_execution_update_completed_event_attributes().outcome();
      });
      return answer(kCompleted, &outcome);
    }
    if (!ms.running()) {
      pb::update::v1::Outcome outcome;
      *outcome.mutable_failure() = history::update::completed_workflow_failure();
      return answer(kCompleted, &outcome);
    }
    if (parked.stage == kCompleted && !deadline) return false;
    return answer(kAccepted, nullptr);
  }
  reply(parked.call, errors::not_found("update \"" + parked.update_id + "\" not found"));
  return true;
}

void EngineCore::Impl::answer_update_waiters(Run& run) {
  const auto waiters = run.update_waiters;
  for (CallId id : waiters) {
    const auto found = parked_.find(id);
    if (found == parked_.end()) {
      run.update_waiters.erase(id);
      continue;
    }
    if (answer_update(found->second, run, false)) {
      parked_deadlines_.erase({found->second.deadline_ns, id});
      parked_.erase(found);
      run.update_waiters.erase(id);
    }
  }
}

Status EngineCore::Impl::admit_update(Run& run, const ws::UpdateWorkflowExecutionRequest& request) {
  MutableState& ms = *run.ms;
  const std::string& id = request.request().meta().update_id();
  if (ms.updates().find(id) != nullptr || stored_update(ms, id) != nullptr) return Status();  // sent twice
  if (!ms.running()) return errors::already_completed();
  const auto& limits = options_.limits.execution;
  if (static_cast<std::int64_t>(ms.updates().in_flight()) >= limits.updates_in_flight) {
    return errors::exhausted("limit on the number of concurrent in-flight updates has been reached: " +
                                 std::to_string(limits.updates_in_flight),
                             enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT);
  }
  if (ms.s().updates_size() >= limits.updates_total) {
    return Status(Code::kFailedPrecondition,
                  "limit on the total number of updates of a workflow execution has been "
                  "reached: " +
                      std::to_string(limits.updates_total) + "; continue as new.");
  }
  ms.updates().admit(request.request());
  return Status();
}

Status EngineCore::Impl::check_update(ws::UpdateWorkflowExecutionRequest& request) {
  auto& update = *request.mutable_request();
  if (update.input().name().empty()) return errors::invalid("Update name is not set on request.");
  if (update.meta().update_id().empty()) update.mutable_meta()->set_update_id(new_id());
  if (update.meta().update_id().size() > static_cast<std::size_t>(options_.limits.execution.id_bytes)) {
    return errors::invalid("UpdateID length exceeds limit of 1000 bytes.");
  }
  if (static_cast<std::int64_t>(update.input().ByteSizeLong()) > options_.limits.execution.blob_bytes) {
    return errors::invalid("Blob data size exceeds limit: an update's arguments may have " +
                           std::to_string(options_.limits.execution.blob_bytes) + " bytes.");
  }
  if (request.wait_policy().lifecycle_stage() == kAdmitted) {
    return Status(Code::kInvalidArgument,
                  "Waiting for the stage ADMITTED is not supported; wait for ACCEPTED.");
  }
  return Status();
}

void EngineCore::Impl::wait_for_update(Call& call, Run& run, const std::string& update_id, Stage stage) {
  Parked parked;
  parked.kind = Parked::Kind::kUpdate;
  parked.run = run.key;
  parked.update_id = update_id;
  parked.stage = stage;
  parked.deadline_ns = call_deadline(call, options_.limits.update_poll_ns);
  if (call.options.deadline)
    parked.deadline_ns = std::min(parked.deadline_ns, now_ + options_.limits.update_poll_ns);
  parked.call = std::move(call);
  if (answer_update(parked, run, false)) return;
  if (parked_.size() >= options_.limits.parked_polls) {
    return reply(parked.call, errors::exhausted("Too many calls wait; try again later.",
                                                enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT));
  }
  run.update_waiters.insert(park(std::move(parked)));
}

void EngineCore::Impl::update(Call& call, ws::UpdateWorkflowExecutionRequest& request,
                              const stored::NamespaceRecord&, Run& run) {
  if (Status wrong = admit_update(run, request); !wrong.ok()) return reply(call, std::move(wrong));
  const std::string id = request.request().meta().update_id();
  const Stage stage = request.wait_policy().lifecycle_stage();
  wait_for_update(call, run, id,
                  stage == enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED ? kAccepted : stage);
  // A workflow task that carries it, if none is on its way.
  if (run.ms->running() && run.ms->updates().has_unsent() && !run.ms->workflow_task_pending()) finish(run);
}

Status EngineCore::Impl::check_poll_update(const ws::PollWorkflowExecutionUpdateRequest& request) const {
  if (request.update_ref().update_id().empty()) return errors::invalid("UpdateRef is not set on request.");
  return Status();
}

void EngineCore::Impl::poll_update(Call& call, const ws::PollWorkflowExecutionUpdateRequest& request,
                                   const stored::NamespaceRecord&, Run& run) {
  Stage stage = request.wait_policy().lifecycle_stage();
  const std::string id = request.update_ref().update_id();
  if (stage == enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED)
    stage = kAdmitted;  // as it is now
  wait_for_update(call, run, id, stage);
}

namespace {

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
  return errors::with_detail(cause.code(), "Update-with-Start could not be executed: " + cause.message(),
                             detail);
}

}  // namespace

void EngineCore::Impl::multi_operation(Call& call, ws::ExecuteMultiOperationRequest& request,
                                       const stored::NamespaceRecord& record) {
  if (request.operations_size() != 2 || !request.operations(0).has_start_workflow() ||
      !request.operations(1).has_update_workflow()) {
    return reply(call, errors::invalid("Operations have to be exactly [Start, Update]."));
  }
  auto& start = *request.mutable_operations(0)->mutable_start_workflow();
  auto& update = *request.mutable_operations(1)->mutable_update_workflow();
  const auto refuse = [&](Status of_start, Status of_update) {
    reply(call, multi_operation_failed(std::move(of_start), std::move(of_update)));
  };
  if (start.workflow_id() != update.workflow_execution().workflow_id()) {
    return refuse(Status(), errors::invalid("WorkflowId is not consistent with previous operation(s)."));
  }
  if (!start.cron_schedule().empty() || start.request_eager_execution() || start.has_workflow_start_delay()) {
    return refuse(
        errors::invalid("CronSchedule, RequestEagerExecution and WorkflowStartDelay are not allowed."),
        Status());
  }
  if (Status wrong = check_update(update); !wrong.ok()) return refuse(Status(), std::move(wrong));
  const std::string update_id = update.request().meta().update_id();
  // The update is known: the workflow was started before, and this call only attaches to it.
  Run* run = nullptr;
  auto started = std::make_unique<ws::StartWorkflowExecutionResponse>();
  if (const auto row = current(record.id(), start.workflow_id())) {
    Run* existing = find({record.id(), start.workflow_id(), row->run_id()});
    if (existing != nullptr && can_join(*existing->ms, update_id)) {
      run = existing;
      started->set_run_id(row->run_id());
      started->set_first_execution_run_id(row->first_run_id());
      started->set_started(row->create_request_id() == start.request_id());
      started->set_status(row->status());
    }
  }
  if (run == nullptr) {
    Status refused;
    auto outcome =
        start_execution(record, &start, [&](MutableState& ms) { ms.updates().admit(update.request()); });
    if (!outcome) return refuse(std::move(outcome.error()), Status());
    run = outcome->run != nullptr ? outcome->run : find({record.id(), start.workflow_id(), outcome->run_id});
    if (!outcome->started || outcome->deduplicated) {
      refused = admit_update(*run, update);
      if (!refused.ok()) return refuse(Status(), std::move(refused));
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
  wait_for_update(call, *run, update_id, stage);
  if (run->ms->running() && run->ms->updates().has_unsent() && !run->ms->workflow_task_pending())
    finish(*run);
}

}  // namespace holdfast::engine
