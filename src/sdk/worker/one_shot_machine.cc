#include "worker/one_shot_machine.h"

namespace holdfast::worker {
namespace {

using S = OneShotMachine::State;
using I = OneShotMachine::Input;

constexpr Transition<S, I> kRows[] = {
    {S::kCreated, I::kRecordedEvent, S::kRecorded},
};
const TransitionTable kTable("worker one shot", rows(S::kCreated, kRows));

}  // namespace

void OneShotMachine::recorded(enums::EventType, const HistoryEvent& event) {
  const auto next = kTable.next(state_, I::kRecordedEvent);
  if (!next) throw_unexpected(event, noun(), std::string("already ") + after());
  state_ = *next;
}

void OneShotMachine::resolve(const HistoryEvent& event) {
  throw_unexpected(event, noun(), after());
}

}  // namespace holdfast::worker
