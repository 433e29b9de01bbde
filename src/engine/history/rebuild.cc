#include "history/rebuild.h"

#include <google/protobuf/util/message_differencer.h>

#include "history/apply.h"
#include "history/volatile_state.h"

namespace holdfast::history {

Rebuild::Rebuild(const stored::StartFacts& facts) : record_(lifecycle::unborn(facts)) {}

Status Rebuild::add(const Event& event) {
  auto& state = record_.s();
  const std::string name =
      "event " + std::to_string(event.event_id()) + " (" + enums::EventType_Name(event.event_type()) + ")";
  if (event.event_id() != state.next_event_id()) {
    return Status(Code::kInvalidArgument,
                  name + " is not the next one, which is " + std::to_string(state.next_event_id()));
  }
  if ((event.event_id() == 1) != (event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)) {
    return Status(Code::kInvalidArgument, name + " is out of place: a history begins with its start");
  }
  if (event.event_id() > 1 && !record_.running()) {
    return Status(Code::kInvalidArgument, name + " comes after the end of its run");
  }
  if (apply_of(event.event_type()) == nullptr) {
    return Status(Code::kInvalidArgument, name + " is of a type that this engine does not write");
  }
  state.set_next_event_id(event.event_id() + 1);
  state.set_history_bytes(state.history_bytes() + bytes_in_history(event));
  apply(record_, event);
  return Status();
}

std::string Rebuild::difference(const stored::ExecutionState& state, bool speculative) const {
  Record record(record_.whole());
  for (const Event& event : state.buffered_events()) apply(record, event);
  stored::ExecutionState made = record.whole();
  lay_over(volatile_part(state, speculative), &made);
  if (serialize(made) == serialize(state)) return {};
  std::string told;
  google::protobuf::util::MessageDifferencer differ;
  differ.ReportDifferencesToString(&told);
  return differ.Compare(made, state) ? "the same fields in other bytes" : told;
}

Result<stored::ExecutionState> rebuild(const stored::StartFacts& facts,
                                       const pb::history::v1::History& history) {
  Rebuild result(facts);
  for (const Event& event : history.events()) {
    if (Status wrong = result.add(event); !wrong.ok()) return fail(std::move(wrong));
  }
  return result.whole();
}

}  // namespace holdfast::history
