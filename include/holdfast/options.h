#pragma once

// Options of activities, children, starts and continue-as-new. Classes with fluent setters, never aggregates:
// they are written inside co_await expressions (see payload.h).
//
//   ActivityOptions().task_queue("mail").start_to_close(30s).retry(RetryPolicy().attempts(5))

#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/failure.h"
#include "holdfast/payload.h"
#include "holdfast/public.h"

namespace holdfast HOLDFAST_PUBLIC {

// A setter `Class& name(T value)` and its getter.
#define HOLDFAST_OPTION(Class, Type, name) \
 public:                                   \
  Class& name(Type value) {                \
    name##_ = std::move(value);            \
    return *this;                          \
  }                                        \
  const Type& name() const {               \
    return name##_;                        \
  }                                        \
                                           \
 private:                                  \
  Type name##_{};

class RetryPolicy {
 public:
  RetryPolicy() = default;
  RetryPolicy& initial(Duration value) { return initial_ = value, *this; }
  // Factor between one interval and the next, at least 1.
  RetryPolicy& backoff(double value) { return backoff_ = value, *this; }
  RetryPolicy& maximum(Duration value) { return maximum_ = value, *this; }
  // All attempts, the first included; 0: no limit.
  RetryPolicy& attempts(std::int32_t value) { return attempts_ = value, *this; }
  // Types of ApplicationFailure that end the retries.
  RetryPolicy& non_retryable(std::vector<std::string> types) {
    return non_retryable_ = std::move(types), *this;
  }
  // The form for co_await expressions, where g++ before 14 rejects braces.
  template <std::convertible_to<std::string_view>... More>
  RetryPolicy& non_retryable(std::string_view first, More... more) {
    non_retryable_.clear();
    non_retryable_.emplace_back(first);
    (non_retryable_.emplace_back(std::string_view(more)), ...);
    return *this;
  }

  Duration initial() const { return initial_; }
  double backoff() const { return backoff_; }
  std::optional<Duration> maximum() const { return maximum_; }
  std::int32_t attempts() const { return attempts_; }
  const std::vector<std::string>& non_retryable() const { return non_retryable_; }

 private:
  Duration initial_ = std::chrono::seconds(1);
  double backoff_ = 2.0;
  std::optional<Duration> maximum_;
  std::int32_t attempts_ = 0;
  std::vector<std::string> non_retryable_;
};

// Typed values for visibility; the type travels in the payload's metadata.
class SearchAttributes {
 public:
  SearchAttributes() = default;
  SearchAttributes& keyword(const std::string& name, const std::string& value);
  SearchAttributes& keyword_list(const std::string& name, const std::vector<std::string>& value);
  SearchAttributes& text(const std::string& name, const std::string& value);
  SearchAttributes& integer(const std::string& name, std::int64_t value);
  SearchAttributes& real(const std::string& name, double value);
  SearchAttributes& boolean(const std::string& name, bool value);
  // RFC 3339.
  SearchAttributes& datetime(const std::string& name, const std::string& value);
  SearchAttributes& unset(const std::string& name);
  SearchAttributes& raw(const std::string& name, Payload value) {
    return values_[name] = std::move(value), *this;
  }

  const std::map<std::string, Payload>& values() const { return values_; }
  bool empty() const { return values_.empty(); }

