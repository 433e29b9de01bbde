#include "engine/update_waiters.h"

#include <algorithm>

#include "engine/core_clock.h"
#include "engine/errors.h"
#include "engine/history_reader.h"
#include "engine/options.h"
#include "engine/parked_calls.h"
#include "engine/replies.h"
#include "engine/run_cache.h"
#include "history/update.h"

namespace holdfast::engine {

using history::UpdateStage;
using Stage = UpdateWaiters::Stage;

namespace {

constexpr auto kAdmitted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
constexpr auto kAccepted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
constexpr auto kCompleted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;

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

bool UpdateWaiters::answer(Parked& parked, Run& run, bool deadline) {
  MutableState& ms = *run.ms;
  const auto answer = [&](Stage stage, const pb::update::v1::Outcome* outcome) {
    const bool poll = parked.call.method == api::Method::kPollWorkflowExecutionUpdate;
    replies_.send(
        parked.call,
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
      replies_.send(parked.call, errors::update_aborted());
      return true;
    }
    if (parked.stage == kAdmitted || deadline) return answer(kAdmitted, nullptr);
    return false;
  }
  if (const auto* info = ms.update_by_id(parked.update_id)) {
    if (info->completed_event_id() != 0) {
      pb::update::v1::Outcome outcome;
      const bool read = reader_.visit(run, info->completed_event_id(), [&outcome](const Event& event) {
        outcome = event.workflow_execution_update_completed_event_attributes().outcome();
      });
      if (!read) {
        replies_.send(parked.call, errors::event_is_missing(run.key.run_id, info->completed_event_id()));
        return true;
      }
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
  replies_.send(parked.call, errors::not_found("update \"" + parked.update_id + "\" not found"));
  return true;
}

bool UpdateWaiters::look(Run& run, CallId& next, int& left) {
  for (auto waiter = run.update_waiters.lower_bound(next); waiter != run.update_waiters.end(); --left) {
    next = *waiter;
    if (left == 0) return false;
    Parked* parked = parked_.find(next);
    if (parked != nullptr && !answer(*parked, run, false)) {
      ++waiter;
      continue;
    }
    parked_.take(next);
    waiter = run.update_waiters.erase(waiter);
  }
  return true;
}

void UpdateWaiters::notify(Run& run) {
  CallId next = 0;
  int left = kAtOnce;
  if (look(run, next, left)) {
    woken_.erase(run.key);
  } else {
    woken_[run.key] = next;
  }
}

int UpdateWaiters::answer_woken(int most, RunCache& cache) {
  int left = most;
  while (left > 0 && !woken_.empty()) {
    const auto first = woken_.begin();
    Run* run = cache.find(first->first);  // who is waited for stays there
    if (run == nullptr || look(*run, first->second, left)) woken_.erase(first);
  }
  return most - left;
}

void UpdateWaiters::follow(Run& run, Run& next) {
  for (CallId id : run.update_waiters) {
    Parked* parked = parked_.find(id);
    if (parked == nullptr) continue;
    const auto* update = run.ms->updates().find(parked->update_id);
    if (update == nullptr || update->stage > history::UpdateStage::kSent) continue;
    parked->run = next.key;
    next.update_waiters.insert(id);
  }
  for (CallId id : next.update_waiters) run.update_waiters.erase(id);
}

void UpdateWaiters::wait(Call& call, Run& run, const std::string& update_id, Stage stage) {
  Parked parked;
  parked.kind = Parked::Kind::kUpdate;
  parked.run = run.key;
  parked.update_id = update_id;
  parked.stage = stage;
  parked.deadline_ns = clock_.deadline_of(call.options, limits_.update_poll_ns);
  if (call.options.deadline)
    parked.deadline_ns = std::min(parked.deadline_ns, clock_.now() + limits_.update_poll_ns);
  parked.call = std::move(call);
  if (answer(parked, run, false)) return;
  if (parked_.full_of_waits()) {
    return replies_.send(parked.call, errors::exhausted("Too many calls wait; try again later.",
                                                        enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT));
  }
  run.update_waiters.insert(parked_.park(std::move(parked)));
}

}  // namespace holdfast::engine
