// `type: start`: where a run begins. The result is its input.

#include "block/block.h"
#include "block/values.h"
#include "block/with_schema.h"

namespace holdfast::flows {

namespace {

void read(BlockReader&) {}

BlockResult run(const BoundBlock&, Values& values) {
  BlockEnding out;
  out.value = values.input();
  return out;
}

}  // namespace

constinit const RunnableBlock kStartBlock =
    whole({.type = "start", .schema = nothing_schema, .read = read, .run = run});

}  // namespace holdfast::flows
