#pragma once

// A child workflow as its parent sees it: initiated, started, ended.

#include <string>
#include <vector>

#include "holdfast/options.h"
#include "holdfast/task.h"
#include "worker/external_machine.h"
#include "worker/machine.h"

namespace holdfast::worker {

class ChildMachine : public Machine {
 public:
  // `options.workflow_id()` is set; `task_queue` is the parent's.
  ChildMachine(Outbox& outbox, std::string type, ChildOptions options, std::vector<Payload> arguments,
               const std::string& task_queue);

  void begin();
  void cancel(const std::string& reason);
  const std::string& workflow_id() const { return options_.workflow_id(); }
  Future<std::string> started() const { return started_.future(); }  // the run id
  Future<Payload> result() const { return result_.future(); }

  std::string describe(enums::EventType kind) const override;
  void write(enums::EventType kind, Command* command) const override;
  void recorded(enums::EventType kind, const HistoryEvent& event) override;
  void resolve(const HistoryEvent& event) override;
  bool done() const override { return state_ == State::kDone; }

  enum class State { kCreated, kInitiated, kStarted, kDone };
  enum class Input { kInitiatedEvent, kCancel, kStartedEvent, kStartFailedEvent, kClosedEvent };

 private:
  void step(Input input, const HistoryEvent* event);
  void fail(RetryState retry_state, const std::string& message, FailurePtr cause);
  void start_failed(const HistoryEvent& event);

  Outbox& outbox_;
  const std::string type_;
  const ChildOptions options_;
  const std::vector<Payload> arguments_;
  const std::string task_queue_;
  std::string run_id_;
  Promise<std::string> started_;
  Promise<Payload> result_;
  State state_ = State::kCreated;
  bool cancel_requested_ = false;
};

}  // namespace holdfast::worker
