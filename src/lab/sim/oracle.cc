#include "sim/oracle.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>

namespace holdfast::sim {
namespace {

using api::Method;

template <typename T>
const T& as(const api::Message& message) {
  return static_cast<const T&>(message);
}

Events to_vector(const pb::history::v1::History& history) {
  return {history.events().begin(), history.events().end()};
}

// A first workflow task that is retried exists in answers only: what may still vanish from the end of a
// history.
void drop_transient(Events& events) {
  while (!events.empty() && (events.back().event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_STARTED ||
                             events.back().event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)) {
    events.pop_back();
  }
}

}  // namespace

std::string run_of(const Events& events) {
  return events.front().workflow_execution_started_event_attributes().original_execution_run_id();
}

std::string bytes_of(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

std::string text_of(const pb::common::v1::Payloads& payloads) {
  return payloads.payloads_size() == 0 ? std::string() : payloads.payloads(0).data();
}

pb::common::v1::Payloads payloads_of(const std::string& text) {
  pb::common::v1::Payloads payloads;
  auto& payload = *payloads.add_payloads();
  (*payload.mutable_metadata())["encoding"] = "binary/plain";
  payload.set_data(text);
  return payloads;
}

void Oracle::violation(const std::string& what) {
  if (violations_.size() < 20) violations_.push_back(what);
}

std::unique_ptr<Oracle::Note> Oracle::called(Method method, const api::Message& request) const {
  auto note = std::make_unique<Note>();
  switch (method) {
    case Method::kStartWorkflowExecution:
      note->workflow_id = as<ws::StartWorkflowExecutionRequest>(request).workflow_id();
      break;
    case Method::kSignalWorkflowExecution: {
      const auto& signal = as<ws::SignalWorkflowExecutionRequest>(request);
      note->workflow_id = signal.workflow_execution().workflow_id();
      note->key = text_of(signal.input());
      break;
    }
    case Method::kUpdateWorkflowExecution: {
      const auto& update = as<ws::UpdateWorkflowExecutionRequest>(request);
      note->workflow_id = update.workflow_execution().workflow_id();
      note->key = update.request().meta().update_id();
      break;
    }
    case Method::kRespondWorkflowTaskCompleted: {
      const auto& done = as<ws::RespondWorkflowTaskCompletedRequest>(request);
      note->key = done.identity();
      break;
    }
    case Method::kPollActivityTaskQueue:
      note->key = as<ws::PollActivityTaskQueueRequest>(request).identity();
      break;
    case Method::kRespondActivityTaskCompleted: {
      const auto& done = as<ws::RespondActivityTaskCompletedRequest>(request);
      note->token = done.task_token();
      note->key = done.identity();
      break;
    }
    case Method::kRespondActivityTaskFailed: {
      const auto& done = as<ws::RespondActivityTaskFailedRequest>(request);
      note->token = done.task_token();
      note->key = done.identity();
      break;
    }
    case Method::kRecordActivityTaskHeartbeat:
      note->token = as<ws::RecordActivityTaskHeartbeatRequest>(request).task_token();
      break;
    case Method::kGetWorkflowExecutionHistory:
      note->token = as<ws::GetWorkflowExecutionHistoryRequest>(request).next_page_token();
      break;
    default: break;
  }
  return note;
}

void Oracle::refused(Method method, const Note& note, const Status& error) {
  // Ids are used once here: whoever is told "already started" is told of his own start.
  if (method == Method::kStartWorkflowExecution && error.code() == Code::kAlreadyExists) {
    violation("start of " + note.workflow_id + " repeated with its request id: " + error.message());
  }
  // A worker that closes its run while a signal waits is told so as an invalid argument.
  const bool may_be_invalid = method == Method::kRespondWorkflowTaskCompleted;
  if (error.code() == Code::kInternal || (error.code() == Code::kInvalidArgument && !may_be_invalid)) {
    violation(std::string(api::method_name(method)) + ": " + error.to_string());
  }
}

void Oracle::answered(Method method, const std::unique_ptr<Note>& note, const Result<api::MessagePtr>& result,
                      bool in_process) {
  if (!result.has_value()) return refused(method, *note, result.error());
  // Workflow tasks may come and go in the process before they are durable: nobody outside has heard of them.
  if (in_process &&
      (method == Method::kPollWorkflowTaskQueue || method == Method::kRespondWorkflowTaskCompleted ||
       method == Method::kGetWorkflowExecutionHistory)) {
    return;
  }
  ++promises_;
  switch (method) {
    case Method::kStartWorkflowExecution:
      started_[note->workflow_id].insert(as<ws::StartWorkflowExecutionResponse>(**result).run_id());
      break;
    case Method::kSignalWorkflowExecution: signals_[note->workflow_id].insert(note->key); break;
    case Method::kUpdateWorkflowExecution: {
      const auto& update = as<ws::UpdateWorkflowExecutionResponse>(**result);
      if (update.has_outcome()) {
        const std::string outcome = text_of(update.outcome().success());
        auto& known = updates_[note->workflow_id];
        const auto [found, fresh] = known.emplace(note->key, outcome);
        if (!fresh && found->second != outcome) violation("update " + note->key + " has two outcomes");
      }
      break;
    }
    case Method::kPollWorkflowTaskQueue: {
      const auto& task = as<ws::PollWorkflowTaskQueueResponse>(**result);
      if (task.task_token().empty()) break;
      Events events = to_vector(task.history());
      drop_transient(events);
      see(task.workflow_execution().run_id(), events);
      break;
    }
    case Method::kRespondWorkflowTaskCompleted: completed_tasks_[note->key] = ""; break;
    case Method::kPollActivityTaskQueue:
      poll_answered(*note, as<ws::PollActivityTaskQueueResponse>(**result));
      break;
    case Method::kRespondActivityTaskCompleted:
    case Method::kRespondActivityTaskFailed: {
      const Handed& task = handed_[note->token];
      Activity& activity = activities_[{task.run_id, task.activity_id}];
      if (activity.over) violation("activity " + task.activity_id + " of " + task.run_id + " ended twice");
      if (method == Method::kRespondActivityTaskCompleted) {
        activity.over = true;
        activity_ends_[note->key] = task.run_id;
      } else {
        activity.failed_attempt = std::max(activity.failed_attempt, task.attempt);
      }
      break;
    }
    case Method::kRecordActivityTaskHeartbeat: {
      const Handed& task = handed_[note->token];
      Activity& activity = activities_[{task.run_id, task.activity_id}];
      activity.heartbeat = true;
      break;
    }
    case Method::kGetWorkflowExecutionHistory:
      if (note->token.empty()) {
        Events events = to_vector(as<ws::GetWorkflowExecutionHistoryResponse>(**result).history());
        drop_transient(events);
        if (!events.empty()) see(run_of(events), events);
      }
      break;
    default: break;
  }
}

void Oracle::poll_answered(const Note& note, const ws::PollActivityTaskQueueResponse& task) {
  if (task.task_token().empty()) return;
  const std::string& run_id = task.workflow_execution().run_id();
  const std::string name = "activity " + task.activity_id() + " of " + run_id;
  const bool once = task.retry_policy().maximum_attempts() == 1;
  handed_[task.task_token()] = {run_id, task.activity_id(), task.attempt(), once};
  attempt_of_[note.key] = task.attempt();
  Activity& activity = activities_[{run_id, task.activity_id()}];
  if (activity.over) violation(name + " was handed out after its completion was acknowledged");
  if (task.attempt() <= activity.failed_attempt) violation(name + ": a failed attempt was handed out again");
  if (once && ++activity.handed_out > 1) violation(name + " may run once and was handed out twice");
  // Not which: a late heartbeat may overwrite a newer one.
  if (activity.heartbeat && text_of(task.heartbeat_details()).empty())
    violation(name + " lost the details of an acknowledged heartbeat");
}

void Oracle::undelivered(Method method, const std::string& poller, const api::Message& answer) {
  if (method == Method::kPollWorkflowTaskQueue) {
    gone_pollers_.insert(poller);
    return;
  }
  const auto found = handed_.find(as<ws::PollActivityTaskQueueResponse>(answer).task_token());
  if (found == handed_.end() || !found->second.once) return;
  --activities_[{found->second.run_id, found->second.activity_id}].handed_out;
}

// What was read before must still be there.
void Oracle::see(const std::string& run_id, const Events& events) {
  std::vector<std::string>& seen = seen_[run_id];
  for (const auto& event : events) {
    const auto index = static_cast<std::size_t>(event.event_id() - 1);
    std::string bytes = bytes_of(event);
    if (index < seen.size()) {
      if (seen[index] != bytes && !seen[index].empty()) {
        violation("event " + std::to_string(event.event_id()) + " of " + run_id +
                  " is not what was read before");
        return;
      }
      seen[index] = std::move(bytes);
    } else {
      seen.resize(index + 1);
      seen[index] = std::move(bytes);
    }
  }
}

void Oracle::judge_rest() {
  for (const auto& [identity, run] : completed_tasks_) {
    if (run.empty()) violation("the acknowledged workflow task completion of " + identity + " is lost");
  }
}

void Oracle::judge_absent(const std::string& workflow_id) {
  if (!started_[workflow_id].empty()) violation("the acknowledged start of " + workflow_id + " is lost");
}

void Oracle::judge(const std::string& workflow_id, const std::string& run_id, const Events& events,
                   bool first) {
  const std::set<std::string>& runs = started_[workflow_id];
  if (runs.size() > 1) violation(workflow_id + " was started twice");
  if (first && !runs.empty() && !runs.contains(run_id))
    violation(workflow_id + " is not the run that was acknowledged");
  see(run_id, events);
  if (seen_[run_id].size() > events.size()) violation("the end of the history of " + run_id + " is lost");
  judge_order(run_id, events);
  judge_workflow_tasks(run_id, events);
  judge_activities(run_id, events);
  judge_timers(run_id, events);
  judge_ends(run_id);
  // A signal that is repeated to the next run counts there: request ids are a run's own, as in Temporal.
  if (first) judge_messages(workflow_id, events);
}

void Oracle::judge_order(const std::string& run_id, const Events& events) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i].event_id() != static_cast<std::int64_t>(i + 1)) {
      violation("ids of " + run_id + " are not dense at " + std::to_string(i + 1));
      return;
    }
    const bool first = events[i].event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED;
    if (first != (i == 0)) violation(run_id + " does not begin with one Started event");
    const bool closes = events[i].event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED ||
                        events[i].event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW;
    if (closes && i + 1 != events.size()) violation(run_id + " goes on after its end");
  }
}

