#pragma once

// Signals and cancellation requests to other workflows: sent, then delivered or refused.

#include <functional>
#include <string>
#include <vector>

#include "holdfast/payload.h"
#include "holdfast/task.h"
#include "worker/machine.h"

namespace holdfast::worker {

class ExternalTarget {
 public:
  ExternalTarget() = default;
  std::string workflow_id;
  std::string run_id;
  bool child_only = false;
};

class ExternalMachine : public Machine {
 public:
  ExternalMachine(Outbox& outbox, ExternalTarget target) : outbox_(outbox), target_(std::move(target)) {}

  virtual void begin() = 0;
  // Takes the request back if it was not sent.
  void cancel();
  Future<void> delivered() const { return delivered_.future(); }

  void recorded(enums::EventType kind, const HistoryEvent& event) override;
  void resolve(const HistoryEvent& event) override;
  bool done() const override { return state_ == State::kDone; }

  enum class State { kCreated, kInitiated, kDone };
  enum class Input { kInitiatedEvent, kCancel, kDeliveredEvent, kFailedEvent };

 protected:
  virtual enums::EventType kind() const = 0;
  virtual const char* noun() const = 0;
  void step(Input input, const HistoryEvent* event);

  Outbox& outbox_;
  const ExternalTarget target_;
  Promise<void> delivered_;
  State state_ = State::kCreated;
};

class ExternalSignalMachine : public ExternalMachine {
 public:
  ExternalSignalMachine(Outbox& outbox, ExternalTarget target, std::string signal,
                        std::vector<Payload> arguments)
      : ExternalMachine(outbox, std::move(target)),
        signal_(std::move(signal)),
        arguments_(std::move(arguments)) {}
  void begin() override { outbox_.commands().push(shared_from_this(), kind()); }
  std::string describe(enums::EventType kind) const override;
  void write(enums::EventType kind, Command* command) const override;

 protected:
  enums::EventType kind() const override {
    return enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED;
  }
  const char* noun() const override { return "signal"; }

 private:
  const std::string signal_;
  const std::vector<Payload> arguments_;
};

class ExternalCancelMachine : public ExternalMachine {
 public:
  ExternalCancelMachine(Outbox& outbox, ExternalTarget target, std::string reason)
      : ExternalMachine(outbox, std::move(target)), reason_(std::move(reason)) {}
  void begin() override { outbox_.commands().push(shared_from_this(), kind()); }
  std::string describe(enums::EventType kind) const override;
  void write(enums::EventType kind, Command* command) const override;

 protected:
  enums::EventType kind() const override {
    return enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED;
  }
  const char* noun() const override { return "cancel"; }

 private:
  const std::string reason_;
};

}  // namespace holdfast::worker
