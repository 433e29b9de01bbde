#include "history/properties.h"

#include "history/apply.h"

namespace holdfast::history::properties {
namespace {

using Fields = google::protobuf::Map<std::string, pb::common::v1::Payload>;

// A payload that says "remove this": empty data, or the encoding of nothing.
bool unset(const pb::common::v1::Payload& payload) {
  if (payload.data().empty()) return true;
  const auto encoding = payload.metadata().find("encoding");
  if (encoding == payload.metadata().end()) return false;
  if (encoding->second == "binary/null") return true;
  return encoding->second == "json/plain" && (payload.data() == "null" || payload.data() == "[]");
}

void merge(const Fields& from, Fields* into) {
  for (const auto& [name, value] : from) {
    if (unset(value)) {
      into->erase(name);
    } else {
      (*into)[name] = value;
    }
  }
}

}  // namespace

void record_marker(MutableState& ms, Ns now, std::int64_t completed_event_id,
                   pb::command::v1::RecordMarkerCommandAttributes* command) {
  Event event = make_event<enums::EVENT_TYPE_MARKER_RECORDED>(now);
  auto& recorded = *event.mutable_marker_recorded_event_attributes();
  recorded.set_marker_name(command->marker_name());
  recorded.mutable_details()->swap(*command->mutable_details());
  recorded.set_workflow_task_completed_event_id(completed_event_id);
  if (command->has_header()) recorded.mutable_header()->Swap(command->mutable_header());
  if (command->has_failure()) recorded.mutable_failure()->Swap(command->mutable_failure());
  ms.record(std::move(event));
}

void upsert_search_attributes(MutableState& ms, Ns now, std::int64_t completed_event_id,
                              pb::command::v1::UpsertWorkflowSearchAttributesCommandAttributes* command) {
  Event event = make_event<enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES>(now);
  auto& recorded = *event.mutable_upsert_workflow_search_attributes_event_attributes();
  recorded.set_workflow_task_completed_event_id(completed_event_id);
  recorded.mutable_search_attributes()->Swap(command->mutable_search_attributes());
  ms.record(std::move(event));
  ms.effects().visibility = true;
}

void modify(MutableState& ms, Ns now, std::int64_t completed_event_id,
            pb::command::v1::ModifyWorkflowPropertiesCommandAttributes* command) {
  Event event = make_event<enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED>(now);
  auto& recorded = *event.mutable_workflow_properties_modified_event_attributes();
  recorded.set_workflow_task_completed_event_id(completed_event_id);
  recorded.mutable_upserted_memo()->Swap(command->mutable_upserted_memo());
  ms.record(std::move(event));
  ms.effects().visibility = true;
}

void apply_search_attributes_upserted(Record& record, const Event& event) {
  merge(event.upsert_workflow_search_attributes_event_attributes().search_attributes().indexed_fields(),
        record.s().mutable_search_attributes()->mutable_indexed_fields());
}

void apply_modified(Record& record, const Event& event) {
  merge(event.workflow_properties_modified_event_attributes().upserted_memo().fields(),
        record.s().mutable_memo()->mutable_fields());
}

}  // namespace holdfast::history::properties
