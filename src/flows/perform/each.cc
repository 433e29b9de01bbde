// Maps and loops: what they go over is made once; then each part is a stretch of rounds in one activity, and
// its record says what they came to. A round is a run of the body in which each block has a key of its own:
// what it called is known to an attempt behind a crash, and what it computed before such a call.

#include <fmt/format.h>

#include <algorithm>

#include "activities/activities.h"
#include "base/json.h"
#include "block/compensation.h"
#include "block/iteration.h"
#include "holdfast/failure.h"
#include "perform/one_activity.h"
#include "perform/part_items.h"
#include "plan/chunks.h"
#include "run/readiness.h"

namespace holdfast::flows {

namespace {

// How often watchers hear of one map or loop.
constexpr std::uint32_t kMostTold = 1000;

Json failed_begin(std::string_view type, std::string_view message) {
  return {{"parts", 0}, {"error", {{"type", type}, {"message", message}}}};
}

Json failed_begin(const BlockFailure& failure) {
  return failed_begin(failure.type, failure.message);
}

bool changes_something(const Program& body) {
  return std::ranges::any_of(body.blocks, [](const BoundBlock& block) {
    return block.tool && block.tool->effect != agent::Effect::kPure;
  });
}

BlockFailure in_round(const Program& body, std::size_t block, const BlockOutcome& outcome) {
  return {outcome.error_type, fmt::format("block `{}`: {}", body.flow.blocks[block].id, outcome.error)};
}

}  // namespace

// ---- what it goes over

protocol::FlowEachBegun FlowActivities::each_begin(activity::Context& ctx,
                                                   const protocol::FlowEachInput& in) {
  const ProgramPtr flow = program(in.flow, in.version);
  OneActivity at = open(ctx, *flow, in.version, in.ended, in.begun);
  PartBooks parts(ctx, deps_);
  const std::string key = at.books.key(in.block);
  at.books.started(in.block, "");
  auto begun = parts.begun(key);
  if (!begun) {
    Json record;
    try {
      record = iteration_of(flow->blocks.at(in.block)).is_loop ? begin_loop(at, in.block)
                                                               : begin_map(at, in.block);
    } catch (const TooLarge& large) {
      record = failed_begin("output_limit", large.what());
    }
    begun = parts.begin(key, record);
  }
  protocol::FlowEachBegun out;
  out.parts = begun->at("parts").get<std::uint32_t>();
  out.items = begun->value("items", std::uint64_t{0});
  out.each = begun->value("each", std::uint64_t{0});
  if (has_steps(flow->blocks[in.block].body->flow)) {
    out.call = at.books.call(in.block);
    know_parts(at, in.block, *begun, out);
  }
  return out;
}

// Of which map it takes the results, and nothing else: they need not be in memory.
std::optional<std::size_t> FlowActivities::map_before(OneActivity& at, std::size_t block) {
  const BoundBlock& bound = at.program.blocks[block];
  const Written& over = iteration_of(bound).over;
  if (!over.is_string()) return std::nullopt;
  for (const std::size_t read : bound.reads) {
    const BoundBlock& other = at.program.blocks[read];
    if (plain_name(over.get_ref<const std::string&>()) != "blocks." + at.program.flow.blocks[read].id)
      continue;
    const auto known = other.body && !iteration_of(other).is_loop ? at.books.find(read) : std::nullopt;
    return known && known->in_parts ? std::optional(read) : std::nullopt;
  }
  return std::nullopt;
}

// How many items an activity has: one that is a run, else as the run that this one takes up had it, so that
// its parts are parts here.
std::size_t FlowActivities::items_each(OneActivity& at, std::size_t block, std::size_t items) {
  for (const std::string& run : at.books.begun_by(block)) {
    const auto earlier = PartBooks(at.ctx, deps_).begun(at.books.key_in(run, block));
    if (earlier && earlier->value("items", std::size_t{0}) == items)
      return std::max<std::size_t>(earlier->value("each", std::size_t{1}), 1);
  }
  const BoundBlock& bound = at.program.blocks[block];
  if (has_steps(bound.body->flow)) return 1;
  const Micros takes = body_takes(graph_of(bound.body->flow));
  return chunks_of(items, iteration_of(bound).parallel, takes, Costs()).each;
}

Json FlowActivities::begin_map(OneActivity& at, std::size_t block) {
  const BoundBlock& bound = at.program.blocks[block];
  const bool are_runs = has_steps(bound.body->flow);
  const std::size_t most = are_runs ? kMaxItemRuns : kMaxItems;
  const auto begun_with = [&](std::size_t items, Json record) {
    if (items > most)
      return failed_begin("TooManyItems", fmt::format("{} items, at most {} are allowed{}", items, most,
                                                      are_runs ? " where each is a run of its own" : ""));
    const std::size_t each = items_each(at, block, items);
    record.update({{"items", items}, {"each", each}, {"parts", (items + each - 1) / each}});
    return record;
  };
  if (const auto source = map_before(at, block)) {
    const std::string key = at.books.key(*source);
    const auto begun = PartBooks(at.ctx, deps_).begun(key);
    const std::size_t each = begun ? begun->value("each", std::size_t{1}) : 1;
    return begun_with(PartsSummary::of(at.books.find(*source)->value).items,
                      {{"of", {{"key", key}, {"each", each}}}});
  }
  Values values(at.program.flow, at.program.flow.blocks[block], bound, at.sources(*this));
  values.is_large = true;
  const Evaluated list = values.filled(iteration_of(bound).over);
  if (!list) return failed_begin(list.error());
  if (!is_list(*list)) {
    const Json number = parse_json(*list);
    if (number.is_number_unsigned()) return begun_with(number.get<std::size_t>(), Json::object());
    return failed_begin("ValueError", fmt::format("`over` is neither a list nor a number of times, but {}",
                                                  agent::excerpt(*list).substr(0, 100)));
  }
  const std::vector<std::string_view> items = elements_of(*list);
  Json record = begun_with(items.size(), Json::object());
  if (items.empty() || record.contains("error")) return record;
  if (list->size() <= kMaxKeptInline) {
    record["list"] = *list;
  } else {
    const std::string offsets = offsets_of(*list, items, record.at("each").get<std::size_t>());
    record["blob"] = {{"sha256", keep_blob(at.ctx, deps_, *list).sha256},
                      {"offsets", keep_blob(at.ctx, deps_, offsets).sha256}};
  }
  return record;
}

Json FlowActivities::begin_loop(OneActivity& at, std::size_t block) {
  const BoundBlock& bound = at.program.blocks[block];
  const Iteration& of = iteration_of(bound);
  Values values(at.program.flow, at.program.flow.blocks[block], bound, at.sources(*this));
  const Evaluated first = values.filled(of.first);
  if (!first) return failed_begin(first.error());
  const bool alone = of.pause.count() > 0 || has_steps(bound.body->flow);
  const std::size_t each = alone ? 1 : rounds_each(body_takes(graph_of(bound.body->flow)));
  Json record = {{"items", of.times}, {"each", each}, {"parts", (of.times + each - 1) / each}};
  record["first"] = piece_json(kept_value(at.ctx, deps_, *first));
  return record;
}

// ---- one part

// Under which keys runs that this one takes up have parts of the same.
std::vector<std::string> FlowActivities::adoptable(OneActivity& at, std::size_t block, const Json& begun) {
  std::vector<std::string> out;
  for (const std::string& run : at.books.begun_by(block)) {
    std::string key = at.books.key_in(run, block);
    const auto earlier = PartBooks(at.ctx, deps_).begun(key);
    const auto is_same = [&](const char* what) { return earlier->value(what, 0) == begun.value(what, 0); };
    if (earlier && is_same("each") && is_same("items")) out.push_back(std::move(key));
  }
  return out;
}

std::optional<Part> FlowActivities::adopted_part(OneActivity& at, const std::vector<std::string>& keys,
                                                 std::uint32_t part) {
  PartBooks books(at.ctx, deps_);
  for (const std::string& key : keys) {
    auto done = books.find(key, part);
    if (done && !done->failure) return books.adopted(*std::move(done));
  }
  return std::nullopt;
}

protocol::FlowPartResult FlowActivities::each_part(activity::Context& ctx,
                                                   const protocol::FlowEachInput& in) {
  const ProgramPtr flow = program(in.flow, in.version);
  OneActivity at = open(ctx, *flow, in.version, in.ended, in.begun);
  PartBooks books(ctx, deps_);
  const std::string key = at.books.key(in.block);
  const auto result_of = [](const Part& part) {
    protocol::FlowPartResult out;
    out.over = part.over || part.failure;
    out.failed = part.failed;
    return out;
  };
  if (const auto known = books.find(key, in.part)) return result_of(*known);
  const Json begun = books.begun_already(key);
  const bool is_loop = iteration_of(flow->blocks.at(in.block)).is_loop;
  std::optional<Part> part;
  if (!in.done) part = adopted_part(at, adoptable(at, in.block, begun), in.part);
  if (!part) {
    try {
      if (in.done)
        part = part_as_run(at, in, begun);
      else
        part = is_loop ? run_rounds(at, in, begun) : run_map_part(at, in, begun);
    } catch (const TooLarge& large) {
      fail_part(part.emplace(), in.part * begun.at("each").get<std::uint64_t>(),
                {"output_limit", large.what()});
    }
  }
  if (!at.log.empty()) part->log = std::move(at.log);
  const auto count = begun.at("parts").get<std::uint32_t>();
  std::vector<platform::Told> tells;
  if (in.part % (count / kMostTold + 1) == 0 || part->over || part->failure) {
    Json told = {{"part", in.part + 1},
                 {"of", count},
                 {"items", part->items},
                 {"errors", part->errors + (part->failure ? 1 : 0)}};
    if (in.done) told["item_run"] = in.done->run;
    tells.push_back(at.books.progress(in.block, fmt::format("part/{}", in.part), told));
  }
  books.write(key, in.part, *part, tells);
  return result_of(*part);
}

Part FlowActivities::run_map_part(OneActivity& at, const protocol::FlowEachInput& in, const Json& begun) {
  const BoundBlock& bound = at.program.blocks[in.block];
  const bool collects = iteration_of(bound).collects;
  const bool undoes = !compensated_in(*bound.body).empty();
  PartBooks books(at.ctx, deps_);
  PartItems items(at.ctx, deps_, books, begun, in.part);
  PieceWriter pieces(at.ctx, deps_);
  Part out;
  while (!items.is_over()) {
    const std::uint64_t index = items.index();
    BlockOutcome outcome = run_round(at, in.block, index, {kItem, items.next()});
    if (outcome.failed && !collects) {
      fail_part(out, index, {std::move(outcome.error_type), std::move(outcome.error)});
      break;
    }
    if (outcome.failed) ++out.errors;
    if (outcome.failed && undoes) out.failed.push_back(index);
    pieces.add(outcome.value);
    ++out.items;
  }
  out.pieces = pieces.finish();
  return out;
}

FlowActivities::Rounds FlowActivities::rounds_before(OneActivity& at, std::size_t block, std::uint32_t part,
                                                     const Json& begun) {
  PartBooks books(at.ctx, deps_);
  Rounds out;
  Piece before;
  if (part == 0) {
    before = piece_of(begun.at("first"));
  } else {
    const auto earlier = books.find(at.books.key(block), part - 1);
    if (!earlier || earlier->pieces.empty())
      throw ApplicationFailure::non_retryable("a part of a loop is gone", "NOT_FOUND");
    before = earlier->pieces.front();
    out.part.items = earlier->items;
    out.part.log = earlier->log;
  }
  out.last = books.text_of(before);
  return out;
}

void FlowActivities::add_round(OneActivity& at, std::size_t block, Rounds& rounds, BlockOutcome outcome) {
  const BoundBlock& bound = at.program.blocks[block];
  const Iteration& of = iteration_of(bound);
  if (outcome.failed)
    return fail_part(rounds.part, rounds.part.items,
                     {std::move(outcome.error_type), std::move(outcome.error)});
  rounds.last = std::move(outcome.value);
  if (of.until) {
    ValueSources sources = at.sources(*this);
    sources.names = {{kLast, rounds.last}, {kIndex, std::to_string(rounds.part.items)}};
    Values values(at.program.flow, at.program.flow.blocks[block], bound, std::move(sources));
    const auto holds = Conditions(values).holds(*of.until, "`until`");
    if (!holds) fail_part(rounds.part, rounds.part.items, holds.error());
    if (holds) rounds.part.over = *holds;
  }
  ++rounds.part.items;
}

void FlowActivities::end_rounds(OneActivity& at, std::size_t block, Rounds& rounds) {
  const Iteration& of = iteration_of(at.program.blocks[block]);
  Part& part = rounds.part;
  if (!part.failure && !part.over && part.items == of.times) {
    part.over = true;
    if (of.until)
      fail_part(part, part.items,
                {"LoopLimit", fmt::format("`until` does not hold after {} rounds", of.times)});
  }
}

Part FlowActivities::run_rounds(OneActivity& at, const protocol::FlowEachInput& in, const Json& begun) {
  const Iteration& of = iteration_of(at.program.blocks[in.block]);
  Rounds rounds = rounds_before(at, in.block, in.part, begun);
  Part& part = rounds.part;
  at.log = std::move(part.log);
  const auto each = begun.at("each").get<std::size_t>();
  for (std::size_t i = 0; i < each && part.items < of.times && !part.over && !part.failure; ++i)
    add_round(at, in.block, rounds, run_round(at, in.block, part.items, {kLast, rounds.last}));
  end_rounds(at, in.block, rounds);
  part.pieces = {kept_value(at.ctx, deps_, rounds.last)};
  return std::move(part);
}

// ---- one round

BlockOutcome FlowActivities::run_round(OneActivity& at, std::size_t block, std::uint64_t index,
                                       std::pair<std::string_view, std::string> about) {
  const Program& body = *at.program.blocks[block].body;
  Round known;
  known.of = at.program.flow.blocks[block].id;
  known.index = index;
  known.is_kept = changes_something(body);
  protocol::FlowOrigin begun;
  begun.runs = at.books.begun_by(block);
  OneActivity round{.ctx = at.ctx,
                    .program = body,
                    .version = at.version,
                    .books = BlockBooks(at.ctx, deps_, body, {begun}, known),
                    .outlets = std::vector<std::string>(body.blocks.size()),
                    .values = {},
                    .around = &at,
                    .names = {std::move(about), {kIndex, std::to_string(index)}}};
  const OutletOf outlet_of = [&round](std::uint32_t one) { return std::string_view(round.outlets.at(one)); };
  std::string value = "null";
  for (const std::size_t one : topological_order(graph_of(body.flow))) {
    at.ctx.heartbeat();
    at.ctx.throw_if_cancelled();
    if (!runs(body.rules.at(one), outlet_of)) {
      round.outlets[one] = protocol::kFlowSkipped;
      continue;
    }
    BlockOutcome outcome = run_block(round, one);
    at.keep_log(outcome.log);
    if (outcome.failed && !is_handled(body, one))
      return BlockOutcome::of(std::unexpected(in_round(body, one, outcome)));
    round.outlets[one] = outcome.outlet;
    if (!outcome.failed) value = outcome.value;
    round.values[one] = std::move(outcome.value);
  }
  BlockOutcome out;
  out.value = std::move(value);
  return out;
}

// ---- the end

protocol::FlowBlocksResult FlowActivities::each_end(activity::Context& ctx,
                                                    const protocol::FlowEachInput& in) {
  const ProgramPtr flow = program(in.flow, in.version);
  OneActivity at = open(ctx, *flow, in.version, in.ended, in.begun);
  auto known = at.books.find(in.block);
  if (known) {
    at.books.tell_again(in.block, *known);
  } else {
    known = outcome_of_parts(at, in);
    at.books.ended(in.block, *known);
    at.books.flush();
  }
  return ended_as(*flow, in.block, *known);
}

BlockOutcome FlowActivities::outcome_of_parts(OneActivity& at, const protocol::FlowEachInput& in) {
  const bool is_loop = iteration_of(at.program.blocks.at(in.block)).is_loop;
  PartBooks books(at.ctx, deps_);
  const std::string key = at.books.key(in.block);
  const auto begun = books.begun(key);
  if (begun && begun->contains("error")) {
    const Json& error = (*begun)["error"];
    return BlockOutcome::of(
        std::unexpected(BlockFailure{error.value("type", ""), error.value("message", "")}));
  }
  PartsSummary summary;
  std::optional<Part> last;
  std::optional<PartFailure> failure;
  for (std::uint32_t i = is_loop && in.parts > 0 ? in.parts - 1 : 0; i < in.parts; ++i) {
    at.ctx.heartbeat();
    at.ctx.throw_if_cancelled();
    last = books.find(key, i);
    if (!last) continue;  // it was cancelled
    ++summary.parts;
    summary.items += last->items;
    summary.errors += last->errors;
    for (const Piece& piece : last->pieces) summary.bytes += piece.bytes;
    at.keep_log(last->log);
    if (last->failure && !failure) failure = last->failure;
  }
  BlockOutcome out;
  if (failure) {
    out = BlockOutcome::of(
        std::unexpected(BlockFailure{failure->type, fmt::format("{} {}: {}", is_loop ? "round" : "item",
                                                                failure->index, failure->message)}));
  }
  out.log = std::move(at.log);
  if (failure) return out;
  if (is_loop) {
    if (!last) throw ApplicationFailure::non_retryable("a part of a loop is gone", "NOT_FOUND");
    out.value = books.text_of(last->pieces.at(0));
    return out;
  }
  if (summary.parts != in.parts)
    throw ApplicationFailure::non_retryable("a part of a map is gone", "NOT_FOUND");
  out.value = dump_json(summary.json());
  out.in_parts = true;
  return out;
}

}  // namespace holdfast::flows
