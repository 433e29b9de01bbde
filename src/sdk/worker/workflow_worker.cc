#include "worker/workflow_worker.h"

#include <algorithm>

#include "client/call.h"
#include "client/convert.h"
#include "client/failure_converter.h"

namespace holdfast::worker {
namespace {

constexpr const char* kDirectQuery = "direct";
constexpr const char* kSdkName = "holdfast-cpp";
constexpr const char* kSdkVersion = "0.1.0";

template <typename Request>
std::unique_ptr<Request> about(const std::string& namespace_name, const std::string& task_token) {
  auto request = std::make_unique<Request>();
  request->set_namespace_(namespace_name);
  request->set_task_token(task_token);
  return request;
}

}  // namespace

WorkflowWorker::WorkflowWorker(const Registry& registry, const WorkerOptions& options, std::string identity,
                               std::string instance, std::string sticky_queue, Courier& courier,
                               std::unique_ptr<Executor> executor)
    : registry_(registry),
      options_(options),
      identity_(std::move(identity)),
      instance_(std::move(instance)),
      sticky_queue_(std::move(sticky_queue)),
      courier_(courier),
      watch_(courier, options.deadlock_timeout(), [this](const Task& task) { report_deadlock(task); }),
      executor_(std::move(executor)) {}

void WorkflowWorker::start() {
  for (std::size_t i = 0; i < std::max<std::size_t>(options_.workflow_pollers(), 1); ++i) {
    poll(false);
    if (options_.max_cached_workflows() > 0) poll(true);
  }
  if (options_.max_cached_workflows() > 0) sweep_later();
}

// ---- polling

void WorkflowWorker::poll(bool sticky) {
  auto request = std::make_unique<ws::PollWorkflowTaskQueueRequest>();
  request->set_namespace_(options_.namespace_name());
  request->set_identity(identity_);
  request->set_worker_instance_key(instance_);
  auto* queue = request->mutable_task_queue();
  if (sticky) {
    queue->set_name(sticky_queue_);
    queue->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    queue->set_normal_name(options_.task_queue());
  } else {
    queue->set_name(options_.task_queue());
    queue->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  }
  courier_.poll(api::Method::kPollWorkflowTaskQueue, std::move(request), options_.in_process(),
                executor_.get(),
                [this, sticky](Result<api::MessagePtr> result) { on_poll(sticky, std::move(result)); });
}

void WorkflowWorker::on_poll(bool sticky, Result<api::MessagePtr> result) {
  if (!result) {
    if (courier_.stopping()) return;
    const Code code = result.error().code();
    if (code == Code::kDeadlineExceeded || code == Code::kCancelled) {
      poll(sticky);
      return;
    }
    courier_.log(workflow::LogLevel::kWarn, "polling workflow tasks of \"" + options_.task_queue() +
                                                "\" failed and is repeated: " + result.error().to_string());
    poll_pause_ = std::min(poll_pause_ * 2, std::chrono::milliseconds(5000));
    courier_.later(poll_pause_, [this, sticky] { poll(sticky); });
    return;
  }
  poll_pause_ = std::chrono::milliseconds(100);
  std::unique_ptr<Task> task(static_cast<Task*>(result->release()));
  if (!task->task_token().empty()) on_task(std::move(task));
  // Behind the task: this thread runs one at a time, and the engine may be waiting for its answer.
  if (fetches_ < kMaxFetches) {
    poll(sticky);
  } else {
    owed_polls_.push_back(sticky);
  }
}

void WorkflowWorker::on_task(std::unique_ptr<Task> task) {
  const std::string run_id = task->workflow_execution().run_id();
  Entry* entry = find(run_id);
  if (entry != nullptr && entry->answer_may_vanish) {
    entry->deferred = std::move(task);
    return;
  }
  if (entry != nullptr && !fits(*entry->run, *task)) {
    evict(run_id);
    entry = nullptr;
  }
  if (entry != nullptr) {
    run_task(entry, *task, task->history().events());
    return;
  }
  auto job = std::make_shared<Job>();
  job->task = std::move(task);
  const auto& events = job->task->history().events();
  const bool from_the_start = !events.empty() && events[0].event_id() == 1;
  if (from_the_start) job->events.Swap(job->task->mutable_history()->mutable_events());
  if (from_the_start && job->task->next_page_token().empty()) {
    run_task(insert(*job->task), *job->task, job->events);
    return;
  }
  ++fetches_;
  fetch(job, from_the_start ? job->task->next_page_token() : std::string());
}

// A cached run goes on with this task if its history continues where the run stands.
bool WorkflowWorker::fits(const WorkflowRun& run, const Task& task) const {
  if (!task.next_page_token().empty()) return false;
  for (const HistoryEvent& event : task.history().events()) {
    if (event.event_id() <= run.last_event_id()) continue;
    if (event.event_id() != run.last_event_id() + 1) return false;
    return !run.awaits_completion() || event.event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED;
  }
  // Nothing new: only a query asks that way.
  return task.has_query();
}

// ---- whole histories

void WorkflowWorker::fetch(JobPtr job, std::string page_token) {
  auto request = std::make_unique<ws::GetWorkflowExecutionHistoryRequest>();
  request->set_namespace_(options_.namespace_name());
  *request->mutable_execution() = job->task->workflow_execution();
  request->set_next_page_token(std::move(page_token));
  courier_.call(api::Method::kGetWorkflowExecutionHistory, std::move(request), executor_.get(),
                [this, job](Result<api::MessagePtr> result) { on_page(job, std::move(result)); });
}

void WorkflowWorker::on_page(JobPtr job, Result<api::MessagePtr> result) {
  if (result) {
    auto* page = static_cast<ws::GetWorkflowExecutionHistoryResponse*>(result->get());
    for (auto& event : *page->mutable_history()->mutable_events()) job->events.Add()->Swap(&event);
    if (!page->next_page_token().empty()) {
      fetch(job, page->next_page_token());
      return;
    }
    fetched(job);
  } else {
    // Without its history the task cannot be answered; the engine gives it out again when it times out.
    log_failure(*job->task, "its history cannot be read: " + result.error().to_string());
  }
  --fetches_;
  if (!owed_polls_.empty()) {
    const bool sticky = owed_polls_.front();
    owed_polls_.pop_front();
    poll(sticky);
  }
}

void WorkflowWorker::fetched(JobPtr job) {
  const Task& task = *job->task;
  Events& events = job->events;
  const std::int64_t started = task.started_event_id();
  if (!task.has_query()) {
    // The history read may be newer than the task, or lack the task's own events, which need not be durable.
    while (!events.empty() && events[events.size() - 1].event_id() > started) events.RemoveLast();
    if (!events.empty() && events[events.size() - 1].event_id() == started - 2) {
      HistoryEvent* scheduled = events.Add();
      scheduled->set_event_id(started - 1);
      scheduled->set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
      *scheduled->mutable_event_time() = task.scheduled_time();
    }
    if (!events.empty() && events[events.size() - 1].event_id() == started - 1) {
      HistoryEvent* event = events.Add();
      event->set_event_id(started);
      event->set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
      *event->mutable_event_time() = task.started_time();
      event->mutable_workflow_task_started_event_attributes()->set_scheduled_event_id(started - 1);
    }
    if (events.empty() || events[events.size() - 1].event_id() != started) {
      log_failure(task, "its history has changed since the task was given out; the task is left alone");
      return;
    }
  }
  evict(task.workflow_execution().run_id());
  run_task(insert(task), task, events);
}

// ---- running and answering

void WorkflowWorker::run_task(Entry* entry, const Task& task, const Events& events) {
  if (task.has_query()) entry->run->expect_query(kDirectQuery, task.query());
  for (const auto& [id, query] : task.queries()) entry->run->expect_query(id, query);
  TaskResult result;
  bool stuck = false;
  {
    const DeadlockWatch::Turn turn(watch_, task, *entry->run);
    result = entry->run->apply(events, task.messages());
    stuck = turn.reported();
  }
  if (stuck) return evict(task.workflow_execution().run_id());  // the task is answered
  if (result.failure) log_failure(task, result.failure->failure.message());
  if (task.has_query()) {
    answer_query(entry, task, result);
  } else if (result.failure) {
    answer_failed(task, *result.failure);
  } else {
    answer_completed(entry, task, std::move(result));
    trim();
    return;
  }
  // A run that has ended answers only what it was told to expect: the next question replays it again.
  if (result.failure || entry->run->closed()) evict(task.workflow_execution().run_id());
  trim();
}

// Query handlers are workflow code, too.
pb::query::v1::WorkflowQueryResult WorkflowWorker::ask(Entry* entry, const Task& task,
                                                       const pb::query::v1::WorkflowQuery& query,
                                                       const std::string& key) {
  const DeadlockWatch::Turn turn(watch_, task, *entry->run);
  return entry->run->query(query, key);
}

// On the timers' thread; ours is taken.
void WorkflowWorker::report_deadlock(const Task& task) {
  const ApplicationFailure failure(
      "[TMPRL1101] potential deadlock: the code of workflow type \"" + task.workflow_type().name() +
          "\" has not yielded for " +
          std::to_string(options_.deadlock_timeout() / std::chrono::milliseconds(1)) +
          " ms; it loops without end or blocks. It ends where it uses its Context or awaits something; until "
          "then this worker runs no other workflow",
      kPotentialDeadlock);
  log_failure(task, failure.message());
  if (task.has_query()) {
    auto request = about<ws::RespondQueryTaskCompletedRequest>(options_.namespace_name(), task.task_token());
    request->set_completed_type(enums::QUERY_RESULT_TYPE_FAILED);
    request->set_error_message(failure.message());
    client::set_failure(failure, request->mutable_failure());
    courier_.call(api::Method::kRespondQueryTaskCompleted, std::move(request), nullptr,
                  [](Result<api::MessagePtr>) { /* the asker has gone */ });
    return;
  }
  if (task.attempt() > 1) return;  // as in answer_failed()
  auto request = about<ws::RespondWorkflowTaskFailedRequest>(options_.namespace_name(), task.task_token());
  request->set_identity(identity_);
  request->set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE);
  client::set_failure(failure, request->mutable_failure());
  courier_.deliver(api::Method::kRespondWorkflowTaskFailed, std::move(request), nullptr,
                   [](Result<api::MessagePtr>) { /* refused: it timed out */ });
}

