#include "block/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "block/compensation.h"
#include "block/iteration.h"
#include "plan/plan.h"
#include "spec/yaml_documents.h"
#include "spec/yaml_reader.h"

namespace holdfast::flows {

namespace {

using spec::MapReader;
using spec::YamlProblems;
using std::chrono::milliseconds;

// Of one evaluation; what is longer belongs to a program of its own. Well within the activity's heartbeat.
constexpr milliseconds kLongestEvaluation{5000};

// What the file says, and nothing does yet, is refused: it would be passed over.
void check_options(MapReader& in, const FlowBlock& spec, const RunnableBlock& type, bool is_tool) {
  if (spec.retry && type.waits) in.problem("retry", "a wait makes no attempts; remove it");
  if (spec.retry && type.iterates)
    in.problem("retry", "the blocks of the body are tried again; say it there");
  if (spec.retry && !type.calls.empty())
    in.problem("retry", fmt::format("a block of type `{}` makes no attempts; remove it", type.type));
  if (!spec.timeout) return;
  if (!type.has_timeout)
    in.problem("timeout", fmt::format("a block of type `{}` has none; remove it", type.type));
  else if (!is_tool && *spec.timeout > kLongestEvaluation)
    in.problem("timeout", "of one evaluation is 5s at most");
}

// Who calls nobody gives nobody a token, and of a call that changes nothing there is nothing to wait for.
void check_async(MapReader& in, const FlowBlock& spec, const agent::ToolSpec* tool) {
  if (!spec.completes_outside) return;
  if (tool == nullptr || !tool->type->hands_out_tokens) {
    in.problem("async", fmt::format("a block of type `{}` hands out no token; use `http`, or `publish` by "
                                    "`webhook`",
                                    spec.type->name));
  } else if (tool->effect == agent::Effect::kPure) {
    in.problem("async",
               "a call that changes nothing is not completed from outside; say in `with` which "
               "`effect` it has");
  }
}

// Of a body: the flow around it, what leads to its block, and what its rounds see.
struct Around {
  const Flow& flow;
  const BlockSet& before;
  std::span<const std::string_view> names;
};

// Expressions that would find nothing.
void check_names(MapReader& in, const Flow& flow, const FlowBlock& spec, const BlockSet& before,
                 const Around* around) {
  std::vector<std::string> usable;
  const auto add = [&](const Flow& of, const BlockSet& which) {
    for (std::size_t i = 0; i < of.blocks.size(); ++i) {
      if (which[i]) usable.push_back(of.blocks[i].id);
    }
  };
  add(flow, before);
  if (around) add(around->flow, around->before);
  for (const std::string& name : block_names_of(spec.with)) {
    if (std::ranges::find(usable, name) != usable.end()) continue;
    const std::string_view near = spec::nearest_name(name, usable);
    in.problem("with", fmt::format("`blocks.{}`: no block `{}` leads to `{}`{}", name, name, spec.id,
                                   near.empty() ? "" : fmt::format("; did you mean `{}`?", near)));
  }
}

std::vector<std::size_t> read_by(const Flow& flow, const FlowBlock& spec, const BlockSet& before) {
  const std::set<std::string> words = words_of(spec.with);
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < flow.blocks.size(); ++i) {
    if (before[i] && words.contains(flow.blocks[i].id)) out.push_back(i);
  }
  return out;
}

// The blocks of one list.
struct BlockList {
  YamlProblems& problems;
  const Flow& flow;
  std::string path;
  std::string_view base_directory;
  const Around* around = nullptr;  // of a body
};

// How many items a list has, the run finds out.
void check_times(MapReader& with, const FlowBlock& spec, const Iteration& of) {
  if (!of.is_loop || !has_steps(*spec.body) || of.times <= kMaxItemRuns) return;
  with.problem("times", fmt::format("{} rounds, at most {} are allowed where each is a run of its own",
                                    of.times, kMaxItemRuns));
}

std::vector<BoundBlock> read_blocks(const BlockList& list, const YAML::Node& nodes);
std::vector<protocol::FlowRule> rules_of(const Flow& flow);

std::shared_ptr<const Program> read_body(const BlockList& list, const YAML::Node& nodes,
                                         const std::string& path, const FlowBlock& spec,
                                         const BoundBlock& block, const BlockSet& before) {
  const Around around{list.flow, before, names_in_body(block.type->iterates(block))};
  auto body = std::make_shared<Program>();
  body->flow = *spec.body;
  body->flow.name = list.flow.name;
  body->flow.team = list.flow.team;
  body->flow.planner = list.flow.planner;
  const BlockList inner{list.problems, body->flow, path + ".blocks", list.base_directory, &around};
  body->blocks = read_blocks(inner, nodes);
  body->rules = rules_of(body->flow);
  return body;
}

BoundBlock read_block(const BlockList& list, const YAML::Node& node, std::size_t place,
                      const BlockSet& before) {
  const Flow& flow = list.flow;
  const FlowBlock& spec = flow.blocks[place];
  const std::string path = fmt::format("{}[{}]", list.path, place);
  MapReader in(list.problems, node, path);
  BoundBlock out;
  out.type = find_runnable_block(spec.type->name);
  HF_CHECK(out.type);  // every type that is known runs: program_test.cc
  MapReader with = in.map("with");
  BlockReader reader{in, with, spec, list.base_directory, out, {}};
  if (list.around) reader.names = list.around->names;
  out.type->read(reader);
  if (spec.body && out.type->iterates) check_times(with, spec, out.type->iterates(out));
  with.finish();
  if (in.has("compensate")) read_compensation(in, spec, list.base_directory, out);
  check_options(in, spec, *out.type, out.tool != nullptr);
  check_async(in, spec, out.tool.get());
  check_names(in, flow, spec, before, list.around);
  out.reads = read_by(flow, spec, before);
  if (list.around) out.reads_around = read_by(list.around->flow, spec, list.around->before);
  if (spec.body) out.body = read_body(list, node["blocks"], path, spec, out, before);
  return out;
}

std::vector<BoundBlock> read_blocks(const BlockList& list, const YAML::Node& nodes) {
  const std::vector<BlockSet> before = blocks_before(list.flow);
  std::vector<BoundBlock> out;
  for (const YAML::Node& node : nodes) {
    const std::size_t place = out.size();
    out.push_back(read_block(list, node, place, before[place]));
  }
  return out;
}

// Bodies included.
std::size_t compensated(const Program& program) {
  std::size_t out = 0;
  for (const BoundBlock& block : program.blocks) {
    if (block.undo) ++out;
    if (block.body) out += compensated(*block.body);
  }
  return out;
}

std::vector<protocol::FlowRule> rules_of(const Flow& flow) {
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (std::uint32_t i = 0; i < flow.blocks.size(); ++i) places.emplace(flow.blocks[i].id, i);
  std::vector<protocol::FlowRule> out;
  for (const FlowBlock& block : flow.blocks) {
    protocol::FlowRule& rule = out.emplace_back();
    rule.any = block.any;
    for (const Need& need : block.needs) {
      protocol::FlowNeed& one = rule.needs.emplace_back();
      one.block = places.at(need.block);
      one.outlet = need.outlet;
    }
  }
  return out;
}

}  // namespace