void Oracle::judge_workflow_tasks(const std::string& run_id, const Events& events) {
  std::set<std::string> identities;
  for (const auto& event : events) {
    if (event.event_type() != enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) continue;
    const auto& done = event.workflow_task_completed_event_attributes();
    const auto index = static_cast<std::size_t>(done.started_event_id() - 1);
    if (index >= events.size() || !events[index].has_workflow_task_started_event_attributes()) {
      violation("event " + std::to_string(event.event_id()) + " of " + run_id + " completes no started task");
      continue;
    }
    const auto& started = events[index].workflow_task_started_event_attributes();
    if (started.identity() != done.identity() && !gone_pollers_.contains(started.identity())) {
      violation("a workflow task of " + run_id + " started by " + started.identity() + " was completed by " +
                done.identity());
    }
    if (!identities.insert(done.identity()).second)
      violation("a workflow task of " + run_id + " was completed twice");
    if (const auto found = completed_tasks_.find(done.identity()); found != completed_tasks_.end())
      found->second = run_id;
  }
}

void Oracle::judge_activities(const std::string& run_id, const Events& events) {
  std::map<std::int64_t, const pb::history::v1::HistoryEvent*> scheduled;
  std::map<std::int64_t, const pb::history::v1::HistoryEvent*> started;
  std::set<std::int64_t> over;
  std::set<std::string> ids;
  const auto end = [&](std::int64_t id, const std::string& identity, bool by_worker) {
    const std::string name = "activity " + std::to_string(id) + " of " + run_id;
    if (!scheduled.contains(id)) violation(name + " ended without having been scheduled");
    if (!over.insert(id).second) violation(name + " has two terminal events");
    if (!by_worker) return;
    if (!started.contains(id)) {
      violation(name + " ended without having been started");
      return;
    }
    const auto& start = started[id]->activity_task_started_event_attributes();
    if (start.identity() != identity) {
      violation(name + " started by " + start.identity() + " was ended by " + identity);
    } else if (attempt_of_.contains(identity) && attempt_of_[identity] != start.attempt()) {
      violation(name + ": attempt " + std::to_string(start.attempt()) +
                " was ended with the token of attempt " + std::to_string(attempt_of_[identity]));
    }
    activity_ends_.erase(identity);
  };
  for (const auto& event : events) {
    switch (event.event_type()) {
      case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        scheduled[event.event_id()] = &event;
        if (!ids.insert(event.activity_task_scheduled_event_attributes().activity_id()).second) {
          violation("an activity of " + run_id + " is scheduled twice");
        }
        break;
      case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
        started[event.activity_task_started_event_attributes().scheduled_event_id()] = &event;
        break;
      case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED: {
        const auto& attributes = event.activity_task_completed_event_attributes();
        end(attributes.scheduled_event_id(), attributes.identity(), true);
        if (text_of(attributes.result()) != attributes.identity()) {
          violation("the result of activity " + std::to_string(attributes.scheduled_event_id()) + " of " +
                    run_id + " is another attempt's");
        }
        break;
      }
      case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED: {
        const auto& attributes = event.activity_task_failed_event_attributes();
        end(attributes.scheduled_event_id(), attributes.identity(), true);
        break;
      }
      case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
        end(event.activity_task_timed_out_event_attributes().scheduled_event_id(), "", false);
        break;
      default: break;
    }
  }
}

