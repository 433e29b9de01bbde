// A program in its canonical form.

#include "base/json.h"
#include "block/compensation.h"
#include "block/program.h"
#include "definition/model_section.h"
#include "spec/duration.h"

namespace holdfast::flows {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

Json blocks_json(const Program& program);

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
  if (spec.completes_outside) out["async"] = {{"deadline", spec::format_duration(spec.deadline)}};
  if (block.type->canonical) out["with"] = block.type->canonical(block);
  if (block.undo) out["compensate"] = compensation_json(block);
  if (block.body) out["blocks"] = blocks_json(*block.body);
  return out;
}

Json blocks_json(const Program& program) {
  Json out = Json::array();
  for (std::size_t i = 0; i < program.blocks.size(); ++i)
    out.push_back(block_json(program.flow.blocks[i], program.blocks[i]));
  return out;
}

// How often it is tried, what it is called, and what takes it back, does not change what it comes to.
void strip(Json& block) {
  for (const char* key : {"name", "takes", "retry", "timeout", "compensate"}) block.erase(key);
  if (block.contains("async")) block["async"] = true;
  if (!block.contains("blocks")) return;
  for (Json& one : block["blocks"]) strip(one);
}

}  // namespace

Json meaning_of(const Program& program, std::size_t block) {
  Json out = block_json(program.flow.blocks[block], program.blocks[block]);
  strip(out);
  return out;
}

namespace {

void write(const Program& program, Written& blocks) {
  for (std::size_t i = 0; i < program.blocks.size(); ++i) {
    const BoundBlock& block = program.blocks[i];
    if (block.type->write) block.type->write(block, blocks[i]["with"]);
    if (block.undo) write_compensation(block, blocks[i]["compensate"]);
    if (block.body) write(*block.body, blocks[i]["blocks"]);
  }
}

}  // namespace

std::string canonical_json(const Program& program) {
  const Flow& flow = program.flow;
  Json metadata = {{"name", flow.name}};
  if (!flow.description.empty()) metadata["description"] = flow.description;
  if (!flow.team.empty()) metadata["team"] = flow.team;
  Json spec = {{"planner", flow.planner}, {"blocks", blocks_json(program)}};
  if (!flow.input.is_null()) spec["input"] = flow.input;
  Written out(Json{{"apiVersion", "holdfast.dev/v1"},
                   {"kind", "Flow"},
                   {"metadata", std::move(metadata)},
                   {"spec", std::move(spec)}});
  write(program, out["spec"]["blocks"]);
  return dump_json(out);
}

}  // namespace holdfast::flows
