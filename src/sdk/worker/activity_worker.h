#pragma once

// ActivityWorker: polls activity tasks while a thread is free, runs each on a thread of its own, answers.
// Thread-safe.

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "api/messages.h"
#include "holdfast/worker.h"
#include "worker/courier.h"

namespace holdfast::worker {

// One attempt of an activity: what its context reaches.
class ActivityRun : public activity::Host, public std::enable_shared_from_this<ActivityRun> {
 public:
  ActivityRun(Courier& courier, std::string namespace_name, std::string identity, std::string task_token,
              Duration heartbeat_interval);

  void heartbeat(std::vector<Payload> details) override;
  bool is_cancelled() const override;
  bool wait_cancelled(Duration at_most) override;

  // By the engine, or because the worker stops.
  void cancel(bool by_engine);
  bool cancelled_by_engine() const;
  // No heartbeats from here on. Details that were not sent yet, if any.
  std::optional<std::vector<Payload>> finish();

  static constexpr Duration kDefaultInterval = std::chrono::seconds(30);

 private:
  void send_locked();
  void on_sent(Result<api::MessagePtr> result);
  void flush();

  Courier& courier_;
  const std::string namespace_name_;
  const std::string identity_;
  const std::string task_token_;
  const Duration interval_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool cancelled_ = false;  // guarded by mutex_, like the rest
  bool cancelled_by_engine_ = false;
  bool finished_ = false;
  bool in_flight_ = false;
  bool flush_planned_ = false;
  std::optional<MonotonicTime> last_sent_;
  std::optional<std::vector<Payload>> unsent_;
};

class ActivityWorker {
 public:
  ActivityWorker(const Registry& registry, const WorkerOptions& options, std::string identity,
                 std::string instance, Courier& courier, std::function<std::unique_ptr<Executor>()> threads);

  void start();
  // Waits for running activities, cancels them after `grace`, and waits for them to return.
  void stop(Duration grace);

 private:
  using Task = ws::PollActivityTaskQueueResponse;

  void poll_if_free();
  void on_poll(Result<api::MessagePtr> result);
  void dispatch(std::shared_ptr<Task> task);
  void run_on(Executor* thread, std::shared_ptr<Task> task);
  void execute(const Task& task);
  void run_function(const Task& task, ActivityRun& run, activity::Context& context);
  void respond_completed(const Task& task, Payload result);
  // In place of an answer that is too large to be sent. A `type` other than the one below, and that it may be
  // retried, come from the failure it stands for; what succeeded must not run again.
  void respond_too_large(const std::string& task_token, const std::string& what, const Status& error,
                         const std::string& type = kMessageTooLarge, bool non_retryable = true);
  static constexpr const char* kMessageTooLarge = "MessageTooLarge";
  void respond_failed(const Task& task, ActivityRun& run, const Failure& failure);
  void respond_canceled(const Task& task, const CanceledFailure& failure);

  const Registry& registry_;
  const WorkerOptions& options_;
  const std::string identity_;
  const std::string instance_;
  Courier& courier_;
  const std::function<std::unique_ptr<Executor>()> threads_;

  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t open_polls_ = 0;  // guarded by mutex_, like the rest
  std::size_t running_ = 0;
  std::set<ActivityRun*> runs_;
  std::vector<Executor*> idle_threads_;
  std::chrono::milliseconds poll_pause_{100};
  std::vector<std::unique_ptr<Executor>> all_threads_;  // last: they use the rest
};

}  // namespace holdfast::worker
