// `type: loop`: its body is run again and again, each round on what the one before came to. The result is
// that of the last round.

#include "block/iteration.h"
#include "block/with_schema.h"
#include "spec/duration.h"

namespace holdfast::flows {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr hours kLongestPause(24 * 366);

Json schema(std::string_view) {
  return schema_of_text(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["times"],
    "properties": {
      "times": {"type": "integer", "minimum": 1, "maximum": 1000000, "description": "Rounds at most."},
      "until": {"type": "string", "minLength": 1, "description": "{{ JavaScript }}, or CEL over last, index, input and blocks: then it ends."},
      "first": {"description": "What `last` is in the first round."},
      "pause": {"$ref": "#/$defs/duration", "description": "Between two rounds."}
    }
  })json");
}

void read(BlockReader& reader) {
  auto settings = std::make_shared<IterationSettings>();
  Iteration& out = settings->iteration;
  out.is_loop = true;
  spec::MapReader& with = reader.with;
  if (!with.has("times")) with.missing("times", "how many rounds at most, such as 100");
  out.times = static_cast<std::uint64_t>(with.integer("times", 1, 1, kMaxItems));
  if (with.has("until")) out.until = read_condition(with, "until", kLoopNames);
  out.first = read_written(with, "first");
  if (with.has("pause")) out.pause = with.duration("pause", milliseconds(0), milliseconds(1), kLongestPause);
  reader.out.settings = std::move(settings);
}

Json canonical(const BoundBlock& block) {
  const Iteration& from = iteration_of(block);
  Json out = {{"times", from.times}};
  if (from.until) out["until"] = from.until->text;
  if (!from.first.is_null()) out["first"] = Json(from.first);
  if (from.pause.count() > 0) out["pause"] = spec::format_duration(from.pause);
  return out;
}

void write(const BoundBlock& block, Written& with) {
  if (const Iteration& from = iteration_of(block); !from.first.is_null()) with["first"] = from.first;
}

}  // namespace

constinit const RunnableBlock kLoopBlock = whole({.type = "loop",
                                                  .schema = schema,
                                                  .read = read,
                                                  .canonical = canonical,
                                                  .write = write,
                                                  .iterates = iteration_of});

}  // namespace holdfast::flows
