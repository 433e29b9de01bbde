// `type: join`: where ways meet. The result is {"from": [...]}: the blocks that led here.

#include "base/json.h"
#include "block/block.h"
#include "block/values.h"
#include "block/with_schema.h"

namespace holdfast::flows {

namespace {

void read(BlockReader&) {}

BlockResult run(const BoundBlock&, Values& values) {
  BlockEnding out;
  out.value = dump_json(Json{{"from", values.met}});
  return out;
}

}  // namespace

constinit const RunnableBlock kJoinBlock =
    whole({.type = "join", .schema = nothing_schema, .read = read, .run = run});

}  // namespace holdfast::flows
