// `type: respond`: its value is the run's output.

#include <fmt/format.h>

#include "base/json.h"
#include "block/respond_block.h"
#include "block/value_settings.h"
#include "block/values.h"

namespace holdfast::flows {

namespace {

BlockResult run(const BoundBlock& block, Values& values) {
  Evaluated value = values.filled(settings_of<ValueSettings>(block).value);
  if (!value) return std::unexpected(value.error());
  if (value->size() > kMaxOutputBytes) {
    return std::unexpected(
        BlockFailure{"output_limit", fmt::format("the output has {} bytes, at most {} are allowed: keep what "
                                                 "is large elsewhere, and respond where",
                                                 value->size(), kMaxOutputBytes)});
  }
  // Whoever reads the run, or calls it, would get something else.
  if (auto read = read_json(*value, kMaxJsonDepth, Integers::kExact); !read) {
    return std::unexpected(BlockFailure{
        "ValueError", fmt::format("the output cannot be given as it is: {}; respond with a text of it",
                                  read.error().message())});
  }
  BlockEnding out;
  out.value = *std::move(value);
  return out;
}

}  // namespace

constinit const RunnableBlock kRespondBlock = whole({.type = kRespond,
                                                     .schema = value_schema,
                                                     .read = read_value,
                                                     .canonical = value_json,
                                                     .write = write_value,
                                                     .run = run,
                                                     .has_timeout = true});

}  // namespace holdfast::flows
