#pragma once

// The command that ends a run: complete, fail, cancel or continue as new. Always the last of its workflow
// task.

#include "worker/machine.h"

namespace holdfast::worker {

class TerminalMachine : public Machine {
 public:
  // `kind`: the closing event that `command` will become.
  TerminalMachine(enums::EventType kind, Command command) : kind_(kind), command_(std::move(command)) {}
  enums::EventType kind() const { return kind_; }
  std::string describe(enums::EventType kind) const override { return event_text(kind, {}); }
  void write(enums::EventType kind, Command* command) const override;
  void recorded(enums::EventType kind, const HistoryEvent& event) override;
  void resolve(const HistoryEvent& event) override;

  enum class State { kCreated, kRecorded };
  enum class Input { kRecordedEvent };

 private:
  const enums::EventType kind_;
  const Command command_;
  State state_ = State::kCreated;
};

}  // namespace holdfast::worker
