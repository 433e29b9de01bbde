#pragma once

// Client: starts workflows and talks to them. Thread-safe. Calls block until the engine answers, except those
// that take a callback. Failures of the call are a Status (Result), failures of the workflow an Outcome.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/connection.h"
#include "holdfast/environment.h"
#include "holdfast/failure.h"
#include "holdfast/options.h"
#include "holdfast/payload.h"
#include "holdfast/public.h"

namespace holdfast HOLDFAST_PUBLIC {

class Client;

// Numbers of temporal.api.enums.v1.WorkflowExecutionStatus.
enum class WorkflowStatus {
  kUnspecified = 0,
  kRunning = 1,
  kCompleted = 2,
  kFailed = 3,
  kCanceled = 4,
  kTerminated = 5,
  kContinuedAsNew = 6,
  kTimedOut = 7,
  kPaused = 8,
};

// "Running", "Completed", ...
std::string_view workflow_status_name(WorkflowStatus status);

// An activity that a workflow waits for.
class PendingActivity {
 public:
  PendingActivity() = default;
  std::string activity_id;
  std::string activity_type;
  std::int32_t attempt = 1;
  FailurePtr last_failure;                  // of the attempt before; null: none failed
  std::optional<WallTime> next_attempt_at;  // between attempts only
};

class WorkflowDescription {
 public:
  WorkflowDescription() = default;
  std::string workflow_id;
  std::string run_id;
  std::string workflow_type;
  std::string task_queue;
  WorkflowStatus status = WorkflowStatus::kUnspecified;
  WallTime start_time{};
  std::optional<WallTime> close_time;
  std::int64_t history_length = 0;
  std::string parent_workflow_id;
  std::string parent_run_id;
  Memo memo;
  std::map<std::string, Payload> search_attributes;
  std::vector<PendingActivity> pending_activities;  // describe only
  std::size_t pending_children = 0;                 // describe only
};

class WorkflowPage {
 public:
  WorkflowPage() = default;
  std::vector<WorkflowDescription> workflows;
  std::string next_page_token;  // empty: the last page
};

// How a workflow closed.
class WorkflowClose {
 public:
  WorkflowClose(WorkflowStatus status_in, Outcome<Payload> outcome_in)
      : status(status_in), outcome(std::move(outcome_in)) {}
  WorkflowStatus status;
  Outcome<Payload> outcome;
  WallTime time{};
  std::string reason;  // kTerminated: what terminate() was given
};
// None: the workflow is open, or goes on as its next run (continue-as-new, retry, cron).
using CloseDone = std::move_only_function<void(Result<std::optional<WorkflowClose>>)>;

enum class UpdateStage { kAdmitted = 1, kAccepted = 2, kCompleted = 3 };

// Decodes what an Outcome<Payload> holds; a value of another type is a Status.
template <typename R>
Result<Outcome<R>> decode_outcome(Result<Outcome<Payload>> raw) {
  if (!raw) return fail(raw.error());
  if (!raw->ok()) return Outcome<R>(raw->failure());
  if constexpr (std::is_void_v<R>) {
    return Outcome<void>();
  } else {
    try {
      return Outcome<R>(from_payload<R>(raw->value()));
    } catch (const PayloadError& error) {
      return fail(Code::kInvalidArgument, error.what());
    }
  }
}

class UpdateHandle {
 public:
  UpdateHandle(const Client& client, std::string workflow_id, std::string run_id, std::string update_id,
               std::optional<Outcome<Payload>> known)
      : client_(&client),
        workflow_id_(std::move(workflow_id)),
        run_id_(std::move(run_id)),
        update_id_(std::move(update_id)),
        known_(std::move(known)) {}
  const std::string& update_id() const { return update_id_; }
  const std::string& run_id() const { return run_id_; }
  // Waits for the update's end; a rejection is an outcome with a failure.
  Result<Outcome<Payload>> wait_raw() const;
  template <typename R>
  Result<Outcome<R>> wait() const {
    return decode_outcome<R>(wait_raw());
  }

