#pragma once

// EngineGateway: what the API asks the engine, over the Connection seam: the same calls reach our engine in
// process and a Temporal cluster. Knows nothing of HTTP or of stores.
//
// Thread-safe. Methods that return a Result block until the engine answers, at most kCallTimeout; methods
// with a callback do not, and the callback runs on the executor that was given to the constructor.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/connection.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::runs {

enum class RunStatus : std::uint8_t {
  kQueued,  // the intent is stored, the engine has not confirmed the start
  kRunning,
  kCompleted,
  kFailed,
  kCanceled,
  kTerminated,
  kTimedOut,
};
std::string_view run_status_name(RunStatus status);
std::optional<RunStatus> run_status_by_name(std::string_view name);
inline bool is_closed(RunStatus status) {
  return status > RunStatus::kRunning;
}

struct RunState {
  RunStatus status = RunStatus::kQueued;
  std::string engine_run_id;
  WallTime started_at{};
  std::optional<WallTime> closed_at;
  std::int64_t history_length = 0;
  struct PendingActivity {
    std::string type;
    std::int32_t attempt = 1;
    std::string last_failure;
    std::optional<WallTime> next_attempt_at;
  };
  std::vector<PendingActivity> pending_activities;
};

// How a run ended.
struct RunOutcome {
  RunStatus status = RunStatus::kCompleted;
  std::string result;  // JSON; completed
  std::string error_type;
  std::string error_message;
  std::optional<WallTime> closed_at;
};

struct StartWorkflow {
  std::string workflow_id;
  std::string request_id;
  std::string workflow_type;
  std::string task_queue;
  std::string argument;  // JSON
};

struct UpdateOutcome {
  bool accepted = false;
  std::string result;      // JSON; accepted and done
  std::string error_type;  // rejected, or failed
  std::string error_message;
};

class EngineGateway {
 public:
  static constexpr std::chrono::seconds kCallTimeout{10};
  static constexpr std::chrono::seconds kUpdateTimeout{20};
  static constexpr std::chrono::seconds kWatchTimeout{60};

  // All must outlive the gateway and every call.
  EngineGateway(api::Connection& connection, const Clock& clock, Executor& executor,
                std::string namespace_name);
  ~EngineGateway() { close(); }
  EngineGateway(const EngineGateway&) = delete;
  EngineGateway& operator=(const EngineGateway&) = delete;

  // Cancels what waits and returns when every callback has run; later calls with a callback get kCancelled.
  // Not from the executor.
  void close();

  // The engine's run id. The same request id again gives the same run.
  Result<std::string> start(const StartWorkflow& request);
  Result<RunState> describe(const std::string& run);
  // NOT_FOUND: unknown. FAILED_PRECONDITION: not closed.
  Result<RunOutcome> outcome(const std::string& run);
  Status cancel(const std::string& run, const std::string& reason);
  Status terminate(const std::string& run, const std::string& reason);

  // Waits (a minute at most) for the run to close; none: it is still open.
  using WatchDone = std::move_only_function<void(Result<std::optional<RunOutcome>>)>;
  void watch(const std::string& run, WatchDone done);

  // Sends an update and waits until it is completed or rejected. DEADLINE_EXCEEDED, UNAVAILABLE: send again
  // under the same id.
  using UpdateDone = std::move_only_function<void(Result<UpdateOutcome>)>;
  void update(const std::string& run, const std::string& update_id, const std::string& name,
              const std::string& argument_json, UpdateDone done);

  // Version and kind of the engine, for /api/v1/info; a failure means that it cannot be reached.
  Result<std::string> server_version();

 private:
  Result<api::MessagePtr> call(api::Method method, api::MessagePtr request);
  void call_async(api::Method method, api::MessagePtr request, std::chrono::seconds timeout,
                  api::Completion done);

  api::Connection& connection_;
  const Clock& clock_;
  Executor& executor_;
  std::string namespace_;
  std::mutex mutex_;
  std::condition_variable idle_;
  bool closed_ = false;                                              // guarded by mutex_
  std::uint64_t next_call_ = 0;                                      // guarded by mutex_
  std::map<std::uint64_t, std::shared_ptr<api::CallHandle>> calls_;  // guarded by mutex_
};

}  // namespace holdfast::runs