void Oracle::judge_timers(const std::string& run_id, const Events& events) {
  std::map<std::int64_t, std::int64_t> due;
  const auto ns = [](const google::protobuf::Timestamp& t) {
    return t.seconds() * 1'000'000'000 + t.nanos();
  };
  for (const auto& event : events) {
    if (event.has_timer_started_event_attributes()) {
      const auto& timeout = event.timer_started_event_attributes().start_to_fire_timeout();
      due[event.event_id()] = ns(event.event_time()) + timeout.seconds() * 1'000'000'000 + timeout.nanos();
    } else if (event.has_timer_fired_event_attributes()) {
      const std::int64_t id = event.timer_fired_event_attributes().started_event_id();
      if (!due.contains(id)) {
        violation("timer " + std::to_string(id) + " of " + run_id + " fired without being set, or twice");
      } else if (ns(event.event_time()) < due[id]) {
        violation("timer " + std::to_string(id) + " of " + run_id + " fired early");
      }
      due.erase(id);
    }
  }
}

void Oracle::judge_ends(const std::string& run_id) {
  for (const auto& [identity, run] : activity_ends_) {
    if (run == run_id)
      violation("acknowledged completion " + identity + " of an activity of " + run_id + " is lost");
  }
}

void Oracle::judge_messages(const std::string& workflow_id, const Events& events) {
  std::set<std::string> signals;
  std::map<std::int64_t, std::string> accepted;
  std::map<std::string, std::string> outcomes;
  for (const auto& event : events) {
    if (event.has_workflow_execution_signaled_event_attributes()) {
      const std::string key = text_of(event.workflow_execution_signaled_event_attributes().input());
      if (!signals.insert(key).second) violation("signal " + key + " of " + workflow_id + " counts twice");
    } else if (event.has_workflow_execution_update_accepted_event_attributes()) {
      const auto& attributes = event.workflow_execution_update_accepted_event_attributes();
      const std::string& id = attributes.protocol_instance_id();
      for (const auto& [other, name] : accepted) {
        if (name == id) violation("update " + id + " of " + workflow_id + " is accepted twice");
      }
      accepted[event.event_id()] = id;
    } else if (event.has_workflow_execution_update_completed_event_attributes()) {
      const auto& attributes = event.workflow_execution_update_completed_event_attributes();
      const std::string& id = attributes.meta().update_id();
      if (!accepted.contains(attributes.accepted_event_id()))
        violation("update " + id + " completed, not accepted");
      if (!outcomes.emplace(id, text_of(attributes.outcome().success())).second) {
        violation("update " + id + " of " + workflow_id + " is completed twice");
      }
    }
  }
  for (const std::string& key : signals_[workflow_id]) {
    if (!signals.contains(key)) violation("acknowledged signal " + key + " of " + workflow_id + " is lost");
  }
  for (const auto& [id, outcome] : updates_[workflow_id]) {
    if (!outcomes.contains(id)) {
      violation("answered update " + id + " of " + workflow_id + " is lost");
    } else if (outcomes[id] != outcome) {
      violation("update " + id + " of " + workflow_id + " was answered with another outcome");
    }
  }
}

}  // namespace holdfast::sim
