#include "worker/attributes_machine.h"

#include "client/convert.h"

namespace holdfast::worker {
namespace {

using S = AttributesMachine::State;
using I = AttributesMachine::Input;

constexpr std::array kTable = std::to_array<Row<S, I>>({
    {S::kCreated, I::kRecordedEvent, S::kRecorded},
});

}  // namespace

void AttributesMachine::write(enums::EventType, Command* command) const {
  if (kind_ == enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES) {
    command->set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
    client::set_map(values_, command->mutable_upsert_workflow_search_attributes_command_attributes()
                                 ->mutable_search_attributes()
                                 ->mutable_indexed_fields());
  } else {
    command->set_command_type(enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES);
    client::set_map(values_, command->mutable_modify_workflow_properties_command_attributes()
                                 ->mutable_upserted_memo()
                                 ->mutable_fields());
  }
}

void AttributesMachine::recorded(enums::EventType, const HistoryEvent& event) {
  const auto next = next_state(kTable, state_, I::kRecordedEvent);
  if (!next) throw_unexpected(event, "a change of attributes", "already recorded");
  state_ = *next;
}

void AttributesMachine::resolve(const HistoryEvent& event) {
  throw_unexpected(event, "a change of attributes", "recorded");
}

}  // namespace holdfast::worker
