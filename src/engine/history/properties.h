#pragma once

// What a workflow says about itself: search attributes, memo, and markers, which are its own notes.

#include "history/mutable_state.h"

namespace holdfast::history::properties {

// The caller checked the commands; they are taken apart.
void record_marker(MutableState& ms, Ns now, std::int64_t completed_event_id,
                   pb::command::v1::RecordMarkerCommandAttributes* command);
void upsert_search_attributes(MutableState& ms, Ns now, std::int64_t completed_event_id,
                              pb::command::v1::UpsertWorkflowSearchAttributesCommandAttributes* command);
void modify(MutableState& ms, Ns now, std::int64_t completed_event_id,
            pb::command::v1::ModifyWorkflowPropertiesCommandAttributes* command);

void apply_search_attributes_upserted(Record& record, const Event& event);
void apply_modified(Record& record, const Event& event);

}  // namespace holdfast::history::properties
