// A program in its canonical form.

#include "base/json.h"
#include "block/program.h"
#include "definition/model_section.h"
#include "spec/duration.h"

namespace holdfast::flows {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

Json block_json(const FlowBlock& spec, const BoundBlock& block) {
  Json out = {{"id", spec.id}, {"type", spec.type->name}};
  if (!spec.name.empty()) out["name"] = spec.name;
  for (const Need& need : spec.needs) {
    const bool plain = need.outlet == kDone;
    out["needs"].push_back(plain ? need.block : need.block + "." + need.outlet);
  }
  if (spec.any) out["join"] = "any";
  if (spec.retry) out["retry"] = agent::retry_json(*spec.retry);
  if (spec.timeout) out["timeout"] = spec::format_duration(*spec.timeout);
  if (spec.takes) out["takes"] = spec::format_duration(duration_cast<milliseconds>(*spec.takes));
  if (block.type->canonical) out["with"] = block.type->canonical(block);
  return out;
}

}  // namespace

std::string canonical_json(const Program& program) {
  const Flow& flow = program.flow;
  Json metadata = {{"name", flow.name}};
  if (!flow.description.empty()) metadata["description"] = flow.description;
  Json spec = {{"planner", flow.planner}, {"blocks", Json::array()}};
  if (!flow.input.is_null()) spec["input"] = flow.input;
  for (std::size_t i = 0; i < flow.blocks.size(); ++i)
    spec["blocks"].push_back(block_json(flow.blocks[i], program.blocks[i]));
  return dump_json(Json{{"apiVersion", "holdfast.dev/v1"},
                        {"kind", "Flow"},
                        {"metadata", std::move(metadata)},
                        {"spec", std::move(spec)}});
}

}  // namespace holdfast::flows
