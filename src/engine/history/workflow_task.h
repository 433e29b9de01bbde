#pragma once

// The workflow task of an execution: at most one is pending. The first attempt is written to history; later
// attempts after a failure are transient (their events appear in poll responses only, until one completes); a
// speculative task carries updates and is written only when it turns out to matter. The events of an
// unwritten task are applied when they are made, as all others, and once more if they are written.

#include <string>

#include "history/mutable_state.h"

namespace holdfast::history::workflow_task {

enum class State : std::uint8_t { kNone, kScheduled, kStarted, kTakenBack };
State state_of(const MutableState& ms);
// Nobody holds it: the next poll may have it.
bool waits_for_poll(const MutableState& ms);

// After this many failed attempts the task's own timeout grows instead of a backoff.
inline constexpr std::int32_t kLengthenAfterAttempt = 3;
inline constexpr Ns kDefaultTimeout = 10 * kSecond;
inline constexpr Ns kMaxTimeout = 120 * kSecond;
// A speculative task that nobody takes in this time becomes an ordinary one.
inline constexpr Ns kSpeculativeScheduleToStart = 5 * kSecond;
// How long a task may be prolonged by force_create_new_workflow_task.
inline constexpr Ns kHeartbeatLimit = 30 * kMinute;

struct ScheduleOptions {
  bool speculative = false;
  Ns original_scheduled_ns = 0;  // heartbeats keep it
  bool bypass_dispatch = false;  // the caller hands it out itself
  bool end_first_wait = false;   // the first task is held back no longer
};

// Nothing when one is pending, the execution is closed, or the first task is still held back.
void schedule(MutableState& ms, Ns now, ScheduleOptions options = {});
// The task that just ended brought nothing: the next one tries again, as a first attempt if there is news.
void schedule_again(MutableState& ms, Ns now);

struct StartInfo {
  std::string identity{};
  std::string request_id{};
  std::int64_t holder_epoch = 0;
};
// The caller checked that the task is scheduled and not started.
void start(MutableState& ms, const Limits& limits, Ns now, const StartInfo& info);

// The poll that was given the task did not get it: it waits for another, on the queue that all poll. The
// history says that it was started, and no more: that stays true for who gets it next.
void take_back(MutableState& ms);
// Who gets it next.
void start_again(MutableState& ms, Ns now, const StartInfo& info);

// Events of a task that is not in the history: what a poll response or a history read shows behind the last
// page.
void append_unwritten(const MutableState& ms, pb::history::v1::History* history);
bool unwritten(const MutableState& ms);

struct CompleteInfo {
  std::string identity{};
  const pb::sdk::v1::WorkflowTaskCompletedMetadata* sdk_metadata = nullptr;
  const pb::common::v1::MeteringMetadata* metering = nullptr;
  const pb::common::v1::WorkerVersionStamp* worker_version = nullptr;  // workers read their build id from it
  std::string binary_checksum{};
};
// Writes what is missing of a transient or speculative task, then the completion; returns the completion's
// event id.
std::int64_t complete(MutableState& ms, Ns now, const CompleteInfo& info);

// Drops a started speculative task that changed nothing.
void discard(MutableState& ms);

struct FailInfo {
  enums::WorkflowTaskFailedCause cause = enums::WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED;
  const Failure* failure = nullptr;
  std::string identity{};
};
// The next attempt is the caller's to schedule, after flush_buffered().
void fail(MutableState& ms, Ns now, const FailInfo& info);
void time_out(MutableState& ms, Ns now, enums::TimeoutType type);
// A sticky task nobody polled for goes to the normal queue, unchanged.
void leave_sticky_queue(MutableState& ms);

// flush_buffered() and the next task if events or updates ask for one. Ends every transition.
void finish_transition(MutableState& ms, Ns now);

// Writes the scheduled (and started) event of a speculative task.
void make_real(MutableState& ms);
// Nobody polls for a speculative task: it goes to its queue once more, as an ordinary one.
void offer_as_ordinary(MutableState& ms);

// The worker that keeps the run asks for its next tasks on a queue of its own.
void set_sticky(MutableState& ms, const std::string& queue, Ns schedule_to_start);
void clear_sticky(MutableState& ms);
void refresh_deadline(Record& record);

void apply_scheduled(Record& record, const Event& event);
void apply_started(Record& record, const Event& event);
void apply_completed(Record& record, const Event& event);
void apply_failed(Record& record, const Event& event);
void apply_timed_out(Record& record, const Event& event);

}  // namespace holdfast::history::workflow_task
