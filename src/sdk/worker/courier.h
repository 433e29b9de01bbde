#pragma once

// Courier: the worker's calls on the connection. Counts what is under way, so that stopping can wait for it;
// repeats answers that did not reach the engine; cancels open polls when the worker stops. Thread-safe.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "api/connection.h"
#include "holdfast/environment.h"
#include "holdfast/worker.h"
#include "worker/timer_loop.h"

namespace holdfast::worker {

class Courier {
 public:
  // `in_process`: the engine is in this very process, and hears at once what it is told.
  Courier(api::Connection& connection, const Clock& clock, TimerLoop& timers, LogSink log,
          bool in_process = false);

  // How long an answer is repeated when the engine is not there.
  static constexpr std::chrono::seconds kAnswerPatience{60};
  static constexpr std::chrono::seconds kCallTimeout{10};

  using Done = std::move_only_function<void(Result<api::MessagePtr>)>;
  // Once; `executor` runs `done` (null: the connection's thread).
  void call(api::Method method, api::MessagePtr request, Executor* executor, Done done);
  // Until the engine has answered or patience ends. A message that is too large for the way ends at once
  // (client::is_too_large): `done` may then deliver a smaller answer. `awaited`: the worker goes on only with
  // the engine's word.
  void deliver(api::Method method, std::unique_ptr<google::protobuf::Message> request, Executor* executor,
               Done done, bool awaited = false);
  // A long poll; ends with kCancelled when the worker stops. False when it stops already: then `done` never
  // runs.
  bool poll(api::Method method, api::MessagePtr request, bool in_process_workflow_worker, Executor* executor,
            Done done);
  // `callback` runs unless the worker stops first; drain() waits for one that runs.
  void later(std::chrono::nanoseconds delay, std::move_only_function<void()> callback);

  // At once, also while the worker stops, on the timers' thread: for what must not run on the connection's
  // (the user's code, and what takes long). drain() waits for it.
  void soon(std::move_only_function<void()> callback);

  // Keeps drain() waiting.
  void enter();
  void leave();
  bool stopping() const;
  // No polls from here on.
  void stop_polling();
  // Open ones end; one that has a task by then still brings it.
  void cancel_polls();
  // Waits until nothing is under way.
  void drain();

  const Clock& clock() const { return clock_; }
  // The sink is the user's code.
  void log(workflow::LogLevel level, const std::string& message) const;
  void log_soon(workflow::LogLevel level, std::string message);

 private:
  struct Delivery;
  void attempt(std::shared_ptr<Delivery> delivery);

  api::Connection& connection_;
  const Clock& clock_;
  TimerLoop& timers_;
  const LogSink log_;
  const bool in_process_;

  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t under_way_ = 0;    // guarded by mutex_
  bool stopping_ = false;        // guarded by mutex_
  std::uint64_t next_poll_ = 1;  // guarded by mutex_
  std::map<std::uint64_t, std::shared_ptr<api::CallHandle>>
      polls_;  // guarded by mutex_; null: ended or not begun
};

}  // namespace holdfast::worker
