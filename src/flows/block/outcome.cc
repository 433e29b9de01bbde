#include "block/outcome.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "block/respond_block.h"
#include "plan/graph.h"

namespace holdfast::flows {

BlockFailure value_too_large() {
  return {"output_limit",
          fmt::format("its value has more than {} bytes, which is the most that one value may have",
                      kMaxValueBytes)};
}

BlockOutcome BlockOutcome::of(BlockResult result) {
  BlockOutcome out;
  if (result) {
    out.outlet = std::move(result->outlet);
    out.value = std::move(result->value);
    return out;
  }
  out.outlet = kError;
  out.failed = true;
  out.error_type = std::move(result.error().type);
  out.error = std::move(result.error().message);
  out.value = dump_json(Json{{"error", {{"type", out.error_type}, {"message", out.error}}}});
  return out;
}

namespace {

std::vector<std::string> met_by(const Program& program, std::size_t block,
                                const std::vector<std::string>& outlets) {
  std::vector<std::string> out;
  for (const protocol::FlowNeed& need : program.rules[block].needs) {
    if (outlets[need.block] == need.outlet) out.push_back(program.flow.blocks[need.block].id);
  }
  return out;
}

}  // namespace

BlockResult come_to(const Program& program, std::size_t block, const std::vector<std::string>& outlets,
                    ValueSources sources) {
  const BoundBlock& bound = program.blocks[block];
  Values values(program.flow, program.flow.blocks[block], bound, std::move(sources));
  values.met = met_by(program, block, outlets);
  BlockResult result = bound.type->run(bound, values);
  if (result && result->value.size() > kMaxValueBytes) return std::unexpected(value_too_large());
  return result;
}

bool is_handled(const Program& program, std::size_t block) {
  return std::ranges::any_of(program.rules, [&](const protocol::FlowRule& rule) {
    return std::ranges::any_of(rule.needs, [&](const protocol::FlowNeed& need) {
      return need.block == block && need.outlet == kError;
    });
  });
}

std::optional<std::size_t> speaker(const Program& program, const std::vector<protocol::FlowEnded>& ended) {
  std::vector<bool> ran(program.blocks.size());
  for (const protocol::FlowEnded& one : ended)
    ran.at(one.block) = one.outlet != protocol::kFlowSkipped && one.outlet != kError;
  std::optional<std::size_t> last;
  std::optional<std::size_t> responds;
  for (const std::size_t block : topological_order(graph_of(program.flow))) {
    if (!ran[block]) continue;
    last = block;
    if (program.flow.blocks[block].type->name == kRespond) responds = block;
  }
  return responds ? responds : last;
}

}  // namespace holdfast::flows
