#pragma once

// Failures: the typed errors that travel through histories (temporal.api.failure.v1). A workflow or activity
// throws ApplicationFailure to fail; a workflow that awaits an activity catches ActivityFailure, whose cause
// says why.
//
// Anything thrown by workflow code that is not a Failure is taken for a bug: it fails the workflow task,
// which the engine repeats until repaired code is deployed, and never the workflow.

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "holdfast/payload.h"
#include "holdfast/public.h"

namespace holdfast HOLDFAST_PUBLIC {

using Duration = std::chrono::nanoseconds;

class Failure;
using FailurePtr = std::shared_ptr<const Failure>;

// Why retries ended; numbers of temporal.api.enums.v1.RetryState.
enum class RetryState {
  kUnspecified = 0,
  kInProgress = 1,
  kNonRetryableFailure = 2,
  kTimeout = 3,
  kMaximumAttemptsReached = 4,
  kRetryPolicyNotSet = 5,
  kInternalServerError = 6,
  kCancelRequested = 7,
};

// Numbers of temporal.api.enums.v1.TimeoutType.
enum class TimeoutType {
  kUnspecified = 0,
  kStartToClose = 1,
  kScheduleToStart = 2,
  kScheduleToClose = 3,
  kHeartbeat = 4,
};

class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& message, FailurePtr cause = nullptr)
      : std::runtime_error(message), cause_(std::move(cause)) {}

  std::string message() const { return what(); }
  const FailurePtr& cause() const { return cause_; }
  const std::string& stack_trace() const { return stack_trace_; }
  const std::string& source() const { return source_; }
  void set_origin(std::string source, std::string stack_trace) {
    source_ = std::move(source);
    stack_trace_ = std::move(stack_trace);
  }
  // "ActivityFailure: ... <- ApplicationFailure(Timeout): ...", the chain on one line.
  std::string to_string() const;

  virtual std::string_view kind() const = 0;
  // Throws a copy with its dynamic type.
  [[noreturn]] virtual void raise() const = 0;
  virtual FailurePtr clone() const = 0;

 protected:
  void set_cause(FailurePtr cause) { cause_ = std::move(cause); }

 private:
  FailurePtr cause_;
  std::string stack_trace_;
  std::string source_;
};

namespace detail {
template <typename Derived>
class FailureOf : public Failure {
 public:
  using Failure::Failure;
  [[noreturn]] void raise() const override { throw static_cast<const Derived&>(*this); }
  FailurePtr clone() const override { return std::make_shared<Derived>(static_cast<const Derived&>(*this)); }
};
}  // namespace detail

// What user code throws. Retried by the activity's retry policy unless non_retryable or its type is listed
// there.
class ApplicationFailure : public detail::FailureOf<ApplicationFailure> {
 public:
  explicit ApplicationFailure(const std::string& message, std::string type = {}, bool non_retryable = false,
                              std::vector<Payload> details = {},
                              std::optional<Duration> next_retry_delay = {}, FailurePtr cause = nullptr)
      : FailureOf(message, std::move(cause)),
        type_(std::move(type)),
        non_retryable_(non_retryable),
        details_(std::move(details)),
        next_retry_delay_(next_retry_delay) {}

  static ApplicationFailure non_retryable(const std::string& message, std::string type = {}) {
    return ApplicationFailure(message, std::move(type), true);
  }

  std::string_view kind() const override { return "ApplicationFailure"; }
  const std::string& type() const { return type_; }
  bool is_non_retryable() const { return non_retryable_; }
  const std::vector<Payload>& details() const { return details_; }
  // Replaces the retry policy's interval for the next attempt.
  std::optional<Duration> next_retry_delay() const { return next_retry_delay_; }

 private:
  std::string type_;
  bool non_retryable_;
  std::vector<Payload> details_;
  std::optional<Duration> next_retry_delay_;
};

class CanceledFailure : public detail::FailureOf<CanceledFailure> {
 public:
  explicit CanceledFailure(const std::string& message = "canceled", std::vector<Payload> details = {},
                           FailurePtr cause = nullptr)
      : FailureOf(message, std::move(cause)), details_(std::move(details)) {}
  std::string_view kind() const override { return "CanceledFailure"; }
  const std::vector<Payload>& details() const { return details_; }

 private:
  std::vector<Payload> details_;
};

class TimeoutFailure : public detail::FailureOf<TimeoutFailure> {
 public:
  TimeoutFailure(const std::string& message, TimeoutType timeout_type,
                 std::vector<Payload> last_heartbeat = {}, FailurePtr cause = nullptr)
      : FailureOf(message, std::move(cause)),
        timeout_type_(timeout_type),
        last_heartbeat_(std::move(last_heartbeat)) {}
  std::string_view kind() const override { return "TimeoutFailure"; }
  TimeoutType timeout_type() const { return timeout_type_; }
  const std::vector<Payload>& last_heartbeat_details() const { return last_heartbeat_; }

