#pragma once

// An activity as its workflow sees it: scheduled, perhaps canceled, ended once.

#include <string>
#include <vector>

#include "holdfast/options.h"
#include "holdfast/task.h"
#include "worker/machine.h"

namespace holdfast::worker {

class ActivityMachine : public Machine {
 public:
  ActivityMachine(Outbox& outbox, std::string id, std::string type, ActivityOptions options,
                  std::vector<Payload> arguments, const std::string& workflow_task_queue);

  // Emits the command.
  void begin();
  void cancel();
  Future<Payload> result() const { return result_.future(); }

  std::string describe(enums::EventType kind) const override;
  void write(enums::EventType kind, Command* command) const override;
  void recorded(enums::EventType kind, const HistoryEvent& event) override;
  void resolve(const HistoryEvent& event) override;
  bool done() const override { return state_ == State::kDone; }

  enum class State { kCreated, kScheduled, kCancelCreated, kCancelSent, kAbandoned, kDone };
  enum class Input { kScheduledEvent, kCancel, kAbandon, kCancelRequestedEvent, kClosedEvent };

 private:
  void step(Input input, const HistoryEvent* event);
  void fail(RetryState retry_state, const std::string& message, FailurePtr cause);

  Outbox& outbox_;
  const std::string id_;
  const std::string type_;
  const ActivityOptions options_;
  const std::vector<Payload> arguments_;
  const std::string task_queue_;
  Promise<Payload> result_;
  State state_ = State::kCreated;
  std::int64_t scheduled_event_id_ = 0;
};

}  // namespace holdfast::worker
