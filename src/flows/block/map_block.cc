// `type: map`: its body is run for each item of a list, several at a time. The result is the list of what
// each came to, in the order of the items.

#include "block/iteration.h"
#include "block/with_schema.h"

namespace holdfast::flows {

namespace {

Json schema(std::string_view) {
  return schema_of_text(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["over"],
    "properties": {
      "over": {"description": "A list, or how many times."},
      "parallel": {"type": "integer", "minimum": 1, "maximum": 64, "description": "Activities at a time; 8 by default."},
      "errors": {"enum": ["fail", "collect"], "description": "Whether an item that fails ends the map."}
    }
  })json");
}

void read(BlockReader& reader) {
  auto settings = std::make_shared<IterationSettings>();
  Iteration& out = settings->iteration;
  if (!reader.with.has("over"))
    reader.with.missing("over", "a list or a number of times, such as \"{{ input.items }}\"");
  out.over = read_written(reader.with, "over");
  out.parallel = static_cast<std::uint32_t>(reader.with.integer("parallel", out.parallel, 1, kMaxParallel));
  out.collects = reader.with.choice("errors", {"fail", "collect"}).value_or(0) == 1;
  reader.out.settings = std::move(settings);
}

Json canonical(const BoundBlock& block) {
  const Iteration& from = iteration_of(block);
  return {
      {"over", Json(from.over)}, {"parallel", from.parallel}, {"errors", from.collects ? "collect" : "fail"}};
}

void write(const BoundBlock& block, Written& with) {
  with["over"] = iteration_of(block).over;
}

}  // namespace

constinit const RunnableBlock kMapBlock = whole({.type = "map",
                                                 .schema = schema,
                                                 .read = read,
                                                 .canonical = canonical,
                                                 .write = write,
                                                 .iterates = iteration_of});

}  // namespace holdfast::flows
