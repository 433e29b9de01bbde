#include "worker/terminal_machine.h"

namespace holdfast::worker {
namespace {

using S = TerminalMachine::State;
using I = TerminalMachine::Input;

constexpr std::array kTable = std::to_array<Row<S, I>>({
    {S::kCreated, I::kRecordedEvent, S::kRecorded},
});

}  // namespace

void TerminalMachine::write(enums::EventType, Command* command) const {
  *command = command_;
}

void TerminalMachine::recorded(enums::EventType, const HistoryEvent& event) {
  const auto next = next_state(kTable, state_, I::kRecordedEvent);
  if (!next) throw_unexpected(event, "the run", "already closed");
  state_ = *next;
}

void TerminalMachine::resolve(const HistoryEvent& event) {
  throw_unexpected(event, "the run", "closed");
}

}  // namespace holdfast::worker
