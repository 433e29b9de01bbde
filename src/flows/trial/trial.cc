#include "trial/trial.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "plan/graph.h"
#include "run/readiness.h"
#include "spec/json_schema.h"

namespace holdfast::flows {

namespace {

Status check_input(const Program& program, const std::string& input) {
  const auto value = read_json(input, kMaxJsonDepth, Integers::kExact);
  if (!value) return {Code::kInvalidArgument, fmt::format("the input: {}", value.error().message())};
  if (program.flow.input.is_null()) return {};
  if (auto bad = spec::validate(program.flow.input, *value))
    return {Code::kInvalidArgument, "the input: " + *bad};
  return {};
}

BlockResult result_of(const Pinned& pinned) {
  if (pinned.error) return std::unexpected(*pinned.error);
  BlockEnding out;
  out.outlet = pinned.outlet;
  out.value = pinned.value;
  return out;
}

// Its work is done outside of the flow; `run` gives the arguments.
bool calls_out(const BoundBlock& block) {
  return block.tool != nullptr || !block.type->calls.empty();
}

class Run {
 public:
  Run(const Program& program, const TrialInput& in, const TrialEvaluate& evaluate)
      : program_(program), in_(in), evaluate_(evaluate), outlets_(program.blocks.size()) {}

  Result<Trial> follow();

 private:
  bool takes_part(std::size_t block) const;
  Result<BlockResult> result(std::size_t block, TrialBlock& out);
  Status check_reads(std::size_t block) const;
  Status end(std::size_t block);
  ValueSources sources();
  Status not_pinned(std::size_t block) const;

  const Program& program_;
  const TrialInput& in_;
  const TrialEvaluate& evaluate_;
  std::vector<std::string> outlets_;
  std::map<std::size_t, std::string> values_;
  Trial trial_;
};

bool Run::takes_part(std::size_t block) const {
  if (in_.only.empty()) return true;
  return in_.only.contains(block) || in_.pinned.contains(program_.flow.blocks[block].id);
}

ValueSources Run::sources() {
  ValueSources out;
  out.input = [this] { return in_.input; };
  out.result = [this](std::size_t block) {
    const auto found = values_.find(block);
    return found == values_.end() ? std::string("null") : found->second;
  };
  out.evaluate = evaluate_;
  return out;
}

Status Run::not_pinned(std::size_t block) const {
  const FlowBlock& spec = program_.flow.blocks[block];
  return {Code::kFailedPrecondition,
          fmt::format("block `{}` ({}) is not run here: give it a result under `pinned`", spec.id,
                      spec.type->name)};
}

// The arguments of a call are made even if its result is pinned: they may be what is wrong.
Result<BlockResult> Run::result(std::size_t block, TrialBlock& out) {
  const BoundBlock& bound = program_.blocks[block];
  const auto pinned = in_.pinned.find(program_.flow.blocks[block].id);
  const bool is_pinned = pinned != in_.pinned.end();
  const bool is_asked = in_.only.empty() || in_.only.contains(block);
  if (calls_out(bound) && bound.type->run && is_asked) {
    BlockResult arguments = come_to(program_, block, outlets_, sources());
    if (!arguments) return arguments;
    out.arguments = arguments->value;
  }
  if (is_pinned) {
    out.pinned = true;
    return result_of(pinned->second);
  }
  if (bound.type->waits) return BlockResult(BlockEnding());
  if (calls_out(bound) || !bound.type->run) return fail(not_pinned(block));
  return come_to(program_, block, outlets_, sources());
}

// Of one block alone: whatever it reads must be known.
Status Run::check_reads(std::size_t block) const {
  for (const std::size_t other : program_.blocks[block].reads) {
    if (!values_.contains(other)) return not_pinned(other);
  }
  return {};
}

Status Run::end(std::size_t block) {
  TrialBlock out;
  out.block = block;
  const bool alone = in_.only.size() == 1 && in_.only.contains(block);
  if (Status unknown = alone ? check_reads(block) : Status(); !unknown.ok()) return unknown;
  auto result = this->result(block, out);
  if (!result) return result.error();
  BlockOutcome outcome = BlockOutcome::of(*std::move(result));
  out.outlet = outcome.outlet;
  out.value = outcome.value;
  out.error_type = outcome.error_type;
  out.error = outcome.error;
  if (outcome.failed && !is_handled(program_, block)) {
    protocol::FlowFailure failure;
    failure.block = program_.flow.blocks[block].id;
    failure.type = outcome.error_type;
    failure.message = outcome.error;
    trial_.failure = std::move(failure);
  }
  values_[block] = std::move(outcome.value);
  outlets_[block] = out.outlet;
  trial_.blocks.push_back(std::move(out));
  return {};
}

Result<Trial> Run::follow() {
  if (Status wrong = check_input(program_, in_.input); !wrong.ok()) return fail(std::move(wrong));
  const OutletOf outlet_of = [this](std::uint32_t block) { return std::string_view(outlets_[block]); };
  std::vector<protocol::FlowEnded> ended;
  for (const std::size_t block : topological_order(graph_of(program_.flow))) {
    // Of a part what stands outside has not decided anything: a block that was asked for runs.
    const bool asked = in_.only.size() == 1 && in_.only.contains(block);
    const bool is_pinned_outside = !in_.only.empty() && !in_.only.contains(block);
    if (takes_part(block) && (asked || is_pinned_outside || runs(program_.rules[block], outlet_of))) {
      if (Status status = end(block); !status.ok()) return fail(std::move(status));
    } else {
      outlets_[block] = protocol::kFlowSkipped;
      TrialBlock& skipped = trial_.blocks.emplace_back();
      skipped.block = block;
      skipped.outlet = protocol::kFlowSkipped;
      skipped.value = "null";
    }
    protocol::FlowEnded& one = ended.emplace_back();
    one.block = static_cast<std::uint32_t>(block);
    one.outlet = outlets_[block];
    if (trial_.failure) return std::move(trial_);
  }
  if (const auto block = speaker(program_, ended)) trial_.output = values_[*block];
  return std::move(trial_);
}

}  // namespace

const TrialBlock* Trial::find(std::size_t block) const {
  const auto at = std::ranges::find(blocks, block, &TrialBlock::block);
  return at == blocks.end() ? nullptr : &*at;
}

Result<Trial> run_trial(const Program& program, const TrialInput& in, const TrialEvaluate& evaluate) {
  return Run(program, in, evaluate).follow();
}

std::set<std::size_t> leading_to(const Program& program, std::size_t block) {
  const BlockSet before = blocks_before(program.flow)[block];
  std::set<std::size_t> out = {block};
  for (std::size_t i = 0; i < program.blocks.size(); ++i) {
    if (before[i]) out.insert(i);
  }
  return out;
}

}  // namespace holdfast::flows
