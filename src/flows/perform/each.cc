// Maps and loops: what they go over is made once; then each part is a stretch of rounds in one activity, and
// its record says what they came to. A round is a run of the body in which each block has a key of its own:
// what it called is known to an attempt behind a crash, and what it computed before such a call.

#include <fmt/format.h>

#include <algorithm>

#include "activities/activities.h"
#include "activities/read_blob.h"
#include "base/json.h"
#include "block/iteration.h"
#include "holdfast/failure.h"
#include "perform/one_activity.h"
#include "plan/chunks.h"
#include "run/readiness.h"

namespace holdfast::flows {

namespace {

constexpr std::size_t kOffsetBytes = 8;
// How often watchers hear of one map or loop.
constexpr std::uint32_t kMostTold = 1000;

Json failed_begin(std::string_view type, std::string_view message) {
  return {{"parts", 0}, {"error", {{"type", type}, {"message", message}}}};
}

Json failed_begin(const BlockFailure& failure) {
  return failed_begin(failure.type, failure.message);
}

// Where each part's items begin in the text, and where the last one's end.
std::string offsets_of(std::string_view text, const std::vector<std::string_view>& items, std::size_t each) {
  std::string out;
  const auto add = [&](std::uint64_t offset) {
    for (std::size_t i = 0; i < kOffsetBytes; ++i) out += static_cast<char>(offset >> (8 * i));
  };
  for (std::size_t i = 0; i < items.size(); i += each)
    add(static_cast<std::uint64_t>(items[i].data() - text.data()));
  add(static_cast<std::uint64_t>(items.back().data() + items.back().size() - text.data()));
  return out;
}

std::uint64_t offset_at(std::string_view bytes, std::size_t at) {
  std::uint64_t out = 0;
  for (std::size_t i = kOffsetBytes; i-- > 0;) out = out << 8 | static_cast<unsigned char>(bytes.at(at + i));
  return out;
}

bool changes_something(const Program& body) {
  return std::ranges::any_of(body.blocks, [](const BoundBlock& block) {
    return block.tool && block.tool->effect != agent::Effect::kPure;
  });
}

BlockFailure in_round(const Program& body, std::size_t block, const BlockOutcome& outcome) {
  return {outcome.error_type, fmt::format("block `{}`: {}", body.flow.blocks[block].id, outcome.error)};
}

// The items of one part, one after the other.
class PartItems {
 public:
  PartItems(activity::Context& ctx, const agent::Deps& deps, PartBooks& books, const Json& begun,
            std::uint32_t part)
      : each_(begun.at("each").get<std::uint64_t>()), next_(part * each_) {
    left_ = std::min<std::uint64_t>(each_, begun.at("items").get<std::uint64_t>() - next_);
    if (begun.contains("of")) {
      const Json& of = begun.at("of");
      results_.emplace(books, of.at("key").get<std::string>(), next_, of.at("each").get<std::uint64_t>());
    } else if (begun.contains("list")) {
      text_ = begun.at("list").get<std::string>();
      items_ = elements_of(text_);
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(next_));
    } else if (begun.contains("blob")) {
      const auto sha_of = [&begun](const char* what) { return begun.at("blob").at(what).get<std::string>(); };
      const std::string ends =
          agent::read_blob(ctx, *deps.store, sha_of("offsets"), part * kOffsetBytes, 2 * kOffsetBytes);
      const std::uint64_t from = offset_at(ends, 0);
      text_ = "[" + agent::read_blob(ctx, *deps.store, sha_of("sha256"), from,
                                     offset_at(ends, kOffsetBytes) - from);
      items_ = elements_of(text_);
    }
  }

  bool is_over() const { return left_ == 0; }
  std::uint64_t index() const { return next_; }
  std::string next() {
    --left_;
    const std::uint64_t index = next_++;
    if (results_) return results_->next();
    return items_.empty() ? std::to_string(index) : std::string(items_.at(at_++));
  }