 private:
  TimeoutType timeout_type_;
  std::vector<Payload> last_heartbeat_;
};

class TerminatedFailure : public detail::FailureOf<TerminatedFailure> {
 public:
  explicit TerminatedFailure(const std::string& message = "terminated", FailurePtr cause = nullptr)
      : FailureOf(message, std::move(cause)) {}
  std::string_view kind() const override { return "TerminatedFailure"; }
};

// The engine itself, or a kind of failure this library does not know.
class ServerFailure : public detail::FailureOf<ServerFailure> {
 public:
  explicit ServerFailure(const std::string& message, bool non_retryable = false, FailurePtr cause = nullptr)
      : FailureOf(message, std::move(cause)), non_retryable_(non_retryable) {}
  std::string_view kind() const override { return "ServerFailure"; }
  bool is_non_retryable() const { return non_retryable_; }

 private:
  bool non_retryable_;
};

// What awaiting an activity throws; the cause is its last ApplicationFailure, TimeoutFailure or
// CanceledFailure.
class ActivityFailure : public detail::FailureOf<ActivityFailure> {
 public:
  ActivityFailure(const std::string& message, std::string activity_type, std::string activity_id,
                  RetryState retry_state, FailurePtr cause)
      : FailureOf(message, std::move(cause)),
        activity_type_(std::move(activity_type)),
        activity_id_(std::move(activity_id)),
        retry_state_(retry_state) {}
  std::string_view kind() const override { return "ActivityFailure"; }
  const std::string& activity_type() const { return activity_type_; }
  const std::string& activity_id() const { return activity_id_; }
  RetryState retry_state() const { return retry_state_; }
  // Carried through conversions; set by the converter only.
  std::string identity;
  std::int64_t scheduled_event_id = 0;
  std::int64_t started_event_id = 0;

 private:
  std::string activity_type_;
  std::string activity_id_;
  RetryState retry_state_;
};

// What awaiting a child workflow throws.
class ChildWorkflowFailure : public detail::FailureOf<ChildWorkflowFailure> {
 public:
  ChildWorkflowFailure(const std::string& message, std::string workflow_type, std::string workflow_id,
                       std::string run_id, RetryState retry_state, FailurePtr cause)
      : FailureOf(message, std::move(cause)),
        workflow_type_(std::move(workflow_type)),
        workflow_id_(std::move(workflow_id)),
        run_id_(std::move(run_id)),
        retry_state_(retry_state) {}
  std::string_view kind() const override { return "ChildWorkflowFailure"; }
  const std::string& workflow_type() const { return workflow_type_; }
  const std::string& workflow_id() const { return workflow_id_; }
  const std::string& run_id() const { return run_id_; }
  RetryState retry_state() const { return retry_state_; }
  // Carried through conversions; set by the converter only.
  std::string namespace_name;
  std::int64_t initiated_event_id = 0;
  std::int64_t started_event_id = 0;

 private:
  std::string workflow_type_;
  std::string workflow_id_;
  std::string run_id_;
  RetryState retry_state_;
};

// The nearest failure of that type in the chain, the failure itself included; null if there is none.
template <typename F>
const F* find_failure(const Failure& failure) {
  for (const Failure* at = &failure; at != nullptr; at = at->cause().get()) {
    if (const auto* found = dynamic_cast<const F*>(at)) return found;
  }
  return nullptr;
}

// True for a cancellation, also one that reached us through an activity or child.
bool is_canceled(const Failure& failure);

// A value or a Failure: what attempt() returns, because co_await is illegal in a catch block.
template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Outcome(FailurePtr failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  // Throws the failure if there is one.
  const T& value() const& {
    if (!ok()) error().raise();
    return std::get<0>(state_);
  }
  T&& value() && {
    if (!ok()) error().raise();
    return std::get<0>(std::move(state_));
  }
  // Only when !ok().
  const Failure& error() const { return *std::get<1>(state_); }
  FailurePtr failure() const { return ok() ? nullptr : std::get<1>(state_); }

 private:
  std::variant<T, FailurePtr> state_;
};

template <>
class [[nodiscard]] Outcome<void> {
 public:
  Outcome() = default;
  Outcome(FailurePtr failure) : failure_(std::move(failure)) {}

  bool ok() const { return failure_ == nullptr; }
  explicit operator bool() const { return ok(); }
  void value() const {
    if (failure_) failure_->raise();
  }
  const Failure& error() const { return *failure_; }
  FailurePtr failure() const { return failure_; }

 private:
  FailurePtr failure_;
};

}  // namespace holdfast HOLDFAST_PUBLIC
