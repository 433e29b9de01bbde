#include "history/failures.h"

#include "api/enum_name.h"
#include "base/text.h"

namespace holdfast::history {

std::string timeout_name(enums::TimeoutType type) {
  switch (type) {
    case enums::TIMEOUT_TYPE_START_TO_CLOSE: return "StartToClose";
    case enums::TIMEOUT_TYPE_SCHEDULE_TO_START: return "ScheduleToStart";
    case enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE: return "ScheduleToClose";
    case enums::TIMEOUT_TYPE_HEARTBEAT: return "Heartbeat";
    default: return "Unspecified";
  }
}

std::string command_name(enums::CommandType type) {
  return api::enum_name(*enums::CommandType_descriptor(), type, "COMMAND_TYPE_");
}

Failure timeout_failure(enums::TimeoutType type) {
  Failure failure;
  failure.set_message("activity " + timeout_name(type) + " timeout");
  failure.set_source("Server");
  failure.mutable_timeout_failure_info()->set_timeout_type(type);
  return failure;
}

Failure server_failure(std::string message, bool non_retryable) {
  Failure failure;
  failure.set_message(std::move(message));
  failure.set_source("Server");
  failure.mutable_server_failure_info()->set_non_retryable(non_retryable);
  return failure;
}

Failure terminated_failure(std::string message, const std::string& identity) {
  Failure failure;
  failure.set_message(std::move(message));
  failure.set_source("Server");
  failure.mutable_terminated_failure_info()->set_identity(identity);
  return failure;
}

Failure truncated(const Failure& failure, std::int64_t limit) {
  if (static_cast<std::int64_t>(failure.ByteSizeLong()) <= limit) return failure;
  const auto room = static_cast<std::size_t>(limit / 2);
  Failure shorter;
  shorter.set_source(failure.source());
  shorter.set_message(std::string(cut_text(failure.message(), room)));
  shorter.set_stack_trace(std::string(cut_text(failure.stack_trace(), room / 2)));
  if (failure.has_application_failure_info()) {
    auto& info = *shorter.mutable_application_failure_info();
    info.set_type(std::string(cut_text(failure.application_failure_info().type(), room / 4)));
    info.set_non_retryable(failure.application_failure_info().non_retryable());
  } else if (failure.has_timeout_failure_info()) {
    shorter.mutable_timeout_failure_info()->set_timeout_type(failure.timeout_failure_info().timeout_type());
  } else {
    auto& info = *shorter.mutable_server_failure_info();
    info.set_non_retryable(failure.has_server_failure_info() &&
                           failure.server_failure_info().non_retryable());
  }
  return shorter;
}

Failure bounded_failure(const Failure& failure, std::int64_t limit) {
  if (static_cast<std::int64_t>(failure.ByteSizeLong()) <= limit) return failure;
  // Of so many Temporal warns (limit.blobSize.warn), and keeps them here.
  constexpr std::int64_t kKept = 512 * 1024;
  Failure out = server_failure("Failure exceeds size limit.", true);
  *out.mutable_cause() = truncated(failure, std::min(kKept, limit));
  return out;
}

}  // namespace holdfast::history