Result<Program> read_program(std::string_view text, std::string_view source,
                             std::string_view base_directory) {
  auto flow = read_flow(text, source);
  if (!flow) return fail(flow.error());
  Program out;
  out.flow = *std::move(flow);
  if (out.flow.blocks.size() > kMaxRunBlocks) {
    return fail(Code::kInvalidArgument, fmt::format("{}: {} blocks, at most {} can be run", source,
                                                    out.flow.blocks.size(), kMaxRunBlocks));
  }
  YamlProblems problems(source);
  const YAML::Node blocks = spec::yaml_document(std::string(text))["spec"]["blocks"];
  out.blocks = read_blocks({problems, out.flow, "spec.blocks", base_directory}, blocks);
  if (compensated(out) > kMaxCompensated) {
    problems.add(blocks.Mark(), fmt::format("more than {} blocks have a `compensate`; make a part of the "
                                            "flow one of its own",
                                            kMaxCompensated));
  }
  if (!problems.empty()) return fail(problems.status());
  out.rules = rules_of(out.flow);
  return out;
}

std::optional<std::size_t> block_named(const Program& program, std::string_view id) {
  const auto at = std::ranges::find(program.flow.blocks, id, &FlowBlock::id);
  if (at == program.flow.blocks.end()) return std::nullopt;
  return static_cast<std::size_t>(at - program.flow.blocks.begin());
}

