#pragma once

// Changes of search attributes and memo: written once, no answer.

#include <map>
#include <string>

#include "holdfast/payload.h"
#include "worker/one_shot_machine.h"

namespace holdfast::worker {

class AttributesMachine : public OneShotMachine {
 public:
  // `kind`: UPSERT_WORKFLOW_SEARCH_ATTRIBUTES or WORKFLOW_PROPERTIES_MODIFIED (the memo).
  AttributesMachine(enums::EventType kind, std::map<std::string, Payload> values)
      : kind_(kind), values_(std::move(values)) {}
  std::string describe(enums::EventType kind) const override { return event_text(kind, {}); }
  void write(enums::EventType kind, Command* command) const override;

 protected:
  std::string noun() const override { return "a change of attributes"; }

 private:
  const enums::EventType kind_;
  const std::map<std::string, Payload> values_;
};

}  // namespace holdfast::worker
