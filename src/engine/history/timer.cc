#include "history/timer.h"

#include "base/transition.h"
#include "history/apply.h"
#include "history/writable.h"

namespace holdfast::history::timer {
namespace {

enum class On : std::uint8_t { kStart, kFire, kFireWhileTaskRuns, kCancel };

// A timer that fires while a workflow task is started is buffered; cancelling it then takes the event back.
constexpr Transition<State, On> kRows[] = {
    {State::kNone, On::kStart, State::kStarted},
    {State::kStarted, On::kFire, State::kNone},
    {State::kStarted, On::kFireWhileTaskRuns, State::kFiredBuffered},
    {State::kStarted, On::kCancel, State::kNone},
    {State::kFiredBuffered, On::kCancel, State::kNone},
};
const TransitionTable kTable("timer", rows(State::kNone, kRows));

Event started(Ns now, std::int64_t completed_event_id, const std::string& timer_id, Ns duration) {
  Event event = make_event<enums::EVENT_TYPE_TIMER_STARTED>(now);
  auto& attributes = *event.mutable_timer_started_event_attributes();
  attributes.set_timer_id(timer_id);
  set_duration(attributes.mutable_start_to_fire_timeout(), duration);
  attributes.set_workflow_task_completed_event_id(completed_event_id);
  return event;
}

Event canceled(Ns now, std::int64_t completed_event_id, const std::string& timer_id,
               std::int64_t started_event_id, const std::string& identity) {
  Event event = make_event<enums::EVENT_TYPE_TIMER_CANCELED>(now);
  auto& attributes = *event.mutable_timer_canceled_event_attributes();
  attributes.set_timer_id(timer_id);
  attributes.set_started_event_id(started_event_id);
  attributes.set_workflow_task_completed_event_id(completed_event_id);
  attributes.set_identity(identity);
  return event;
}

Event fired(Ns now, const stored::TimerInfo& info) {
  Event event = make_event<enums::EVENT_TYPE_TIMER_FIRED>(now);
  auto& attributes = *event.mutable_timer_fired_event_attributes();
  attributes.set_timer_id(info.timer_id());
  attributes.set_started_event_id(info.started_event_id());
  return event;
}

}  // namespace

void start(MutableState& ms, Ns now, std::int64_t completed_event_id, const std::string& timer_id,
           Ns duration) {
  kTable.step(ms.timer_by_id(timer_id) == nullptr ? State::kNone : State::kStarted, On::kStart);
  ms.record(started(now, completed_event_id, timer_id, duration));
}

bool cancel(MutableState& ms, Ns now, std::int64_t completed_event_id, const std::string& timer_id,
            const std::string& identity) {
  const auto* info = ms.timer_by_id(timer_id);
  const auto buffered = info == nullptr ? ms.buffered_fire(timer_id) : std::nullopt;
  const State state = info != nullptr ? State::kStarted : buffered ? State::kFiredBuffered : State::kNone;
  if (!kTable.next(state, On::kCancel)) return false;
  std::int64_t started_event_id = 0;
  if (buffered) {
    const Event& event = *ms.held().buffered_events.find(*buffered);
    started_event_id = event.timer_fired_event_attributes().started_event_id();
    writable(ms).erase_buffered(*buffered);
  } else {
    started_event_id = info->started_event_id();
  }
  ms.record(canceled(now, completed_event_id, timer_id, started_event_id, identity));
  return true;
}

void fire(MutableState& ms, Ns now, std::int64_t started_event_id) {
  const auto* info = ms.timer(started_event_id);
  if (info == nullptr) return;
  kTable.step(State::kStarted,
              ms.would_buffer(enums::EVENT_TYPE_TIMER_FIRED) ? On::kFireWhileTaskRuns : On::kFire);
  ms.record(fired(now, *info));
}

void apply_started(Record& record, const Event& event) {
  const auto& attributes = event.timer_started_event_attributes();
  stored::TimerInfo info;
  info.set_timer_id(attributes.timer_id());
  info.set_started_event_id(event.event_id());
  info.set_fire_ns(to_ns(event.event_time()) + to_ns(attributes.start_to_fire_timeout()));
  record.add_timer(std::move(info));
}

void apply_fired(Record& record, const Event& event) {
  record.erase_timer(event.timer_fired_event_attributes().started_event_id());
}

void apply_canceled(Record& record, const Event& event) {
  record.erase_timer(event.timer_canceled_event_attributes().started_event_id());
}

}  // namespace holdfast::history::timer
