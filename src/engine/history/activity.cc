#include "history/activity.h"

#include <algorithm>

#include "base/check.h"
#include "base/transition.h"
#include "history/apply.h"
#include "history/failures.h"
#include "history/priority.h"
#include "history/retry.h"
#include "history/workflow_task.h"
#include "history/writable.h"

namespace holdfast::history::activity {
namespace {

enum class On : std::uint8_t {
  kStart,
  kComplete,
  kFailFinally,
  kRetry,
  kRetryAtOnce,
  kBackoffOver,
  kTimeOut,
  kRequestCancel,
  kCanceled,
  kTakeBack,
};

constexpr Transition<State, On> kRows[] = {
    {State::kWaiting, On::kStart, State::kStarted},
    {State::kWaiting, On::kTimeOut, State::kClosed},
    {State::kWaiting, On::kRequestCancel, State::kClosed},  // nobody holds it: canceled at once
    {State::kBackingOff, On::kStart, State::kStarted},  // by who completes it from outside; no poll gets it
    {State::kBackingOff, On::kBackoffOver, State::kWaiting},
    {State::kBackingOff, On::kTimeOut, State::kClosed},
    {State::kBackingOff, On::kRequestCancel, State::kClosed},
    {State::kStarted, On::kComplete, State::kClosed},
    {State::kStarted, On::kFailFinally, State::kClosed},
    {State::kStarted, On::kRetry, State::kBackingOff},
    {State::kStarted, On::kRetryAtOnce, State::kWaiting},
    {State::kStarted, On::kTimeOut, State::kClosed},
    {State::kStarted, On::kRequestCancel, State::kCancelRequested},
    {State::kStarted, On::kTakeBack, State::kWaiting},
    {State::kCancelRequested, On::kComplete, State::kClosed},
    {State::kCancelRequested, On::kFailFinally, State::kClosed},  // no retry after a request to cancel
    {State::kCancelRequested, On::kTimeOut, State::kClosed},
    {State::kCancelRequested, On::kCanceled, State::kClosed},
    {State::kCancelRequested, On::kTakeBack, State::kClosed},  // nobody held it
};
const TransitionTable kTable("activity", rows(State::kWaiting, kRows));

State step(const stored::ActivityInfo& info, On on) {
  return kTable.step(state_of(info), on);
}

Ns expiration(const stored::ActivityInfo& info) {
  return info.schedule_to_close_ns() == 0 ? 0 : info.scheduled_ns() + info.schedule_to_close_ns();
}

// The started event of the last attempt, written when the activity closes. 0: it never started.
std::int64_t record_started(MutableState& ms, const stored::ActivityInfo& info) {
  if (info.started_ns() == 0) return 0;
  Event event = make_event<enums::EVENT_TYPE_ACTIVITY_TASK_STARTED>(info.started_ns());
  auto& attributes = *event.mutable_activity_task_started_event_attributes();
  attributes.set_scheduled_event_id(info.scheduled_event_id());
  attributes.set_identity(info.identity());
  attributes.set_request_id(info.request_id());
  attributes.set_attempt(info.attempt());
  if (info.has_last_failure()) *attributes.mutable_last_failure() = info.last_failure();
  return ms.record(std::move(event));
}

Event completed(Ns now, const stored::ActivityInfo& info, std::int64_t started_event_id, Payloads* result,
                const std::string& identity) {
  Event event = make_event<enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED>(now);
  auto& attributes = *event.mutable_activity_task_completed_event_attributes();
  if (result != nullptr) attributes.mutable_result()->Swap(result);
  attributes.set_scheduled_event_id(info.scheduled_event_id());
  attributes.set_started_event_id(started_event_id);
  attributes.set_identity(identity);
  return event;
}

Event failed(Ns now, const stored::ActivityInfo& info, std::int64_t started_event_id, const Failure& failure,
             const std::string& identity, enums::RetryState retry_state) {
  Event event = make_event<enums::EVENT_TYPE_ACTIVITY_TASK_FAILED>(now);
  auto& attributes = *event.mutable_activity_task_failed_event_attributes();
  *attributes.mutable_failure() = failure;
  attributes.set_scheduled_event_id(info.scheduled_event_id());
  attributes.set_started_event_id(started_event_id);
  attributes.set_identity(identity);
  attributes.set_retry_state(retry_state);
  return event;
}

Event timed_out(Ns now, const stored::ActivityInfo& info, std::int64_t started_event_id, Failure failure,
                enums::RetryState retry_state) {
  if (info.has_heartbeat_details())
    *failure.mutable_timeout_failure_info()->mutable_last_heartbeat_details() = info.heartbeat_details();
  if (info.has_last_failure()) *failure.mutable_cause() = info.last_failure();
  Event event = make_event<enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT>(now);
  auto& attributes = *event.mutable_activity_task_timed_out_event_attributes();
  attributes.set_scheduled_event_id(info.scheduled_event_id());
  attributes.set_started_event_id(started_event_id);
  attributes.set_retry_state(retry_state);
  *attributes.mutable_failure() = std::move(failure);
  return event;
}

Event canceled(Ns now, const stored::ActivityInfo& info, std::int64_t started_event_id, Payloads* details,
               const std::string& identity) {
  Event event = make_event<enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED>(now);
  auto& attributes = *event.mutable_activity_task_canceled_event_attributes();
  if (details != nullptr) attributes.mutable_details()->Swap(details);
  attributes.set_latest_cancel_requested_event_id(info.cancel_requested_event_id());
  attributes.set_scheduled_event_id(info.scheduled_event_id());
  attributes.set_started_event_id(started_event_id);
  attributes.set_identity(identity);
  return event;
}

Event cancel_requested(Ns now, std::int64_t completed_event_id, std::int64_t scheduled_event_id) {
  Event event = make_event<enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED>(now);
  auto& attributes = *event.mutable_activity_task_cancel_requested_event_attributes();
  attributes.set_scheduled_event_id(scheduled_event_id);
  attributes.set_workflow_task_completed_event_id(completed_event_id);
  return event;
}

Event scheduled(Ns now, std::int64_t completed_event_id, Command* command) {
  Event event = make_event<enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED>(now);
  auto& attributes = *event.mutable_activity_task_scheduled_event_attributes();
  attributes.mutable_activity_id()->swap(*command->mutable_activity_id());
  attributes.mutable_activity_type()->Swap(command->mutable_activity_type());
  attributes.mutable_task_queue()->Swap(command->mutable_task_queue());
  if (command->has_header()) attributes.mutable_header()->Swap(command->mutable_header());
  if (command->has_input()) attributes.mutable_input()->Swap(command->mutable_input());
  attributes.mutable_schedule_to_close_timeout()->Swap(command->mutable_schedule_to_close_timeout());
  attributes.mutable_schedule_to_start_timeout()->Swap(command->mutable_schedule_to_start_timeout());
  attributes.mutable_start_to_close_timeout()->Swap(command->mutable_start_to_close_timeout());
  attributes.mutable_heartbeat_timeout()->Swap(command->mutable_heartbeat_timeout());
  attributes.set_workflow_task_completed_event_id(completed_event_id);
  attributes.mutable_retry_policy()->Swap(command->mutable_retry_policy());
  if (command->has_priority()) attributes.mutable_priority()->Swap(command->mutable_priority());
  return event;
}

// The next attempt, if the policy grants one.
enums::RetryState retry_or_say_why(MutableState& ms, const Limits& limits, Ns now,
                                   const stored::ActivityInfo* info, const Failure& failure, bool at_once) {
  if (info->cancel_requested()) return enums::RETRY_STATE_CANCEL_REQUESTED;
  auto again = retry::next(info->retry_policy(), info->attempt(), now, expiration(*info), &failure);
  if (again.state != enums::RETRY_STATE_IN_PROGRESS) return again.state;
  if (at_once) again.interval = 0;
  const State next = step(*info, again.interval > 0 ? On::kRetry : On::kRetryAtOnce);
  auto& own = *writable(ms).activity(info->scheduled_event_id());
  own.set_attempt(info->attempt() + 1);
  own.set_attempt_scheduled_ns(now + again.interval);
  own.set_retry_interval_ns(again.interval);
  own.set_backing_off(next == State::kBackingOff);
  own.set_started_ns(0);
  own.clear_request_id();
  own.set_holder_epoch(0);
  own.set_last_attempt_complete_ns(now);
  *own.mutable_last_failure() = truncated(failure, limits.failure_bytes);
  if (next == State::kWaiting) ms.effects().activities.push_back(info->scheduled_event_id());
  refresh_deadline(writable(ms), own);
  return enums::RETRY_STATE_IN_PROGRESS;
}

void time_out(MutableState& ms, const Limits& limits, Ns now, const stored::ActivityInfo* info,
              enums::TimeoutType type, bool at_once) {
  Failure failure = timeout_failure(type);
  // Of the four, start-to-close and heartbeat are tried again; the others are failures that no policy
  // retries.
  const enums::RetryState state = retry_or_say_why(ms, limits, now, info, failure, at_once);
  if (state == enums::RETRY_STATE_IN_PROGRESS) return;
  // No time left for another attempt: what ran out is schedule-to-close.
  if (state == enums::RETRY_STATE_TIMEOUT) failure = timeout_failure(enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  step(*info, On::kTimeOut);
  const std::int64_t started = record_started(ms, *info);
  ms.effects().ended_activities.push_back(info->scheduled_event_id());
  ms.record(timed_out(now, *info, started, std::move(failure), state));
  workflow_task::schedule(ms, now);
}

void end_canceled(MutableState& ms, Ns now, const stored::ActivityInfo& info, Payloads* details,
                  const std::string& identity) {
  const std::int64_t started = record_started(ms, info);
  ms.effects().ended_activities.push_back(info.scheduled_event_id());
  ms.record(canceled(now, info, started, details, identity));
  workflow_task::schedule(ms, now);
}

}  // namespace

State state_of(const stored::ActivityInfo& info) {
  if (info.started_ns() != 0) return info.cancel_requested() ? State::kCancelRequested : State::kStarted;
  return info.backing_off() ? State::kBackingOff : State::kWaiting;
}

std::string prepare(Command* command, const stored::ExecutionState& state, const Limits& limits) {
  if (command->activity_id().empty()) return "ActivityId is not set on ScheduleActivityTaskCommand.";
  if (command->activity_type().name().empty())
    return "ActivityType is not set on ScheduleActivityTaskCommand.";
  const auto longest = static_cast<std::size_t>(limits.id_bytes);
  if (command->activity_id().size() > longest)
    return "ActivityId on ScheduleActivityTaskCommand exceeds length limit.";
  if (command->activity_type().name().size() > longest)
    return "ActivityType on ScheduleActivityTaskCommand exceeds length limit.";
  if (command->task_queue().name().size() > longest)
    return "invalid TaskQueue on ScheduleActivityTaskCommand: taskQueue length exceeds limit.";
  if (command->task_queue().name().empty()) command->mutable_task_queue()->set_name(state.task_queue());
  if (command->task_queue().kind() == enums::TASK_QUEUE_KIND_UNSPECIFIED) {
    command->mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  }
  if (std::string wrong = retry::problem(command->retry_policy()); !wrong.empty())
    return "invalid ActivityRetryPolicy on ScheduleActivityTaskCommand: " + wrong;
  retry::fill_defaults(command->mutable_retry_policy());
  if (std::string wrong = priority::problem(command->priority()); !wrong.empty())
    return "invalid Priority on ScheduleActivityTaskCommand: " + wrong;
  for (const auto& [name, duration] : {std::pair("ScheduleToClose", &command->schedule_to_close_timeout()),
                                       std::pair("ScheduleToStart", &command->schedule_to_start_timeout()),
                                       std::pair("StartToClose", &command->start_to_close_timeout()),
                                       std::pair("Heartbeat", &command->heartbeat_timeout())}) {
    if (to_ns(*duration) >= 0) continue;
    return std::string("Invalid ") + name + "Timeout for ScheduleActivityTaskCommand: negative duration.";
  }
  Ns to_close = to_ns(command->schedule_to_close_timeout());
  Ns to_start = to_ns(command->schedule_to_start_timeout());
  Ns start_to_close = to_ns(command->start_to_close_timeout());
  Ns heartbeat = to_ns(command->heartbeat_timeout());
  if (to_close > 0) {
    to_start = to_start > 0 ? std::min(to_start, to_close) : to_close;
    start_to_close = start_to_close > 0 ? std::min(start_to_close, to_close) : to_close;
  } else if (start_to_close > 0) {
    to_close = state.run_timeout_ns();
    if (to_start == 0) to_start = state.run_timeout_ns();
  } else {
    return "A valid StartToClose or ScheduleToCloseTimeout is not set on ScheduleActivityTaskCommand.";
  }
  if (const Ns run = state.run_timeout_ns(); run > 0) {
    to_close = std::min(to_close, run);
    to_start = std::min(to_start, run);
    start_to_close = std::min(start_to_close, run);
    heartbeat = std::min(heartbeat, run);
  }
  heartbeat = std::min(heartbeat, start_to_close);
  set_duration(command->mutable_schedule_to_close_timeout(), to_close);
  set_duration(command->mutable_schedule_to_start_timeout(), to_start);
  set_duration(command->mutable_start_to_close_timeout(), start_to_close);
  set_duration(command->mutable_heartbeat_timeout(), heartbeat);
  return {};
}

std::int64_t schedule(MutableState& ms, Ns now, std::int64_t completed_event_id, Command* command) {
  HF_CHECK(ms.activity_by_id(command->activity_id()) == nullptr);
  const std::int64_t id = ms.record(scheduled(now, completed_event_id, command));
  ms.effects().activities.push_back(id);
  return id;
}

// What the history says of an activity that was canceled before anybody had it, in Temporal's words.
static Payloads never_started() {
  Payloads details;
  auto& payload = *details.add_payloads();
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data("\"ACTIVITY_ID_NOT_STARTED\"");
  return details;
}

bool request_cancel(MutableState& ms, Ns now, std::int64_t completed_event_id,
                    std::int64_t scheduled_event_id, const std::string& identity) {
  const auto* info = ms.activity(scheduled_event_id);
  if (info == nullptr) {
    // It ended while the workflow task was out.
    if (!ms.end_is_buffered(scheduled_event_id)) return false;
    // Too late to matter, but each command has its event: workers check that when they replay.
    ms.record(cancel_requested(now, completed_event_id, scheduled_event_id));
    return true;
  }
  if (info->cancel_requested()) return true;  // asked twice: one event is enough
  const auto next = kTable.next(state_of(*info), On::kRequestCancel);
  if (!next) return false;
  ms.record(cancel_requested(now, completed_event_id, scheduled_event_id));
  if (*next == State::kClosed) {
    Payloads details = never_started();
    end_canceled(ms, now, *info, &details, identity);
  }
  return true;
}

bool startable(const stored::ActivityInfo& info, std::int32_t attempt) {
  return info.attempt() == attempt && state_of(info) == State::kWaiting;
}

void start(MutableState& ms, Ns now, const stored::ActivityInfo* info, const std::string& identity,
           const std::string& request_id, std::int64_t holder_epoch) {
  step(*info, On::kStart);
  auto& own = *writable(ms).activity(info->scheduled_event_id());
  own.set_started_ns(now);
  own.set_identity(identity);
  own.set_request_id(request_id);
  own.set_holder_epoch(holder_epoch);
  refresh_deadline(writable(ms), own);
}

void take_back(MutableState& ms, Ns now, const stored::ActivityInfo* info) {
  const State next = step(*info, On::kTakeBack);
  auto& own = *writable(ms).activity(info->scheduled_event_id());
  own.set_started_ns(0);
  own.clear_identity();
  own.clear_request_id();
  own.set_holder_epoch(0);
  if (next == State::kClosed) return end_canceled(ms, now, own, nullptr, "history-service");
  refresh_deadline(writable(ms), own);
}

void complete(MutableState& ms, Ns now, const stored::ActivityInfo* info, Payloads* result,
              const std::string& identity) {
  step(*info, On::kComplete);
  const std::int64_t started = record_started(ms, *info);
  ms.effects().ended_activities.push_back(info->scheduled_event_id());
  ms.record(completed(now, *info, started, result, identity));
  workflow_task::schedule(ms, now);
}

void fail(MutableState& ms, const Limits& limits, Ns now, const stored::ActivityInfo* info,
          const Failure& failure, const std::string& identity) {
  const auto state = retry_or_say_why(ms, limits, now, info, failure, false);
  if (state == enums::RETRY_STATE_IN_PROGRESS) return;
  step(*info, On::kFailFinally);
  const std::int64_t started = record_started(ms, *info);
  ms.record(failed(now, *info, started, failure, identity, state));
  workflow_task::schedule(ms, now);
}

bool canceled(MutableState& ms, Ns now, const stored::ActivityInfo* info, Payloads* details,
              const std::string& identity) {
  if (!kTable.next(state_of(*info), On::kCanceled)) return false;
  end_canceled(ms, now, *info, details, identity);
  return true;
}

void heartbeat(MutableState& ms, Ns now, const stored::ActivityInfo* info, Payloads* details) {
  auto& own = *writable(ms).activity(info->scheduled_event_id());
  own.set_last_heartbeat_ns(now);
  if (details != nullptr) writable(ms).set_heartbeat_details(info->scheduled_event_id(), details);
  refresh_deadline(writable(ms), own);
}

void keep_details(MutableState& ms, const stored::ActivityInfo* info, Payloads* details) {
  writable(ms).set_heartbeat_details(info->scheduled_event_id(), details);
}

void refresh_deadline(Record& record, const stored::ActivityInfo& info) {
  Ns at = expiration(info);
  const auto earlier = [&at](Ns other) { at = at == 0 ? other : std::min(at, other); };
  if (info.started_ns() != 0) {
    if (info.start_to_close_ns() != 0) earlier(info.started_ns() + info.start_to_close_ns());
    if (info.heartbeat_ns() != 0)
      earlier(std::max(info.started_ns(), info.last_heartbeat_ns()) + info.heartbeat_ns());
  } else if (info.backing_off()) {
    earlier(info.attempt_scheduled_ns());
  } else if (info.schedule_to_start_ns() != 0) {
    earlier(info.attempt_scheduled_ns() + info.schedule_to_start_ns());
  }
  record.set_deadline(DeadlineKind::kActivity, info.scheduled_event_id(), at);
}

void on_deadline(MutableState& ms, const Limits& limits, Ns now, std::int64_t scheduled_event_id) {
  const auto* info = ms.activity(scheduled_event_id);
  if (info == nullptr) return;
  const Ns end = expiration(*info);
  const Ns to_start = info->schedule_to_start_ns() == 0 || state_of(*info) != State::kWaiting
                          ? 0
                          : info->attempt_scheduled_ns() + info->schedule_to_start_ns();
  // Who was never started in time hears that first, also when both are over at once.
  if (to_start != 0 && to_start <= now && (end == 0 || to_start <= end)) {
    return time_out(ms, limits, now, info, enums::TIMEOUT_TYPE_SCHEDULE_TO_START, false);
  }
  if (end != 0 && end <= now) {
    return time_out(ms, limits, now, info, enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, false);
  }
  if (info->started_ns() != 0) {
    if (info->start_to_close_ns() != 0 && info->started_ns() + info->start_to_close_ns() <= now) {
      return time_out(ms, limits, now, info, enums::TIMEOUT_TYPE_START_TO_CLOSE, false);
    }
    const Ns last = std::max(info->started_ns(), info->last_heartbeat_ns());
    if (info->heartbeat_ns() != 0 && last + info->heartbeat_ns() <= now) {
      return time_out(ms, limits, now, info, enums::TIMEOUT_TYPE_HEARTBEAT, false);
    }
  } else if (info->backing_off()) {
    if (info->attempt_scheduled_ns() <= now) {
      step(*info, On::kBackoffOver);
      writable(ms).activity(scheduled_event_id)->set_backing_off(false);
      ms.effects().activities.push_back(scheduled_event_id);
    }
  }
  refresh_deadline(writable(ms), *info);
}

void lost_holder(MutableState& ms, const Limits& limits, Ns now, const stored::ActivityInfo* info) {
  time_out(ms, limits, now, info, enums::TIMEOUT_TYPE_START_TO_CLOSE, true);
}

void apply_scheduled(Record& record, const Event& event) {
  const auto& from = event.activity_task_scheduled_event_attributes();
  const Ns time = to_ns(event.event_time());
  auto& info = record.add_activity(event.event_id(), from.activity_id());
  info.set_activity_type(from.activity_type().name());
  info.set_task_queue(from.task_queue().name());
  info.set_scheduled_ns(time);
  info.set_attempt_scheduled_ns(time);
  info.set_attempt(1);
  info.set_schedule_to_close_ns(to_ns(from.schedule_to_close_timeout()));
  info.set_schedule_to_start_ns(to_ns(from.schedule_to_start_timeout()));
  info.set_start_to_close_ns(to_ns(from.start_to_close_timeout()));
  info.set_heartbeat_ns(to_ns(from.heartbeat_timeout()));
  *info.mutable_retry_policy() = from.retry_policy();
  if (from.has_priority()) *info.mutable_priority() = from.priority();
  refresh_deadline(record, info);
}

// The activity may be over by now: its end waits among the buffered events.
void apply_cancel_requested(Record& record, const Event& event) {
  auto* info = record.activity(event.activity_task_cancel_requested_event_attributes().scheduled_event_id());
  if (info == nullptr) return;
  info->set_cancel_requested(true);
  info->set_cancel_requested_event_id(event.event_id());
}

void apply_completed(Record& record, const Event& event) {
  record.erase_activity(event.activity_task_completed_event_attributes().scheduled_event_id());
}

void apply_failed(Record& record, const Event& event) {
  record.erase_activity(event.activity_task_failed_event_attributes().scheduled_event_id());
}

void apply_timed_out(Record& record, const Event& event) {
  record.erase_activity(event.activity_task_timed_out_event_attributes().scheduled_event_id());
}

void apply_canceled(Record& record, const Event& event) {
  record.erase_activity(event.activity_task_canceled_event_attributes().scheduled_event_id());
}

}  // namespace holdfast::history::activity