 private:
  const Client* client_;
  std::string workflow_id_;
  std::string run_id_;
  std::string update_id_;
  std::optional<Outcome<Payload>> known_;
};

class UpdateOptions {
 public:
  UpdateOptions() = default;
  // Repeating an update with the same id joins it.
  UpdateOptions& update_id(std::string value) { return update_id_ = std::move(value), *this; }
  // Until when start_update waits.
  UpdateOptions& wait_for(UpdateStage value) { return stage_ = value, *this; }
  // How long update_async waits.
  UpdateOptions& timeout(Duration value) { return timeout_ = value, *this; }
  const std::string& update_id() const { return update_id_; }
  UpdateStage wait_for() const { return stage_; }
  Duration timeout() const { return timeout_; }

 private:
  std::string update_id_;
  Duration timeout_ = std::chrono::seconds(20);
  UpdateStage stage_ = UpdateStage::kAccepted;
};

using UpdateDone = std::move_only_function<void(Result<Outcome<Payload>>)>;

// One workflow, by id and optionally run id. Cheap to copy; outlived by its client.
class WorkflowHandle {
 public:
  WorkflowHandle(const Client& client, std::string workflow_id, std::string run_id)
      : client_(&client), workflow_id_(std::move(workflow_id)), run_id_(std::move(run_id)) {}
  const std::string& workflow_id() const { return workflow_id_; }
  const std::string& run_id() const { return run_id_; }

  // Waits for the end, following continue-as-new, retries and cron to the last run. `timeout`:
  // DEADLINE_EXCEEDED.
  Result<Outcome<Payload>> result_raw(std::optional<Duration> timeout = {}) const;
  template <typename R>
  Result<Outcome<R>> result(std::optional<Duration> timeout = {}) const {
    return decode_outcome<R>(result_raw(timeout));
  }
  template <typename... A>
  Status signal(const std::string& name, const A&... args) const {
    return signal_raw(name, to_payloads(args...));
  }
  template <typename R, typename... A>
  Result<R> query(const std::string& name, const A&... args) const {
    auto raw = query_raw(name, to_payloads(args...));
    if (!raw) return fail(raw.error());
    try {
      return from_payload<R>(*raw);
    } catch (const PayloadError& error) {
      return fail(Code::kInvalidArgument, error.what());
    }
  }
  // Waits for the update's end.
  template <typename R, typename... A>
  Result<Outcome<R>> update(const std::string& name, const A&... args) const {
    auto handle = start_update(name, UpdateOptions().wait_for(UpdateStage::kCompleted), args...);
    if (!handle) return fail(handle.error());
    return handle->template wait<R>();
  }
  template <typename... A>
  Result<UpdateHandle> start_update(const std::string& name, const UpdateOptions& options,
                                    const A&... args) const {
    return start_update_raw(name, options, to_payloads(args...));
  }
  // Waits for the update's end without blocking; a rejection is an outcome with a failure. One attempt:
  // DEADLINE_EXCEEDED, UNAVAILABLE and the like say nothing about the update, which the same id joins again.
  template <typename... A>
  void update_async(const std::string& name, const UpdateOptions& options, UpdateDone done,
                    const A&... args) const {
    update_async_raw(name, options, to_payloads(args...), std::move(done));
  }
  UpdateHandle update_handle(const std::string& update_id) const {
    return UpdateHandle(*client_, workflow_id_, run_id_, update_id, std::nullopt);
  }
  // Repeating a cancel with the same request id changes nothing. Empty: a random uuid.
  Status cancel(const std::string& reason = {}, const std::string& request_id = {}) const;
  Status terminate(const std::string& reason = {}) const;
  // An open run is terminated first. NOT_FOUND: there is no such workflow, or not any more.
  Status delete_history() const;
  Result<WorkflowDescription> describe() const;
  // How it closed, without waiting for it.
  Result<std::optional<WorkflowClose>> find_close() const;
  // Waits without blocking until the workflow closes, `timeout` at most; one attempt.
  void watch_close(Duration timeout, CloseDone done) const;
  // temporal.api.history.v1.History as JSON: what Replayer reads.
  Result<std::string> history_json() const;

