#include "sim/faulty_calls.h"

#include "api/messages.h"
#include "api/method_types.h"
#include "history/stored.h"

namespace holdfast::sim {
namespace {

using api::Method;

template <Method kMethod>
api::RequestOf<kMethod>& request_of(api::Message& message) {
  return static_cast<api::RequestOf<kMethod>&>(message);
}

template <Method kMethod>
const api::ResponseOf<kMethod>& response_of(const api::MessagePtr& message) {
  return static_cast<const api::ResponseOf<kMethod>&>(*message);
}

}  // namespace

void FaultyCalls::arrives(Method method, api::Message& request) {
  if (bug_ == PlantedBug::kLostDedup) return change_request_id(method, request);
  if (bug_ != PlantedBug::kStaleTokenAccepted) return;
  switch (method) {
    case Method::kRespondActivityTaskCompleted:
      return make_current(request_of<Method::kRespondActivityTaskCompleted>(request).mutable_task_token());
    case Method::kRespondActivityTaskFailed:
      return make_current(request_of<Method::kRespondActivityTaskFailed>(request).mutable_task_token());
    case Method::kRecordActivityTaskHeartbeat:
      return make_current(request_of<Method::kRecordActivityTaskHeartbeat>(request).mutable_task_token());
    case Method::kRespondWorkflowTaskCompleted:
      return make_current(request_of<Method::kRespondWorkflowTaskCompleted>(request).mutable_task_token());
    default: return;
  }
}

void FaultyCalls::leaves(Method method, const Result<api::MessagePtr>& answer) {
  if (bug_ != PlantedBug::kStaleTokenAccepted || !answer) return;
  if (method == Method::kPollActivityTaskQueue) {
    remember(response_of<Method::kPollActivityTaskQueue>(*answer).task_token());
  } else if (method == Method::kPollWorkflowTaskQueue) {
    remember(response_of<Method::kPollWorkflowTaskQueue>(*answer).task_token());
  }
}

void FaultyCalls::change_request_id(Method method, api::Message& request) {
  const std::string fresh = "arrival-" + std::to_string(++arrived_);
  if (method == Method::kStartWorkflowExecution) {
    request_of<Method::kStartWorkflowExecution>(request).set_request_id(fresh);
  } else if (method == Method::kSignalWorkflowExecution) {
    request_of<Method::kSignalWorkflowExecution>(request).set_request_id(fresh);
  }
}

void FaultyCalls::remember(const std::string& token) {
  history::stored::TaskToken parsed;
  if (token.empty() || !parsed.ParseFromString(token)) return;
  newest_[{parsed.run_id(), parsed.scheduled_event_id()}] = token;
}

void FaultyCalls::make_current(std::string* token) const {
  history::stored::TaskToken parsed;
  if (!parsed.ParseFromString(*token)) return;
  const auto found = newest_.find({parsed.run_id(), parsed.scheduled_event_id()});
  if (found != newest_.end()) *token = found->second;
}

}  // namespace holdfast::sim