void WorkflowWorker::answer_query(Entry* entry, const Task& task, const TaskResult& result) {
  auto request = about<ws::RespondQueryTaskCompletedRequest>(options_.namespace_name(), task.task_token());
  if (result.failure) {
    request->set_completed_type(enums::QUERY_RESULT_TYPE_FAILED);
    request->set_error_message(result.failure->failure.message());
    *request->mutable_failure() = result.failure->failure;
    request->set_cause(result.failure->cause);
  } else {
    auto answer = ask(entry, task, task.query(), kDirectQuery);
    request->set_completed_type(answer.result_type());
    request->set_error_message(answer.error_message());
    if (answer.has_answer()) request->mutable_query_result()->Swap(answer.mutable_answer());
    if (answer.has_failure()) request->mutable_failure()->Swap(answer.mutable_failure());
  }
  courier_.call(api::Method::kRespondQueryTaskCompleted, std::move(request), executor_.get(),
                [](Result<api::MessagePtr>) { /* the asker has gone */ });
}

void WorkflowWorker::answer_failed(const Task& task, const TaskFailure& failure) {
  // Later attempts are left to time out: the engine backs off between them, where a failure would be retried
  // at once.
  if (task.attempt() > 1) return;
  send_failed(task.task_token(), failure);
}

void WorkflowWorker::send_failed(const std::string& task_token, const TaskFailure& failure) {
  auto request = about<ws::RespondWorkflowTaskFailedRequest>(options_.namespace_name(), task_token);
  request->set_identity(identity_);
  request->set_cause(failure.cause);
  *request->mutable_failure() = failure.failure;
  courier_.deliver(api::Method::kRespondWorkflowTaskFailed, std::move(request), executor_.get(),
                   [](Result<api::MessagePtr>) { /* refused: it timed out, and comes again either way */ });
}

