#include "history/workflow_task.h"

#include <algorithm>

#include "base/check.h"
#include "base/transition.h"

namespace holdfast::history::workflow_task {
namespace {

enum class On : std::uint8_t { kSchedule, kStart, kComplete, kFail, kTimeOut, kDiscard };

constexpr Transition<State, On> kRows[] = {
    {State::kNone, On::kSchedule, State::kScheduled}, {State::kScheduled, On::kStart, State::kStarted},
    {State::kScheduled, On::kTimeOut, State::kNone},  // sticky queue or speculative: nobody came
    {State::kScheduled, On::kDiscard, State::kNone},  {State::kScheduled, On::kFail, State::kNone},
    {State::kStarted, On::kComplete, State::kNone},   {State::kStarted, On::kFail, State::kNone},
    {State::kStarted, On::kTimeOut, State::kNone},    {State::kStarted, On::kDiscard, State::kNone},
};
const TransitionTable kTable("workflow task", rows(State::kNone, kRows));

void check(const MutableState& ms, On on) {
  HF_CHECK(kTable.next(state_of(ms), on).has_value());
}

Ns timeout_of_attempt(const MutableState& ms, std::int32_t attempt) {
  Ns timeout = ms.s().task_timeout_ns();
  if (attempt > kLengthenAfterAttempt) {
    const int doublings = std::min(attempt - kLengthenAfterAttempt - 1, 10);
    timeout += std::min(5 * kSecond << doublings, 10 * kMinute);
  }
  return timeout;
}

void fill_scheduled(const MutableState& ms, Event& event) {
  const auto& task = ms.s().workflow_task();
  auto& attributes = *event.mutable_workflow_task_scheduled_event_attributes();
  auto& queue = *attributes.mutable_task_queue();
  queue.set_name(task.task_queue());
  queue.set_kind(task.sticky() ? enums::TASK_QUEUE_KIND_STICKY : enums::TASK_QUEUE_KIND_NORMAL);
  if (task.sticky()) queue.set_normal_name(ms.s().task_queue());
  set_duration(attributes.mutable_start_to_close_timeout(), task.start_to_close_ns());
  attributes.set_attempt(task.attempt());
}

void write_scheduled(MutableState& ms, Ns time) {
  Event& event = ms.add_event(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, time);
  fill_scheduled(ms, event);
  ms.s().mutable_workflow_task()->set_scheduled_event_id(event.event_id());
}

void fill_started(const stored::WorkflowTaskInfo& task, Event& event) {
  auto& attributes = *event.mutable_workflow_task_started_event_attributes();
  attributes.set_scheduled_event_id(task.scheduled_event_id());
  attributes.set_identity(task.identity());
  attributes.set_request_id(task.request_id());
  attributes.set_history_size_bytes(task.history_bytes());
  attributes.set_suggest_continue_as_new(task.suggest_continue_as_new());
}

void write_started(MutableState& ms) {
  auto& task = *ms.s().mutable_workflow_task();
  Event& event = ms.add_event(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED, task.started_ns());
  fill_started(task, event);
  task.set_started_event_id(event.event_id());
}

// Ends the pending task; `attempt` is what the next one gets.
void clear(MutableState& ms, std::int32_t attempt) {
  auto& task = *ms.s().mutable_workflow_task();
  task.Clear();
  task.set_attempt(attempt);
  ms.set_speculative(false);
  ms.set_deadline(DeadlineKind::kWorkflowTask, 0, 0);
}

// Attempts are counted on the normal queue only: a failure on the sticky queue first leaves that queue.
void clear_failed(MutableState& ms, bool count) {
  std::int32_t attempt = 1;
  if (!ms.s().sticky_queue().empty()) {
    clear_sticky(ms);
  } else if (count) {
    attempt = ms.s().workflow_task().attempt() + 1;
  }
  clear(ms, attempt);
  ms.updates().unsend();
}

}  // namespace

State state_of(const MutableState& ms) {
  if (!ms.workflow_task_pending()) return State::kNone;
  return ms.workflow_task_started() ? State::kStarted : State::kScheduled;
}

bool unwritten(const MutableState& ms) {
  return ms.workflow_task_pending() && (ms.speculative() || ms.s().workflow_task().attempt() > 1);
}

void set_sticky(MutableState& ms, const std::string& queue, Ns schedule_to_start) {
  ms.s().set_sticky_queue(queue);
  ms.s().set_sticky_schedule_to_start_ns(schedule_to_start);
}

void clear_sticky(MutableState& ms) {
  ms.s().clear_sticky_queue();
  ms.s().clear_sticky_schedule_to_start_ns();
}

void refresh_deadline(MutableState& ms) {
  const auto& task = ms.s().workflow_task();
  Ns at = 0;
  switch (state_of(ms)) {
    case State::kNone: break;
    case State::kScheduled: at = task.schedule_to_start_deadline_ns(); break;
    case State::kStarted: at = task.started_ns() + task.start_to_close_ns(); break;
  }
  ms.set_deadline(DeadlineKind::kWorkflowTask, 0, at);
}

void schedule(MutableState& ms, Ns now, ScheduleOptions options) {
  if (!ms.running() || ms.workflow_task_pending() || ms.s().first_task_backoff_until_ns() != 0) return;
  if (ms.applying_commands()) return;  // what they caused is buffered; its flush asks for the task
  check(ms, On::kSchedule);
  auto& state = ms.s();
  auto& task = *state.mutable_workflow_task();
  const std::int32_t attempt = std::max(task.attempt(), 1);
  task.Clear();
  task.set_attempt(attempt);
  task.set_scheduled_ns(now);
  task.set_original_scheduled_ns(options.original_scheduled_ns != 0 ? options.original_scheduled_ns : now);
  task.set_start_to_close_ns(timeout_of_attempt(ms, attempt));
  task.set_sticky(!state.sticky_queue().empty());
  task.set_task_queue(task.sticky() ? state.sticky_queue() : state.task_queue());
  state.set_task_stamp(state.task_stamp() + 1);
  if (options.speculative) {
    task.set_scheduled_event_id(state.next_event_id());
    ms.set_speculative(true);
  } else if (attempt == 1) {
    write_scheduled(ms, now);
  } else {
    task.set_scheduled_event_id(state.next_event_id());
  }
  if (task.sticky()) {
    task.set_schedule_to_start_deadline_ns(now + state.sticky_schedule_to_start_ns());
  } else if (options.speculative) {
    task.set_schedule_to_start_deadline_ns(now + kSpeculativeScheduleToStart);
  }
  refresh_deadline(ms);
  if (!options.bypass_dispatch) ms.effects().workflow_task = true;
}

void schedule_again(MutableState& ms, Ns now) {
  if (ms.flush_buffered()) ms.s().mutable_workflow_task()->set_attempt(1);
  schedule(ms, now);
}

void start(MutableState& ms, const Limits& limits, Ns now, const StartInfo& info) {
  check(ms, On::kStart);
  auto& state = ms.s();
  auto& task = *state.mutable_workflow_task();
  if (task.attempt() > 1 && task.scheduled_event_id() != state.next_event_id()) {
    // Events came in since the last failure: an ordinary task again.
    task.set_attempt(1);
    task.set_start_to_close_ns(timeout_of_attempt(ms, 1));
    write_scheduled(ms, now);
  }
  ms.seal();
  task.set_started_ns(now);
  task.set_identity(info.identity);
  task.set_request_id(info.request_id);
  task.set_holder_epoch(info.holder_epoch);
  task.set_history_bytes(state.history_bytes());
  task.set_suggest_continue_as_new(state.history_bytes() >= limits.suggest_continue_bytes ||
                                   state.next_event_id() - 1 >= limits.suggest_continue_events ||
                                   state.updates_size() * 10 >= limits.updates_total * 9);
  task.set_schedule_to_start_deadline_ns(0);
  if (!task.sticky()) clear_sticky(ms);
  if (unwritten(ms)) {
    task.set_started_event_id(task.scheduled_event_id() + 1);
  } else {
    write_started(ms);
  }
  refresh_deadline(ms);
}

void append_unwritten(const MutableState& ms, pb::history::v1::History* history) {
  const auto& task = ms.s().workflow_task();
  // Events that came in since have taken its ids: it gets its place when it starts.
  if (!unwritten(ms) || task.scheduled_event_id() != ms.s().next_event_id()) return;
  Event& scheduled = *history->add_events();
  scheduled.set_event_id(task.scheduled_event_id());
  scheduled.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
  set_time(scheduled.mutable_event_time(), task.scheduled_ns());
  fill_scheduled(ms, scheduled);
  if (!ms.workflow_task_started()) return;
  Event& started = *history->add_events();
  started.set_event_id(task.started_event_id());
  started.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  set_time(started.mutable_event_time(), task.started_ns());
  fill_started(task, started);
}

void make_real(MutableState& ms, Ns /*now*/) {
  if (!ms.speculative()) return;
  ms.set_speculative(false);
  const bool was_started = ms.workflow_task_started();
  auto& task = *ms.s().mutable_workflow_task();
  write_scheduled(ms, task.scheduled_ns());
  if (was_started) {
    write_started(ms);
  } else if (!task.sticky()) {
    task.set_schedule_to_start_deadline_ns(0);
    refresh_deadline(ms);
  }
}

void offer_as_ordinary(MutableState& ms, Ns now) {
  make_real(ms, now);
  ms.effects().workflow_task = true;
  ms.s().set_task_stamp(ms.s().task_stamp() + 1);
}

std::int64_t complete(MutableState& ms, Ns now, const CompleteInfo& info) {
  check(ms, On::kComplete);
  auto& state = ms.s();
  if (unwritten(ms)) {
    ms.set_speculative(false);
    write_scheduled(ms, state.workflow_task().scheduled_ns());
    write_started(ms);
  }
  const auto scheduled = state.workflow_task().scheduled_event_id();
  const auto started = state.workflow_task().started_event_id();
  Event& event = ms.add_event(enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED, now);
  auto& attributes = *event.mutable_workflow_task_completed_event_attributes();
  attributes.set_scheduled_event_id(scheduled);
  attributes.set_started_event_id(started);
  attributes.set_identity(info.identity);
  if (info.sdk_metadata != nullptr) *attributes.mutable_sdk_metadata() = *info.sdk_metadata;
  if (info.metering != nullptr) *attributes.mutable_metering_metadata() = *info.metering;
  if (info.worker_version != nullptr) *attributes.mutable_worker_version() = *info.worker_version;
  attributes.set_binary_checksum(info.binary_checksum);
  state.set_previous_started_event_id(started);
  state.set_last_completed_task_event_id(event.event_id());
  const std::int64_t id = event.event_id();
  clear(ms, 1);
  return id;
}

void discard(MutableState& ms) {
  check(ms, On::kDiscard);
  clear(ms, 1);
}

void fail(MutableState& ms, Ns now, const FailInfo& info) {
  check(ms, On::kFail);
  if (ms.speculative()) make_real(ms, now);
  const auto task = ms.s().workflow_task();
  if (task.attempt() <= 1) {
    Event& event = ms.add_event(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED, now);
    auto& attributes = *event.mutable_workflow_task_failed_event_attributes();
    attributes.set_scheduled_event_id(task.scheduled_event_id());
    attributes.set_started_event_id(task.started_event_id());
    attributes.set_cause(info.cause);
    if (info.failure != nullptr) *attributes.mutable_failure() = *info.failure;
    attributes.set_identity(info.identity);
  }
  clear_failed(ms, true);
}

void time_out(MutableState& ms, Ns now, enums::TimeoutType type) {
  check(ms, On::kTimeOut);
  if (ms.speculative()) make_real(ms, now);
  const auto task = ms.s().workflow_task();
  if (task.attempt() <= 1) {
    Event& event = ms.add_event(enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, now);
    auto& attributes = *event.mutable_workflow_task_timed_out_event_attributes();
    attributes.set_scheduled_event_id(task.scheduled_event_id());
    attributes.set_started_event_id(task.started_event_id());
    attributes.set_timeout_type(type);
  }
  clear_failed(ms, type == enums::TIMEOUT_TYPE_START_TO_CLOSE);
}

void leave_sticky_queue(MutableState& ms) {
  auto& task = *ms.s().mutable_workflow_task();
  task.set_sticky(false);
  task.set_task_queue(ms.s().task_queue());
  task.set_schedule_to_start_deadline_ns(0);
  ms.s().set_task_stamp(ms.s().task_stamp() + 1);
  refresh_deadline(ms);
  ms.effects().workflow_task = true;
}

void finish_transition(MutableState& ms, Ns now) {
  if (ms.running() && !ms.workflow_task_started()) {
    if (ms.flush_buffered()) {
      ms.s().mutable_workflow_task()->set_attempt(1);
      schedule(ms, now);
    }
    if (!ms.workflow_task_pending() && ms.updates().has_unsent()) {
      // A speculative task may be lost at a crash: only when the history behind it is quiet.
      schedule(ms, now, {.speculative = ms.s().workflow_task().attempt() <= 1});
    }
  }
  ms.seal();
  ms.s().set_transition_count(ms.s().transition_count() + 1);
}

}  // namespace holdfast::history::workflow_task
