#include "worker/terminal_machine.h"

namespace holdfast::worker {

void TerminalMachine::write(enums::EventType, Command* command) const {
  *command = command_;
}

}  // namespace holdfast::worker