 private:
  const std::uint64_t each_;
  std::uint64_t next_;
  std::uint64_t left_ = 0;
  std::optional<ResultReader> results_;
  std::string text_;
  std::vector<std::string_view> items_;
  std::size_t at_ = 0;
};

// A value, with one piece that is no list but itself.
Piece kept_value(activity::Context& ctx, const agent::Deps& deps, const std::string& value) {
  Piece out;
  out.items = 1;
  out.bytes = value.size();
  if (value.size() > kMaxKeptInline)
    out.sha256 = keep_blob(ctx, deps, value).sha256;
  else
    out.text = value;
  return out;
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

// How many items an activity has: as the run that this one takes up had it, so that its parts are parts here.
std::size_t FlowActivities::items_each(OneActivity& at, std::size_t block, std::size_t items) {
  for (const std::string& run : at.books.begun_by(block)) {
    const auto earlier = PartBooks(at.ctx, deps_).begun(at.books.key_in(run, block));
    if (earlier && earlier->value("items", std::size_t{0}) == items)
      return std::max<std::size_t>(earlier->value("each", std::size_t{1}), 1);
  }
  const BoundBlock& bound = at.program.blocks[block];
  const Micros takes = body_takes(graph_of(bound.body->flow));
  return chunks_of(items, iteration_of(bound).parallel, takes, Costs()).each;
}

Json FlowActivities::begin_map(OneActivity& at, std::size_t block) {
  const BoundBlock& bound = at.program.blocks[block];
  const auto begun_with = [&](std::size_t items, Json record) {
    if (items > kMaxItems)
      return failed_begin("TooManyItems", fmt::format("{} items, at most {} are allowed", items, kMaxItems));
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
  const std::size_t each = of.pause.count() > 0 ? 1 : rounds_each(body_takes(graph_of(bound.body->flow)));
  Json record = {{"items", of.times}, {"each", each}, {"parts", (of.times + each - 1) / each}};
  const Piece kept = kept_value(at.ctx, deps_, *first);
  record["first"] = {{"text", kept.text}, {"sha256", kept.sha256}, {"bytes", kept.bytes}};
  return record;
}

// ---- one part

// What a run that this one takes up has done of the same.
std::optional<Part> FlowActivities::adopted_part(OneActivity& at, const protocol::FlowEachInput& in,
                                                 const Json& begun) {
  PartBooks books(at.ctx, deps_);
  for (const std::string& run : at.books.begun_by(in.block)) {
    const std::string key = at.books.key_in(run, in.block);
    const auto earlier = books.begun(key);
    const auto is_same = [&](const char* what) { return earlier->value(what, 0) == begun.value(what, 0); };
    if (!earlier || !is_same("each") || !is_same("items")) continue;
    auto done = books.find(key, in.part);
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
    return out;
  };
  if (const auto known = books.find(key, in.part)) return result_of(*known);
  const auto begun = books.begun(key);
  if (!begun) throw ApplicationFailure::non_retryable("a map or loop was not begun", "DATA_LOSS");
  const bool is_loop = iteration_of(flow->blocks.at(in.block)).is_loop;
  std::optional<Part> part = adopted_part(at, in, *begun);
  if (!part) {
    try {
      part = is_loop ? run_rounds(at, in, *begun) : run_map_part(at, in, *begun);
    } catch (const TooLarge& large) {
      part.emplace();
      part->failure.emplace();
      part->failure->index = in.part * begun->at("each").get<std::uint64_t>();
      part->failure->type = "output_limit";
      part->failure->message = large.what();
    }
  }
  if (!at.log.empty()) part->log = std::move(at.log);
  const auto count = begun->at("parts").get<std::uint32_t>();
  std::vector<platform::Told> tells;
  if (in.part % (count / kMostTold + 1) == 0 || part->over || part->failure) {
    const Json told = {{"part", in.part + 1},
                       {"of", count},
                       {"items", part->items},
                       {"errors", part->errors + (part->failure ? 1 : 0)}};
    tells.push_back(at.books.progress(in.block, fmt::format("part/{}", in.part), told));
  }
  books.write(key, in.part, *part, tells);
  return result_of(*part);
}

Part FlowActivities::run_map_part(OneActivity& at, const protocol::FlowEachInput& in, const Json& begun) {
  const bool collects = iteration_of(at.program.blocks[in.block]).collects;
  PartBooks books(at.ctx, deps_);
  PartItems items(at.ctx, deps_, books, begun, in.part);
  PieceWriter pieces(at.ctx, deps_);
  Part out;
  while (!items.is_over()) {
    const std::uint64_t index = items.index();
    BlockOutcome outcome = run_round(at, in.block, index, {kItem, items.next()});
    if (outcome.failed && !collects) {
      PartFailure& failure = out.failure.emplace();
      failure.index = index;
      failure.type = std::move(outcome.error_type);
      failure.message = std::move(outcome.error);
      break;
    }
    if (outcome.failed) ++out.errors;
    pieces.add(outcome.value);
    ++out.items;
  }
  out.pieces = pieces.finish();
  return out;
}

Part FlowActivities::run_rounds(OneActivity& at, const protocol::FlowEachInput& in, const Json& begun) {
  const BoundBlock& bound = at.program.blocks[in.block];
  const Iteration& of = iteration_of(bound);
  PartBooks books(at.ctx, deps_);
  Piece before;
  Part out;
  if (in.part == 0) {
    const Json& first = begun.at("first");
    before.text = first.value("text", "");
    before.sha256 = first.value("sha256", "");
    before.bytes = first.value("bytes", std::size_t{0});
  } else {
    const auto earlier = books.find(at.books.key(in.block), in.part - 1);
    if (!earlier || earlier->pieces.empty())
      throw ApplicationFailure::non_retryable("a part of a loop is gone", "NOT_FOUND");
    before = earlier->pieces.front();
    out.items = earlier->items;
    at.log = earlier->log;
  }
  std::string last = books.text_of(before);
  const auto fail_at = [&out](BlockFailure failure) {
    PartFailure& one = out.failure.emplace();
    one.index = out.items;
    one.type = std::move(failure.type);
    one.message = std::move(failure.message);
  };
  const auto each = begun.at("each").get<std::size_t>();
  for (std::size_t i = 0; i < each && out.items < of.times && !out.over && !out.failure; ++i) {
    BlockOutcome outcome = run_round(at, in.block, out.items, {kLast, last});
    if (outcome.failed) {
      fail_at({std::move(outcome.error_type), std::move(outcome.error)});
      break;
    }
    last = std::move(outcome.value);
    if (of.until) {
      ValueSources sources = at.sources(*this);
      sources.names = {{kLast, last}, {kIndex, std::to_string(out.items)}};
      Values values(at.program.flow, at.program.flow.blocks[in.block], bound, std::move(sources));
      const auto holds = Conditions(values).holds(*of.until, "`until`");
      if (!holds) fail_at(holds.error());
      if (holds) out.over = *holds;
    }
    ++out.items;
  }
  if (!out.failure && !out.over && out.items == of.times) {
    out.over = true;
    if (of.until) fail_at({"LoopLimit", fmt::format("`until` does not hold after {} rounds", of.times)});
  }
  out.pieces = {kept_value(at.ctx, deps_, last)};
  return out;
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
