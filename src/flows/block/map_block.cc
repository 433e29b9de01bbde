// `type: map`: its body is run for each item of a list, several at a time. The result is the list of what
// each came to, in the order of the items.

#include "block/iteration.h"

namespace holdfast::flows {

namespace {

void read(BlockReader& reader) {
  auto settings = std::make_shared<IterationSettings>();
  Iteration& out = settings->iteration;
  if (!reader.with.has("over"))
    reader.with.missing("over", "a list or a number of times, such as \"{{ input.items }}\"");
  out.over = reader.with.json("over");
  out.parallel = static_cast<std::uint32_t>(reader.with.integer("parallel", out.parallel, 1, kMaxParallel));
  out.collects = reader.with.choice("errors", {"fail", "collect"}).value_or(0) == 1;
  reader.out.settings = std::move(settings);
}

Json canonical(const BoundBlock& block) {
  const Iteration& from = iteration_of(block);
  return {{"over", from.over}, {"parallel", from.parallel}, {"errors", from.collects ? "collect" : "fail"}};
}

}  // namespace

constinit const RunnableBlock kMapBlock =
    whole({.type = "map", .read = read, .canonical = canonical, .iterates = iteration_of});

}  // namespace holdfast::flows
