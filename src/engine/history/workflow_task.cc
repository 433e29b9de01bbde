#include "history/workflow_task.h"

#include <algorithm>

#include "base/transition.h"
#include "history/apply.h"
#include "history/update.h"
#include "history/writable.h"

namespace holdfast::history::workflow_task {
namespace {

enum class On : std::uint8_t { kSchedule, kStart, kComplete, kFail, kTimeOut, kDiscard, kTakeBack };

constexpr Transition<State, On> kRows[] = {
    {State::kNone, On::kSchedule, State::kScheduled},    {State::kScheduled, On::kStart, State::kStarted},
    {State::kScheduled, On::kTimeOut, State::kNone},  // sticky queue: nobody came
    {State::kStarted, On::kComplete, State::kNone},      {State::kStarted, On::kFail, State::kNone},
    {State::kStarted, On::kTimeOut, State::kNone},       {State::kStarted, On::kDiscard, State::kNone},
    {State::kStarted, On::kTakeBack, State::kTakenBack}, {State::kTakenBack, On::kStart, State::kStarted},
    {State::kTakenBack, On::kFail, State::kNone},  // its run ends, or too much waits for it
};
const TransitionTable kTable("workflow task", rows(State::kNone, kRows));

void step(const MutableState& ms, On on) {
  kTable.step(state_of(ms), on);
}

Ns timeout_of_attempt(const MutableState& ms, std::int32_t attempt) {
  Ns timeout = ms.s().task_timeout_ns();
  if (attempt > kLengthenAfterAttempt) {
    const int doublings = std::min(attempt - kLengthenAfterAttempt - 1, 10);
    timeout += std::min(5 * kSecond << doublings, 10 * kMinute);
  }
  return timeout;
}

Event scheduled(Ns time, const std::string& task_queue, const std::string* normal_queue, Ns start_to_close,
                std::int32_t attempt) {
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED>(time);
  auto& attributes = *event.mutable_workflow_task_scheduled_event_attributes();
  auto& queue = *attributes.mutable_task_queue();
  queue.set_name(task_queue);
  queue.set_kind(normal_queue != nullptr ? enums::TASK_QUEUE_KIND_STICKY : enums::TASK_QUEUE_KIND_NORMAL);
  if (normal_queue != nullptr) queue.set_normal_name(*normal_queue);
  set_duration(attributes.mutable_start_to_close_timeout(), start_to_close);
  attributes.set_attempt(attempt);
  return event;
}

Event started(Ns time, std::int64_t scheduled_event_id, const std::string& identity,
              const std::string& request_id, std::int64_t history_bytes, bool suggest_continue_as_new) {
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_TASK_STARTED>(time);
  auto& attributes = *event.mutable_workflow_task_started_event_attributes();
  attributes.set_scheduled_event_id(scheduled_event_id);
  attributes.set_identity(identity);
  attributes.set_request_id(request_id);
  attributes.set_history_size_bytes(history_bytes);
  attributes.set_suggest_continue_as_new(suggest_continue_as_new);
  return event;
}

// The events of the pending task, made once more.
Event scheduled_again(const MutableState& ms, Ns time) {
  const auto& task = ms.s().workflow_task();
  return scheduled(time, task.task_queue(), task.sticky() ? &ms.s().task_queue() : nullptr,
                   task.start_to_close_ns(), task.attempt());
}

Event started_again(const MutableState& ms) {
  const auto& task = ms.s().workflow_task();
  return started(task.started_ns(), task.scheduled_event_id(), task.identity(), task.request_id(),
                 task.history_bytes(), task.suggest_continue_as_new());
}

Event completed(Ns now, const stored::WorkflowTaskInfo& task, const CompleteInfo& info) {
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED>(now);
  auto& attributes = *event.mutable_workflow_task_completed_event_attributes();
  attributes.set_scheduled_event_id(task.scheduled_event_id());
  attributes.set_started_event_id(task.started_event_id());
  attributes.set_identity(info.identity);
  if (info.sdk_metadata != nullptr) *attributes.mutable_sdk_metadata() = *info.sdk_metadata;
  if (info.metering != nullptr) *attributes.mutable_metering_metadata() = *info.metering;
  if (info.worker_version != nullptr) *attributes.mutable_worker_version() = *info.worker_version;
  attributes.set_binary_checksum(info.binary_checksum);
  return event;
}

Event failed(Ns now, const stored::WorkflowTaskInfo& task, const FailInfo& info) {
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_TASK_FAILED>(now);
  auto& attributes = *event.mutable_workflow_task_failed_event_attributes();
  attributes.set_scheduled_event_id(task.scheduled_event_id());
  attributes.set_started_event_id(task.started_event_id());
  attributes.set_cause(info.cause);
  if (info.failure != nullptr) *attributes.mutable_failure() = *info.failure;
  attributes.set_identity(info.identity);
  return event;
}

Event timed_out(Ns now, const stored::WorkflowTaskInfo& task, enums::TimeoutType type) {
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT>(now);
  auto& attributes = *event.mutable_workflow_task_timed_out_event_attributes();
  attributes.set_scheduled_event_id(task.scheduled_event_id());
  attributes.set_started_event_id(task.started_event_id());
  attributes.set_timeout_type(type);
  return event;
}

// No task is pending; `attempt` is what the next one gets.
void clear(Record& record, std::int32_t attempt) {
  auto& task = *record.s().mutable_workflow_task();
  task.Clear();
  task.set_attempt(attempt);
  record.set_deadline(DeadlineKind::kWorkflowTask, 0, 0);
}

// The task has failed or timed out, which `event` says, unless it was never written. Attempts are counted on
// the normal queue only: a failure on the sticky queue first leaves that queue.
template <typename MakeEvent>
void give_up(MutableState& ms, On on, bool count, const MakeEvent& event) {
  step(ms, on);
  make_real(ms);
  const std::int32_t attempt = ms.s().workflow_task().attempt();
  if (attempt <= 1) ms.record(event(ms.s().workflow_task()));
  if (!ms.s().sticky_queue().empty()) {
    clear_sticky(ms);
    count = false;
  }
  clear(writable(ms), count ? attempt + 1 : 1);
  update::unsend(ms);
}

}  // namespace

State state_of(const MutableState& ms) {
  if (!ms.workflow_task_pending()) return State::kNone;
  if (!ms.workflow_task_started()) return State::kScheduled;
  return ms.s().workflow_task().taken_back() ? State::kTakenBack : State::kStarted;
}

bool waits_for_poll(const MutableState& ms) {
  const State state = state_of(ms);
  return state == State::kScheduled || state == State::kTakenBack;
}

bool unwritten(const MutableState& ms) {
  return ms.workflow_task_pending() && (ms.speculative() || ms.s().workflow_task().attempt() > 1);
}

void set_sticky(MutableState& ms, const std::string& queue, Ns schedule_to_start) {
  auto& state = writable(ms).s();
  state.set_sticky_queue(queue);
  state.set_sticky_schedule_to_start_ns(schedule_to_start);
}

void clear_sticky(MutableState& ms) {
  auto& state = writable(ms).s();
  state.clear_sticky_queue();
  state.clear_sticky_schedule_to_start_ns();
}

void refresh_deadline(Record& record) {
  const auto& task = record.s().workflow_task();
  Ns at = 0;
  if (task.taken_back()) {
    // Nobody is at work.
  } else if (task.started_event_id() != 0) {
    at = std::max(task.started_ns(), task.started_again_ns()) + task.start_to_close_ns();
  } else if (task.scheduled_event_id() != 0) {
    at = task.schedule_to_start_deadline_ns();
  }
  record.set_deadline(DeadlineKind::kWorkflowTask, 0, at);
}

void schedule(MutableState& ms, Ns now, ScheduleOptions options) {
  if (!ms.running() || ms.workflow_task_pending()) return;
  if (ms.s().first_task_backoff_until_ns() != 0 && !options.end_first_wait) return;
  if (ms.applying_commands()) return;  // what they caused is buffered; its flush asks for the task
  step(ms, On::kSchedule);
  auto& state = writable(ms).s();
  auto& task = *state.mutable_workflow_task();
  const std::int32_t attempt = std::max(task.attempt(), 1);
  const bool sticky = !state.sticky_queue().empty();
  Event event = scheduled(now, sticky ? state.sticky_queue() : state.task_queue(),
                          sticky ? &state.task_queue() : nullptr, timeout_of_attempt(ms, attempt), attempt);
  if (options.speculative || attempt > 1) {
    event.set_event_id(state.next_event_id());
    apply_scheduled(writable(ms), event);
    ms.set_speculative(options.speculative);
  } else {
    ms.record(std::move(event));
  }
  state.set_task_stamp(state.task_stamp() + 1);
  if (options.original_scheduled_ns != 0) task.set_original_scheduled_ns(options.original_scheduled_ns);
  if (task.sticky()) {
    task.set_schedule_to_start_deadline_ns(now + state.sticky_schedule_to_start_ns());
  } else if (options.speculative) {
    task.set_schedule_to_start_deadline_ns(now + kSpeculativeScheduleToStart);
  }
  refresh_deadline(writable(ms));
  if (!options.bypass_dispatch) ms.effects().workflow_task = true;
}

void schedule_again(MutableState& ms, Ns now) {
  if (ms.flush_buffered()) writable(ms).s().mutable_workflow_task()->set_attempt(1);
  schedule(ms, now);
}

void start(MutableState& ms, const Limits& limits, Ns now, const StartInfo& info) {
  step(ms, On::kStart);
  auto& state = writable(ms).s();
  auto& task = *state.mutable_workflow_task();
  if (task.attempt() > 1 && task.scheduled_event_id() != state.next_event_id()) {
    // Events came in since the last failure: an ordinary task again.
    task.set_attempt(1);
    task.set_start_to_close_ns(timeout_of_attempt(ms, 1));
    ms.record(scheduled_again(ms, now));
  }
  ms.seal();
  const bool suggest = state.history_bytes() >= limits.suggest_continue_bytes ||
                       state.next_event_id() - 1 >= limits.suggest_continue_events ||
                       ms.held().updates.size() * 10 >= limits.updates_total * 9;
  Event event =
      started(now, task.scheduled_event_id(), info.identity, info.request_id, state.history_bytes(), suggest);
  if (unwritten(ms)) {
    event.set_event_id(task.scheduled_event_id() + 1);
    apply_started(writable(ms), event);
  } else {
    ms.record(std::move(event));
  }
  task.set_holder_epoch(info.holder_epoch);
  if (!task.sticky()) clear_sticky(ms);
}

void take_back(MutableState& ms) {
  step(ms, On::kTakeBack);
  make_real(ms);
  clear_sticky(ms);
  auto& state = writable(ms).s();
  auto& task = *state.mutable_workflow_task();
  task.set_taken_back(true);
  task.set_holder_epoch(0);
  task.set_sticky(false);
  task.set_task_queue(state.task_queue());
  state.set_task_stamp(state.task_stamp() + 1);
  refresh_deadline(writable(ms));
}

void start_again(MutableState& ms, Ns now, const StartInfo& info) {
  step(ms, On::kStart);
  auto& task = *writable(ms).s().mutable_workflow_task();
  if (unwritten(ms)) {
    task.set_identity(info.identity);
    task.set_request_id(info.request_id);
  }
  task.set_taken_back(false);
  task.set_started_again_ns(now);
  task.set_holder_epoch(info.holder_epoch);
  refresh_deadline(writable(ms));
}

void append_unwritten(const MutableState& ms, pb::history::v1::History* history) {
  const auto& task = ms.s().workflow_task();
  // Events that came in since have taken its ids: it gets its place when it starts.
  if (!unwritten(ms) || task.scheduled_event_id() != ms.s().next_event_id()) return;
  Event event = scheduled_again(ms, task.scheduled_ns());
  event.set_event_id(task.scheduled_event_id());
  history->mutable_events()->Add(std::move(event));
  if (!ms.workflow_task_started()) return;
  event = started_again(ms);
  event.set_event_id(task.started_event_id());
  history->mutable_events()->Add(std::move(event));
}

void make_real(MutableState& ms) {
  if (!ms.speculative()) return;
  ms.set_speculative(false);
  const bool was_started = ms.workflow_task_started();
  ms.record(scheduled_again(ms, ms.s().workflow_task().scheduled_ns()));
  if (was_started) {
    ms.record(started_again(ms));
  } else if (!ms.s().workflow_task().sticky()) {
    writable(ms).s().mutable_workflow_task()->set_schedule_to_start_deadline_ns(0);
    refresh_deadline(writable(ms));
  }
}

void offer_as_ordinary(MutableState& ms) {
  make_real(ms);
  ms.effects().workflow_task = true;
  auto& state = writable(ms).s();
  state.set_task_stamp(state.task_stamp() + 1);
}

std::int64_t complete(MutableState& ms, Ns now, const CompleteInfo& info) {
  step(ms, On::kComplete);
  if (unwritten(ms)) {
    ms.set_speculative(false);
    ms.record(scheduled_again(ms, ms.s().workflow_task().scheduled_ns()));
    ms.record(started_again(ms));
  }
  return ms.record(completed(now, ms.s().workflow_task(), info));
}

void discard(MutableState& ms) {
  step(ms, On::kDiscard);
  ms.set_speculative(false);
  clear(writable(ms), 1);
}

void fail(MutableState& ms, Ns now, const FailInfo& info) {
  give_up(ms, On::kFail, true, [&](const auto& task) { return failed(now, task, info); });
}

void time_out(MutableState& ms, Ns now, enums::TimeoutType type) {
  give_up(ms, On::kTimeOut, type == enums::TIMEOUT_TYPE_START_TO_CLOSE,
          [&](const auto& task) { return timed_out(now, task, type); });
}

void leave_sticky_queue(MutableState& ms) {
  auto& state = writable(ms).s();
  auto& task = *state.mutable_workflow_task();
  task.set_sticky(false);
  task.set_task_queue(state.task_queue());
  task.set_schedule_to_start_deadline_ns(0);
  state.set_task_stamp(state.task_stamp() + 1);
  refresh_deadline(writable(ms));
  ms.effects().workflow_task = true;
}

void finish_transition(MutableState& ms, Ns now) {
  if (ms.running() && !ms.workflow_task_started()) {
    if (ms.flush_buffered()) {
      writable(ms).s().mutable_workflow_task()->set_attempt(1);
      schedule(ms, now);
    }
    if (!ms.workflow_task_pending() && ms.updates().has_unsent()) {
      // A speculative task may be lost at a crash: only when the history behind it is quiet, and not a first
      // task, which nothing else would bring.
      const bool waits = ms.s().first_task_backoff_until_ns() != 0;
      schedule(ms, now,
               {.speculative = !waits && ms.s().workflow_task().attempt() <= 1, .end_first_wait = true});
    }
  }
  ms.seal();
  auto& state = writable(ms).s();
  state.set_transition_count(state.transition_count() + 1);
}

// The first time it is heard of this task it is an ordinary one; who knows more says so afterwards.
void apply_scheduled(Record& record, const Event& event) {
  const auto& from = event.workflow_task_scheduled_event_attributes();
  auto& task = *record.s().mutable_workflow_task();
  if (task.scheduled_event_id() == 0) {
    const Ns time = to_ns(event.event_time());
    task.Clear();
    task.set_attempt(from.attempt());
    task.set_scheduled_ns(time);
    task.set_original_scheduled_ns(time);
    task.set_task_queue(from.task_queue().name());
    task.set_sticky(from.task_queue().kind() == enums::TASK_QUEUE_KIND_STICKY);
  }
  task.set_scheduled_event_id(event.event_id());
  task.set_start_to_close_ns(to_ns(from.start_to_close_timeout()));
  record.s().set_first_task_backoff_until_ns(0);
  record.set_deadline(DeadlineKind::kFirstTask, 0, 0);
}

void apply_started(Record& record, const Event& event) {
  const auto& from = event.workflow_task_started_event_attributes();
  auto& task = *record.s().mutable_workflow_task();
  task.set_started_event_id(event.event_id());
  task.set_started_ns(to_ns(event.event_time()));
  task.set_identity(from.identity());
  task.set_request_id(from.request_id());
  task.set_history_bytes(from.history_size_bytes());
  task.set_suggest_continue_as_new(from.suggest_continue_as_new());
  task.set_schedule_to_start_deadline_ns(0);
  refresh_deadline(record);
}

void apply_completed(Record& record, const Event& event) {
  const auto& from = event.workflow_task_completed_event_attributes();
  record.s().set_previous_started_event_id(from.started_event_id());
  record.s().set_last_completed_task_event_id(event.event_id());
  clear(record, 1);
}

void apply_failed(Record& record, const Event& /*event*/) {
  clear(record, 1);
}

void apply_timed_out(Record& record, const Event& /*event*/) {
  clear(record, 1);
}

}  // namespace holdfast::history::workflow_task