 private:
  std::map<std::string, Payload> values_;
};

using Memo = std::map<std::string, Payload>;

// What happens to the awaiting workflow when it cancels an activity.
enum class ActivityCancellation {
  kTryCancel,      // request it and go on at once with a CanceledFailure
  kWaitCompleted,  // request it and wait for the activity's own end
  kAbandon,        // tell the activity nothing, go on at once
};

// Numbers of sdk-core's ChildWorkflowCancellationType.
enum class ChildCancellation { kAbandon, kTryCancel, kWaitCompleted, kWaitRequested };

// Numbers of temporal.api.enums.v1.ParentClosePolicy.
enum class ParentClosePolicy { kTerminate = 1, kAbandon = 2, kRequestCancel = 3 };

// A workflow with this id is closed. Numbers of temporal.api.enums.v1.WorkflowIdReusePolicy.
enum class IdReusePolicy { kAllowDuplicate = 1, kAllowDuplicateFailedOnly = 2, kRejectDuplicate = 3 };

// A workflow with this id is running. Numbers of temporal.api.enums.v1.WorkflowIdConflictPolicy.
enum class IdConflictPolicy { kFail = 1, kUseExisting = 2, kTerminateExisting = 3 };

// One of start_to_close and schedule_to_close is required.
class ActivityOptions {
 public:
  ActivityOptions() = default;
  HOLDFAST_OPTION(ActivityOptions, std::string, task_queue)   // empty: the workflow's own
  HOLDFAST_OPTION(ActivityOptions, std::string, activity_id)  // empty: chosen by the runtime
  HOLDFAST_OPTION(ActivityOptions, std::optional<Duration>, start_to_close)
  HOLDFAST_OPTION(ActivityOptions, std::optional<Duration>, schedule_to_close)
  HOLDFAST_OPTION(ActivityOptions, std::optional<Duration>, schedule_to_start)
  HOLDFAST_OPTION(ActivityOptions, std::optional<Duration>, heartbeat)
  HOLDFAST_OPTION(ActivityOptions, std::optional<RetryPolicy>, retry)
  HOLDFAST_OPTION(ActivityOptions, ActivityCancellation, cancellation)
  HOLDFAST_OPTION(ActivityOptions, std::string, summary)
};

class ChildOptions {
 public:
  ChildOptions() = default;
  HOLDFAST_OPTION(ChildOptions, std::string, workflow_id)  // empty: a deterministic uuid
  HOLDFAST_OPTION(ChildOptions, std::string, task_queue)   // empty: the parent's
  HOLDFAST_OPTION(ChildOptions, std::optional<Duration>, execution_timeout)
  HOLDFAST_OPTION(ChildOptions, std::optional<Duration>, run_timeout)
  HOLDFAST_OPTION(ChildOptions, std::optional<Duration>, task_timeout)
  HOLDFAST_OPTION(ChildOptions, std::optional<RetryPolicy>, retry)
  HOLDFAST_OPTION(ChildOptions, std::string, cron_schedule)
  HOLDFAST_OPTION(ChildOptions, Memo, memo)
  HOLDFAST_OPTION(ChildOptions, SearchAttributes, search_attributes)
 public:
  ChildOptions& parent_close(ParentClosePolicy value) { return parent_close_ = value, *this; }
  ChildOptions& id_reuse(IdReusePolicy value) { return id_reuse_ = value, *this; }
  ChildOptions& cancellation(ChildCancellation value) { return cancellation_ = value, *this; }
  ParentClosePolicy parent_close() const { return parent_close_; }
  IdReusePolicy id_reuse() const { return id_reuse_; }
  ChildCancellation cancellation() const { return cancellation_; }

 private:
  ParentClosePolicy parent_close_ = ParentClosePolicy::kTerminate;
  IdReusePolicy id_reuse_ = IdReusePolicy::kAllowDuplicate;
  ChildCancellation cancellation_ = ChildCancellation::kWaitCompleted;
};

// Everything left empty is taken over from the current run.
class ContinueAsNewOptions {
 public:
  ContinueAsNewOptions() = default;
  HOLDFAST_OPTION(ContinueAsNewOptions, std::string, workflow_type)
  HOLDFAST_OPTION(ContinueAsNewOptions, std::string, task_queue)
  HOLDFAST_OPTION(ContinueAsNewOptions, std::optional<Duration>, run_timeout)
  HOLDFAST_OPTION(ContinueAsNewOptions, std::optional<Duration>, task_timeout)
  HOLDFAST_OPTION(ContinueAsNewOptions, std::optional<RetryPolicy>, retry)
  HOLDFAST_OPTION(ContinueAsNewOptions, std::optional<Memo>, memo)
  HOLDFAST_OPTION(ContinueAsNewOptions, std::optional<SearchAttributes>, search_attributes)
};

class StartOptions {
 public:
  StartOptions() = default;
  StartOptions(std::string workflow_id, std::string task_queue)
      : workflow_id_(std::move(workflow_id)), task_queue_(std::move(task_queue)) {}
  HOLDFAST_OPTION(StartOptions, std::string, workflow_id)  // empty: a random uuid
  HOLDFAST_OPTION(StartOptions, std::string, task_queue)   // required
  // Repeating a start with the same request id answers with the same run.
  HOLDFAST_OPTION(StartOptions, std::string, request_id)
  HOLDFAST_OPTION(StartOptions, std::optional<Duration>, execution_timeout)
  HOLDFAST_OPTION(StartOptions, std::optional<Duration>, run_timeout)
  HOLDFAST_OPTION(StartOptions, std::optional<Duration>, task_timeout)
  HOLDFAST_OPTION(StartOptions, std::optional<Duration>, start_delay)
  HOLDFAST_OPTION(StartOptions, std::optional<RetryPolicy>, retry)
  HOLDFAST_OPTION(StartOptions, std::string, cron_schedule)
  HOLDFAST_OPTION(StartOptions, Memo, memo)
  HOLDFAST_OPTION(StartOptions, SearchAttributes, search_attributes)
 public:
  StartOptions& id_reuse(IdReusePolicy value) { return id_reuse_ = value, *this; }
  StartOptions& id_conflict(IdConflictPolicy value) { return id_conflict_ = value, *this; }
  IdReusePolicy id_reuse() const { return id_reuse_; }
  IdConflictPolicy id_conflict() const { return id_conflict_; }

 private:
  IdReusePolicy id_reuse_ = IdReusePolicy::kAllowDuplicate;
  IdConflictPolicy id_conflict_ = IdConflictPolicy::kFail;
};

}  // namespace holdfast HOLDFAST_PUBLIC