// The same code would give the same answer at every attempt: the engine is told so, and ends the run.
void WorkflowWorker::answer_too_large(const std::string& run_id, const std::string& task_token,
                                      const Status& error) {
  const ApplicationFailure failure(
      "the answer to a workflow task is too large to be sent: " + error.message() +
          "; start less at once, or pass references to what is large",
      "MessageTooLarge");
  courier_.log(workflow::LogLevel::kError, "run " + run_id + ": " + failure.message());
  TaskFailure answer;
  answer.cause = enums::WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE;
  client::set_failure(failure, &answer.failure);
  send_failed(task_token, answer);
}

void WorkflowWorker::answer_completed(Entry* entry, const Task& task, TaskResult result) {
  auto request = about<ws::RespondWorkflowTaskCompletedRequest>(options_.namespace_name(), task.task_token());
  request->set_identity(identity_);
  request->set_return_new_workflow_task(true);
  request->mutable_capabilities()->set_discard_speculative_workflow_task_with_events(true);
  request->mutable_sdk_metadata()->set_sdk_name(kSdkName);
  request->mutable_sdk_metadata()->set_sdk_version(kSdkVersion);
  for (auto& command : result.commands) request->add_commands()->Swap(&command);
  for (auto& message : result.messages) request->add_messages()->Swap(&message);
  for (const auto& [id, query] : task.queries())
    (*request->mutable_query_results())[id] = ask(entry, task, query, id);
  if (options_.max_cached_workflows() > 0) {
    auto* sticky = request->mutable_sticky_attributes();
    sticky->mutable_worker_task_queue()->set_name(sticky_queue_);
    sticky->mutable_worker_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    sticky->mutable_worker_task_queue()->set_normal_name(options_.task_queue());
    client::set_duration(options_.sticky_timeout(), sticky->mutable_schedule_to_start_timeout());
  }
  const std::uint64_t answer = ++answers_;
  entry->answer = answer;
  entry->answer_may_vanish = request->commands().empty() && !request->messages().empty();
  const std::string run_id = task.workflow_execution().run_id();
  const bool awaited = entry->answer_may_vanish;
  if (entry->run->closed()) evict(run_id);
  courier_.deliver(
      api::Method::kRespondWorkflowTaskCompleted, std::move(request), executor_.get(),
      [this, run_id, answer, token = task.task_token()](Result<api::MessagePtr> reply) {
        if (!reply && client::is_too_large(reply.error())) answer_too_large(run_id, token, reply.error());
        on_answered(run_id, answer, std::move(reply));
      },
      awaited);
}