  Status signal_raw(const std::string& name, std::vector<Payload> arguments) const;
  Result<Payload> query_raw(const std::string& name, std::vector<Payload> arguments) const;
  Result<UpdateHandle> start_update_raw(const std::string& name, const UpdateOptions& options,
                                        std::vector<Payload> arguments) const;
  void update_async_raw(const std::string& name, const UpdateOptions& options, std::vector<Payload> arguments,
                        UpdateDone done) const;

 private:
  const Client* client_;
  std::string workflow_id_;
  std::string run_id_;
};

class ClientOptions {
 public:
  ClientOptions() = default;
  HOLDFAST_OPTION(ClientOptions, std::string, namespace_name)  // empty: the connection's
  HOLDFAST_OPTION(ClientOptions, std::string, identity)        // in histories: who asked; empty: made up
  // A blocking call that the engine could not take is repeated until its time is up, unless this says that
  // the caller wants to know at once.
  HOLDFAST_OPTION(ClientOptions, bool, fail_fast)
 public:
  // Where callbacks run; outlives the client. Null: on a thread of the client's own.
  ClientOptions& callbacks(Executor* value) { return callbacks_ = value, *this; }
  Executor* callbacks() const { return callbacks_; }

 private:
  Executor* callbacks_ = nullptr;
};

class Client {
 public:
  explicit Client(Connection server, const ClientOptions& options = {});
  // The connection and what the environment refers to outlive the client.
  Client(api::Connection& connection, const Environment& environment, const ClientOptions& options = {});
  // As close().
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Returns before the workflow does anything. ALREADY_EXISTS when the id's policies forbid it.
  template <typename... A>
  Result<WorkflowHandle> start(const std::string& type, const StartOptions& options, const A&... args) const {
    return start_raw(type, options, to_payloads(args...));
  }
  Result<WorkflowHandle> start_raw(const std::string& type, const StartOptions& options,
                                   std::vector<Payload> arguments) const;
  // Starts the workflow unless it runs, and signals it, in one step.
  Result<WorkflowHandle> signal_with_start(const std::string& type, const StartOptions& options,
                                           std::vector<Payload> arguments, const std::string& signal,
                                           std::vector<Payload> signal_arguments) const;
  WorkflowHandle workflow(const std::string& workflow_id, const std::string& run_id = {}) const {
    return WorkflowHandle(*this, workflow_id, run_id);
  }
  Result<WorkflowPage> list(const std::string& query = {}, std::size_t page_size = 100,
                            const std::string& page_token = {}) const;

  // Activities that threw CompleteLater. NOT_FOUND when the activity is over.
  template <typename T>
  Status complete_activity(const std::string& task_token, const T& result) const {
    return complete_activity_raw(task_token, to_payload(result));
  }
  Status complete_activity_raw(const std::string& task_token, Payload result) const;
  Status fail_activity(const std::string& task_token, const Failure& failure) const;
  Status cancel_activity(const std::string& task_token) const;
  // True when the activity is asked to stop.
  Result<bool> heartbeat_activity(const std::string& task_token, std::vector<Payload> details = {}) const;

  // A failure means that the engine cannot be reached.
  Result<std::string> server_version() const;

  // Ends the calls that have a callback, which learns CANCELLED, and returns when every callback has run;
  // later ones end at once. Not from a callback.
  void close();

  const std::string& namespace_name() const;
  api::Connection& connection() const;

  class Impl;

 private:
  friend class WorkflowHandle;
  friend class UpdateHandle;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast HOLDFAST_PUBLIC
