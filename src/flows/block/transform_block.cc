// `type: transform`: a value made of others.

#include "block/value_settings.h"
#include "block/values.h"

namespace holdfast::flows {

namespace {

BlockResult run(const BoundBlock& block, Values& values) {
  Evaluated value = values.filled(settings_of<ValueSettings>(block).value);
  if (!value) return std::unexpected(value.error());
  BlockEnding out;
  out.value = *std::move(value);
  return out;
}

}  // namespace

constinit const RunnableBlock kTransformBlock = whole({.type = "transform",
                                                       .schema = value_schema,
                                                       .read = read_value,
                                                       .canonical = value_json,
                                                       .write = write_value,
                                                       .run = run,
                                                       .has_timeout = true});

}  // namespace holdfast::flows
