#include "history/retry.h"

#include <algorithm>
#include <cmath>

namespace holdfast::history::retry {
namespace {

bool named(const Policy& policy, const std::string& type) {
  return std::find(policy.non_retryable_error_types().begin(), policy.non_retryable_error_types().end(),
                   type) != policy.non_retryable_error_types().end();
}

// A policy names timeouts by this and their type.
constexpr std::string_view kTimeoutPrefix = "TemporalTimeout:";

bool is_timeout(std::string_view name) {
  return name == "StartToClose" || name == "ScheduleToStart" || name == "ScheduleToClose" ||
         name == "Heartbeat";
}

}  // namespace

void fill_defaults(Policy* policy) {
  if (to_ns(policy->initial_interval()) == 0) set_duration(policy->mutable_initial_interval(), kSecond);
  if (policy->backoff_coefficient() == 0) policy->set_backoff_coefficient(2.0);
  if (to_ns(policy->maximum_interval()) == 0) {
    set_duration(policy->mutable_maximum_interval(), to_ns(policy->initial_interval()) * 100);
  }
}

std::string problem(const Policy& policy) {
  if (policy.maximum_attempts() == 1) return {};  // no retry: the rest is not looked at
  const Ns initial = to_ns(policy.initial_interval());
  const Ns maximum = to_ns(policy.maximum_interval());
  if (initial < 0) return "invalid InitialInterval set on retry policy: negative duration";
  if (policy.backoff_coefficient() != 0 && policy.backoff_coefficient() < 1) {
    return "BackoffCoefficient cannot be less than 1 on retry policy.";
  }
  if (maximum < 0) return "invalid MaximumInterval set on retry policy: negative duration";
  if (maximum > 0 && maximum < initial) {
    return "MaximumInterval cannot be less than InitialInterval on retry policy.";
  }
  if (policy.maximum_attempts() < 0) return "MaximumAttempts cannot be negative on retry policy.";
  for (const std::string& type : policy.non_retryable_error_types()) {
    if (!type.starts_with(kTimeoutPrefix)) continue;
    const std::string_view name = std::string_view(type).substr(kTimeoutPrefix.size());
    if (!is_timeout(name)) return "Invalid timeout type value: " + std::string(name) + ".";
  }
  return {};
}

bool retryable(const Failure& failure, const Policy& policy) {
  if (failure.has_terminated_failure_info() || failure.has_canceled_failure_info()) return false;
  if (failure.has_timeout_failure_info()) {
    const auto type = failure.timeout_failure_info().timeout_type();
    if (type == enums::TIMEOUT_TYPE_START_TO_CLOSE) return !named(policy, "TemporalTimeout:StartToClose");
    if (type == enums::TIMEOUT_TYPE_HEARTBEAT) return !named(policy, "TemporalTimeout:Heartbeat");
    return false;
  }
  if (failure.has_server_failure_info()) return !failure.server_failure_info().non_retryable();
  if (failure.has_application_failure_info()) {
    const auto& info = failure.application_failure_info();
    return !info.non_retryable() && !named(policy, info.type());
  }
  return true;
}

Ns interval_after(const Policy& policy, std::int32_t attempt) {
  const Ns maximum = to_ns(policy.maximum_interval());
  const double grown = static_cast<double>(to_ns(policy.initial_interval())) *
                       std::pow(policy.backoff_coefficient(), std::max(attempt - 1, 0));
  constexpr double kLongest = 100.0 * 365 * 24 * 3600 * 1e9;
  // A coefficient may be anything, infinite or no number at all; then it is the maximum that counts.
  const Ns interval = static_cast<Ns>(grown >= 0 && grown < kLongest ? grown : kLongest);
  return maximum > 0 ? std::min(interval, maximum) : interval;
}

Next next(const Policy& policy, std::int32_t attempt, Ns now, Ns expiration_ns, const Failure* failure) {
  if (failure != nullptr && !retryable(*failure, policy))
    return {enums::RETRY_STATE_NON_RETRYABLE_FAILURE, 0};
  if (policy.maximum_attempts() > 0 && attempt >= policy.maximum_attempts()) {
    return {enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED, 0};
  }
  Ns interval = interval_after(policy, attempt);
  if (failure != nullptr && failure->has_application_failure_info() &&
      failure->application_failure_info().has_next_retry_delay()) {
    // Computed from a moment that may have passed: then the next attempt is due now.
    interval = std::max<Ns>(to_ns(failure->application_failure_info().next_retry_delay()), 0);
  }
  if (expiration_ns != 0 && now + interval > expiration_ns) return {enums::RETRY_STATE_TIMEOUT, 0};
  return {enums::RETRY_STATE_IN_PROGRESS, interval};
}

}  // namespace holdfast::history::retry
