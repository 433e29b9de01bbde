#pragma once

// `with: {value: ...}`: any JSON, in whose texts {{ }} are filled. Pure.

#include "block/block.h"
#include "block/with_schema.h"

namespace holdfast::flows {

struct ValueSettings : BlockSettings {
  Written value;
};

inline void read_value(BlockReader& reader) {
  auto settings = std::make_shared<ValueSettings>();
  if (!reader.with.has("value"))
    reader.with.missing("value", "and what the block is to come to, such as \"{{ input.id }}\"");
  settings->value = read_written(reader.with, "value");
  reader.out.settings = std::move(settings);
}

inline Json value_schema(std::string_view) {
  return schema_of_text(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["value"],
    "properties": {"value": {"description": "Any JSON, texts with {{ expressions }}."}}
  })json");
}

inline Json value_json(const BoundBlock& block) {
  return {{"value", Json(settings_of<ValueSettings>(block).value)}};
}

inline void write_value(const BoundBlock& block, Written& with) {
  with["value"] = settings_of<ValueSettings>(block).value;
}

}  // namespace holdfast::flows
