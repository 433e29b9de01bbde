#pragma once

// WorkflowWorker: polls workflow tasks, keeps recently used runs, answers. Everything but construction
// happens on its one executor, so runs are never touched by two threads. From a workflow task nothing goes
// anywhere but to the connection (law 3: the engine may hand tasks over before their cause is durable).

#include <deque>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "api/messages.h"
#include "holdfast/worker.h"
#include "worker/courier.h"
#include "worker/deadlock_watch.h"
#include "worker/workflow_run.h"

namespace holdfast::worker {

class WorkflowWorker {
 public:
  WorkflowWorker(const Registry& registry, const WorkerOptions& options, std::string identity,
                 std::string instance, std::string sticky_queue, Courier& courier,
                 std::unique_ptr<Executor> executor);

  // Begins to poll.
  void start();
  const std::string& sticky_queue() const { return sticky_queue_; }

  // A run that nothing was asked of for so long (half as long again at most) leaves memory: what waits for a
  // person or a day costs its rows. Its next task replays its history.
  static constexpr std::chrono::seconds kIdle{30};

  // Histories being read at one time; beyond, no more tasks are polled for.
  static constexpr std::size_t kMaxFetches = 64;

 private:
  using Task = ws::PollWorkflowTaskQueueResponse;
  // A task and what was read of its history so far.
  struct Job {
    std::unique_ptr<Task> task;
    Events events;
  };
  using JobPtr = std::shared_ptr<Job>;
  struct Entry {
    std::unique_ptr<WorkflowRun> run;
    std::list<std::string>::iterator recency;
    std::uint64_t used = 0;          // the sweep before its last use
    std::uint64_t answer = 0;        // the last one given
    bool answer_may_vanish = false;  // it may leave no trace in history: wait for the engine's word
    std::unique_ptr<Task> deferred;  // came while waiting for that word
  };

  void poll(bool sticky);
  void on_poll(bool sticky, Result<api::MessagePtr> result);
  void on_task(std::unique_ptr<Task> task);
  bool fits(const WorkflowRun& run, const Task& task) const;
  void fetch(JobPtr job, std::string page_token);
  void on_page(JobPtr job, Result<api::MessagePtr> result);
  void fetched(JobPtr job);
  void run_task(Entry* entry, const Task& task, const Events& events);
  void answer_query(Entry* entry, const Task& task, const TaskResult& result);
  void answer_completed(Entry* entry, const Task& task, TaskResult result);
  void answer_failed(const Task& task, const TaskFailure& failure);
  void send_failed(const std::string& task_token, const TaskFailure& failure);
  void answer_too_large(const std::string& run_id, const std::string& task_token, const Status& error);
  void on_answered(const std::string& run_id, std::uint64_t answer, Result<api::MessagePtr> result);
  pb::query::v1::WorkflowQueryResult ask(Entry* entry, const Task& task,
                                         const pb::query::v1::WorkflowQuery& query, const std::string& key);
  void report_deadlock(const Task& task);
  void log_failure(const Task& task, const std::string& message) const;

  Entry* find(const std::string& run_id);
  Entry* insert(const Task& task);
  void evict(const std::string& run_id);
  void trim();
  void sweep_later();
  void evict_idle();

  const Registry& registry_;
  const WorkerOptions& options_;
  const std::string identity_;
  const std::string instance_;
  const std::string sticky_queue_;
  Courier& courier_;

  std::unordered_map<std::string, Entry> runs_;  // by run id
  std::list<std::string> recency_;               // run ids, the most recently used first
  std::uint64_t sweeps_ = 0;                     // of idle runs, so far
  std::uint64_t answers_ = 0;
  std::size_t fetches_ = 0;
  std::deque<bool> owed_polls_;  // kinds of polls not made because of kMaxFetches
  std::chrono::milliseconds poll_pause_{100};
  DeadlockWatch watch_;
  std::unique_ptr<Executor> executor_;
};

}  // namespace holdfast::worker