std::vector<BlockNeeds> needs_of(const Program& program) {
  std::vector<BlockNeeds> out;
  for (const BoundBlock& block : program.blocks) {
    if (block.tool) {
      BlockNeeds& one = out.emplace_back();
      one.block = block.tool->name;
      one.needs = block.type->needs ? block.type->needs(block) : block.tool->type->needs(*block.tool);
      if (block.undo) std::ranges::move(block.undo->type->needs(*block.undo), std::back_inserter(one.needs));
    }
    if (!block.body) continue;
    for (BlockNeeds& one : needs_of(*block.body)) out.push_back(std::move(one));
  }
  return out;
}

namespace {

Plan planned(const Graph& graph, const std::string& planner) {
  if (planner == "V1") return plan_v1(graph);
  if (planner == "V2") return plan_v2(graph);
  if (planner == "V3") return plan_v3(graph);
  return plan_v4(graph, Costs());
}

protocol::FlowEach each_of(const Iteration& from, const Program& body) {
  protocol::FlowEach out;
  out.parallel = from.is_loop ? 1 : from.parallel;
  out.pause_ms = from.pause.count();
  out.runs = has_steps(body.flow);
  return out;
}

// Asking again is asking once: no call of it changes anything, and none is ended by somebody else.
bool is_pure(const BoundBlock& block) {
  if (block.body || !block.type->calls.empty()) return false;  // the workflow's, with activities of their own
  return !block.tool || (block.tool->effect == agent::Effect::kPure && !block.tool->detached);
}

}  // namespace

protocol::FlowPlan plan_of(const Program& program, const std::string& version) {
  const Graph graph = graph_of(program.flow);
  const Plan plan = planned(graph, program.flow.planner);
  const auto after = dependencies(graph, plan);
  protocol::FlowPlan out;
  out.flow = protocol::agent_of_flow(program.flow.name);
  out.version = version;
  out.planner = program.flow.planner;
  out.flags = protocol::kFlowFlags;
  out.rules = program.rules;
  for (std::size_t i = 0; i < plan.activities.size(); ++i) {
    protocol::FlowStep& step = out.steps.emplace_back();
    step.after.assign(after[i].begin(), after[i].end());
    for (const PlannedBlock& one : plan.activities[i].blocks)
      step.blocks.push_back(static_cast<std::uint32_t>(one.block));
    const std::uint32_t first = step.blocks.front();
    const BoundBlock& block = program.blocks[first];
    if (block.type->waits) step.wait_ms = block.type->waits(block).count();
    if (block.type->iterates) step.each = each_of(block.type->iterates(block), *block.body);
    step.calls = block.type->calls;
    step.pure =
        std::ranges::all_of(step.blocks, [&](std::uint32_t one) { return is_pure(program.blocks[one]); });
    if (const auto& retry = program.flow.blocks[first].retry) {
      step.retry = {{"initial_ms", retry->initial.count()},
                    {"backoff", retry->backoff},
                    {"maximum_ms", retry->max_interval.count()}};
    }
  }
  return out;
}

}  // namespace holdfast::flows
