// `type: wait`: a durable timer of the workflow.

#include "base/json.h"
#include "block/block.h"
#include "block/with_schema.h"
#include "spec/duration.h"

namespace holdfast::flows {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr hours kLongestWait(24 * 3660);

struct WaitSettings : BlockSettings {
  milliseconds duration{0};
};

Json schema(std::string_view) {
  return schema_of_text(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["duration"],
    "properties": {"duration": {"$ref": "#/$defs/duration"}}
  })json");
}

void read(BlockReader& reader) {
  auto settings = std::make_shared<WaitSettings>();
  if (!reader.with.has("duration")) reader.with.missing("duration", "such as 30s or 7d");
  settings->duration = reader.with.duration("duration", milliseconds(0), milliseconds(1), kLongestWait);
  reader.out.settings = std::move(settings);
}

Json canonical(const BoundBlock& block) {
  return {{"duration", spec::format_duration(settings_of<WaitSettings>(block).duration)}};
}

milliseconds waits(const BoundBlock& block) {
  return settings_of<WaitSettings>(block).duration;
}

}  // namespace

constinit const RunnableBlock kWaitBlock =
    whole({.type = "wait", .schema = schema, .read = read, .canonical = canonical, .waits = waits});

}  // namespace holdfast::flows
