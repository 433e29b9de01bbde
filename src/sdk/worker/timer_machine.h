#pragma once

// A durable timer.

#include <string>

#include "holdfast/failure.h"
#include "holdfast/task.h"
#include "worker/machine.h"

namespace holdfast::worker {

class TimerMachine : public Machine {
 public:
  TimerMachine(Outbox& outbox, std::string id, Duration duration, std::string summary)
      : outbox_(outbox), id_(std::move(id)), duration_(duration), summary_(std::move(summary)) {}

  void begin() { outbox_.commands().push(shared_from_this(), enums::EVENT_TYPE_TIMER_STARTED); }
  void cancel();
  Future<void> fired() const { return fired_.future(); }

  std::string describe(enums::EventType kind) const override { return event_text(kind, {{"timer_id", id_}}); }
  void write(enums::EventType kind, Command* command) const override;
  void recorded(enums::EventType kind, const HistoryEvent& event) override;
  void resolve(const HistoryEvent& event) override;
  bool done() const override { return state_ == State::kDone; }

  enum class State { kCreated, kStarted, kCancelCreated, kDone };
  enum class Input { kStartedEvent, kCancel, kCanceledEvent, kFiredEvent };

 private:
  void step(Input input, const HistoryEvent* event);

  Outbox& outbox_;
  const std::string id_;
  const Duration duration_;
  const std::string summary_;
  Promise<void> fired_;
  State state_ = State::kCreated;
};

}  // namespace holdfast::worker
