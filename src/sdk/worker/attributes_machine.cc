#include "worker/attributes_machine.h"

#include "client/convert.h"

namespace holdfast::worker {

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

}  // namespace holdfast::worker