void WorkflowWorker::on_answered(const std::string& run_id, std::uint64_t answer,
                                 Result<api::MessagePtr> result) {
  Entry* entry = find(run_id);
  if (entry != nullptr && entry->answer != answer) entry = nullptr;  // about an answer of long ago
  std::unique_ptr<Task> deferred;
  if (entry != nullptr) {
    entry->answer_may_vanish = false;
    deferred = std::move(entry->deferred);
  }
  if (!result) {
    courier_.log(workflow::LogLevel::kDebug, "run " + run_id +
                                                 ": the engine did not take the answer to a workflow task: " +
                                                 result.error().to_string());
    if (entry != nullptr) evict(run_id);
  } else {
    auto* reply = static_cast<ws::RespondWorkflowTaskCompletedResponse*>(result->get());
    if (reply->reset_history_event_id() != 0 && entry != nullptr) entry->run->forget_last_task();
    if (reply->has_workflow_task() && !reply->workflow_task().task_token().empty()) {
      on_task(std::unique_ptr<Task>(reply->release_workflow_task()));
    }
  }
  if (deferred) on_task(std::move(deferred));
}

void WorkflowWorker::log_failure(const Task& task, const std::string& message) const {
  courier_.log(workflow::LogLevel::kError, "workflow " + task.workflow_execution().workflow_id() + " run " +
                                               task.workflow_execution().run_id() +
                                               ": workflow task (attempt " + std::to_string(task.attempt()) +
                                               ") failed: " + message);
}

// ---- the cache

WorkflowWorker::Entry* WorkflowWorker::find(const std::string& run_id) {
  const auto found = runs_.find(run_id);
  if (found == runs_.end()) return nullptr;
  recency_.splice(recency_.begin(), recency_, found->second.recency);
  found->second.used = sweeps_;
  return &found->second;
}

WorkflowWorker::Entry* WorkflowWorker::insert(const Task& task) {
  const std::string& run_id = task.workflow_execution().run_id();
  recency_.push_front(run_id);
  Entry& entry = runs_[run_id];
  entry.recency = recency_.begin();
  entry.used = sweeps_;
  entry.run = std::make_unique<WorkflowRun>(registry_, options_.namespace_name(),
                                            task.workflow_execution().workflow_id(), run_id, options_.log());
  return &entry;
}

void WorkflowWorker::evict(const std::string& run_id) {
  const auto found = runs_.find(run_id);
  if (found == runs_.end()) return;
  recency_.erase(found->second.recency);
  runs_.erase(found);
}

void WorkflowWorker::trim() {
  while (runs_.size() > options_.max_cached_workflows()) {
    // One that waits for the engine's word stays; the next answer trims again.
    const auto oldest = std::find_if(recency_.rbegin(), recency_.rend(), [this](const std::string& id) {
      return !runs_.at(id).answer_may_vanish;
    });
    if (oldest == recency_.rend()) return;
    evict(std::string(*oldest));
  }
}

void WorkflowWorker::sweep_later() {
  courier_.later(kIdle / 2, [this] { executor_->post([this] { evict_idle(); }); });
}

// Three sweeps without a use are at least kIdle.
void WorkflowWorker::evict_idle() {
  ++sweeps_;
  for (auto at = recency_.end(); at != recency_.begin();) {
    --at;
    const Entry& entry = runs_.at(*at);
    if (entry.used + 3 > sweeps_) break;
    if (entry.answer_may_vanish) continue;
    runs_.erase(*at);
    at = recency_.erase(at);
  }
  sweep_later();
}

}  // namespace holdfast::worker
