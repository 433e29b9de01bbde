#pragma once

// A command that is written once and never answered: markers, changes of attributes, the command that ends a
// run.

#include <string>

#include "worker/machine.h"

namespace holdfast::worker {

class OneShotMachine : public Machine {
 public:
  void recorded(enums::EventType kind, const HistoryEvent& event) override;
  void resolve(const HistoryEvent& event) override;

  enum class State { kCreated, kRecorded };
  enum class Input { kRecordedEvent };

 protected:
  // In the text of a disagreement: what the machine is, and what it is after its event.
  virtual std::string noun() const = 0;
  virtual const char* after() const { return "recorded"; }

 private:
  State state_ = State::kCreated;
};

}  // namespace holdfast::worker
