#pragma once

// The command that ends a run: complete, fail, cancel or continue as new. Always the last of its workflow
// task.

#include "worker/one_shot_machine.h"

namespace holdfast::worker {

class TerminalMachine : public OneShotMachine {
 public:
  // `kind`: the closing event that `command` will become.
  TerminalMachine(enums::EventType kind, Command command) : kind_(kind), command_(std::move(command)) {}
  enums::EventType kind() const { return kind_; }
  std::string describe(enums::EventType kind) const override { return event_text(kind, {}); }
  void write(enums::EventType kind, Command* command) const override;

 protected:
  std::string noun() const override { return "the run"; }
  const char* after() const override { return "closed"; }

 private:
  const enums::EventType kind_;
  const Command command_;
};

}  // namespace holdfast::worker
