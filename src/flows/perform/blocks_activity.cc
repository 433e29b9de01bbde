// The blocks of one activity, one behind the other. What one came to is known to an attempt behind a crash,
// which goes on behind it: before a call that changes something outside is begun, everything that it can rest
// on is stored.

#include <fmt/format.h>

#include <algorithm>

#include "activities/activities.h"
#include "activities/step_log.h"
#include "base/json.h"
#include "base/text.h"
#include "block/outcome.h"
#include "holdfast/failure.h"
#include "perform/flow_activities.h"
#include "perform/one_activity.h"
#include "run/readiness.h"

namespace holdfast::flows {

namespace {

using std::chrono::milliseconds;

// The sandbox is asked again and again, so that the activity can say that it lives.
constexpr milliseconds kSlice{2000};
constexpr int kMaxSlices = 30;

protocol::FlowFailure failure_of(const Program& program, std::size_t block, const BlockOutcome& outcome) {
  protocol::FlowFailure out;
  out.block = program.flow.blocks[block].id;
  out.type = outcome.error_type;
  out.message = agent::excerpt(fmt::format("block `{}`: {}", out.block, outcome.error));
  return out;
}

}  // namespace

protocol::FlowBlocksResult ended_as(const Program& program, std::size_t block, const BlockOutcome& outcome) {
  protocol::FlowBlocksResult out;
  protocol::FlowEnded& ended = out.ended.emplace_back();
  ended.block = static_cast<std::uint32_t>(block);
  ended.outlet = outcome.outlet;
  if (outcome.failed && !is_handled(program, block)) out.failure = failure_of(program, block, outcome);
  return out;
}

std::string FlowActivities::OneActivity::value(std::size_t block) {
  const auto found = values.find(block);
  if (found != values.end()) return found->second;
  return values[block] = books.value(block);
}

ValueSources FlowActivities::OneActivity::sources(FlowActivities& activities) {
  ValueSources out;
  out.input = [this] { return input(); };
  out.result = [this](std::size_t block) { return value(block); };
  if (around) {
    out.around = &around->program.flow;
    out.result_around = [this](std::size_t block) { return around->value(block); };
    out.names = names;
  }
  out.evaluate = [this, &activities](const sandbox::Request& request) {
    auto reply = activities.evaluate(ctx, program, request);
    if (reply) keep_log(*reply);
    return reply;
  };
  return out;
}

// Without secrets before it is cut: half of one would be known no more.
void FlowActivities::OneActivity::keep_log(const sandbox::Reply& reply) {
  keep_log(books.redacted(reply.log));
  if (reply.log_left_out > 0) keep_log(fmt::format("({} lines left out)\n", reply.log_left_out));
}

void FlowActivities::OneActivity::keep_log(std::string_view text) {
  log += cut_text(text, agent::kMaxLogBytes - std::min(log.size(), agent::kMaxLogBytes));
}

FlowActivities::OneActivity FlowActivities::open(activity::Context& ctx, const Program& program,
                                                 const std::string& version,
                                                 const std::vector<protocol::FlowEnded>& ended,
                                                 const std::vector<protocol::FlowOrigin>& begun,
                                                 const std::optional<protocol::FlowItem>& item) {
  OneActivity at{.ctx = ctx,
                 .program = program,
                 .version = version,
                 .books = BlockBooks(ctx, deps_, program, begun),
                 .outlets = std::vector<std::string>(program.blocks.size()),
                 .values = {}};
  for (const protocol::FlowEnded& one : ended) at.outlets.at(one.block) = one.outlet;
  if (item) stand_in(at, *item);
  return at;
}

protocol::FlowBlocksResult FlowActivities::blocks(activity::Context& ctx,
                                                  const protocol::FlowBlocksInput& in) {
  const ProgramPtr flow = program(in.flow, in.version, in.item);
  OneActivity at = open(ctx, *flow, in.version, in.ended, in.begun, in.item);
  const OutletOf outlet_of = [&at](std::uint32_t block) { return std::string_view(at.outlets.at(block)); };
  std::map<std::size_t, std::uint32_t> last_reader;  // of this activity: behind it a value is dropped
  for (const std::uint32_t block : in.blocks) {
    for (const std::size_t read : flow->blocks.at(block).reads) last_reader[read] = block;
  }
  protocol::FlowBlocksResult result;
  for (const std::uint32_t block : in.blocks) {
    ctx.heartbeat();
    ctx.throw_if_cancelled();
    std::string outlet(protocol::kFlowSkipped);
    if (runs(flow->rules.at(block), outlet_of)) {
      BlockOutcome outcome = run_block(at, block);
      if (outcome.awaits) {  // it has the activity alone
        result.awaits = std::move(outcome.awaits);
        break;
      }
      outlet = outcome.outlet;
      if (outcome.failed && !is_handled(*flow, block)) result.failure = failure_of(*flow, block, outcome);
      if (last_reader.contains(block)) at.values[block] = std::move(outcome.value);
    }
    for (const std::size_t read : flow->blocks[block].reads) {
      if (last_reader.at(read) == block) at.values.erase(read);
    }
    at.outlets[block] = outlet;
    protocol::FlowEnded& ended = result.ended.emplace_back();
    ended.block = block;
    ended.outlet = outlet;
    if (result.failure) break;
  }
  at.books.flush();
  return result;
}

BlockOutcome FlowActivities::run_block(OneActivity& at, std::size_t block) {
  try {
    return run_known_block(at, block);
  } catch (const TooLarge& large) {
    BlockOutcome outcome = BlockOutcome::of(std::unexpected(BlockFailure{"output_limit", large.what()}));
    at.books.ended(block, outcome);
    return outcome;
  }
}

BlockOutcome FlowActivities::run_known_block(OneActivity& at, std::size_t block) {
  if (auto known = at.books.find(block)) {
    at.books.tell_again(block, *known);
    return *std::move(known);
  }
  const BoundBlock& bound = at.program.blocks[block];
  if (!bound.tool) at.books.started(block, "");
  at.log.clear();
  BlockResult result = come_to(at.program, block, at.outlets, at.sources(*this));
  if (bound.tool && result) return call_tool(at, block, result->value);
  if (bound.tool) at.books.started(block, "");
  BlockOutcome outcome = BlockOutcome::of(std::move(result));
  outcome.log = std::move(at.log);
  at.books.ended(block, outcome);
  return outcome;
}

// What waiting would mend ends this attempt, and nothing of the block.
Result<sandbox::Reply> FlowActivities::evaluate(activity::Context& ctx, const Program& program,
                                                const sandbox::Request& request) {
  const std::string tenant = fmt::format("{}/{}", ctx.info().namespace_name, program.flow.name);
  for (int slice = 1;; ++slice) {
    ctx.heartbeat();
    ctx.throw_if_cancelled();
    auto reply = evaluate_(tenant, request, kSlice);
    if (reply) return reply;
    switch (reply.error().code()) {
      case Code::kResourceExhausted:
        if (slice < kMaxSlices) continue;
        [[fallthrough]];
      case Code::kUnavailable: throw ApplicationFailure(std::string(reply.error().message()), "SandboxBusy");
      default: return reply;
    }
  }
}

}  // namespace holdfast::flows
