// Items of a map, and rounds of a loop, that are runs of their own: what they see of the run that goes over
// them, and what that records of them. Such a run reads its item, and the blocks around it, where they are,
// and answers with one record: nothing is stored once for each item that one run has.

#include <fmt/format.h>

#include "activities/activities.h"
#include "base/json.h"
#include "base/text.h"
#include "block/iteration.h"
#include "holdfast/failure.h"
#include "perform/one_activity.h"
#include "perform/part_items.h"
#include "protocol/events.h"

namespace holdfast::flows {

using agent::require;

namespace {

// Of one item: its run shows no more of what it came to, for that stands in two histories.
constexpr std::size_t kMaxShownBytes = 1024;
// How often watchers hear that one begins, as that one ends.
constexpr std::uint64_t kMostTold = 1000;

std::string answer_key(const std::string& call_key) {
  return "item:" + call_key;
}

std::string shown(const std::string& value) {
  if (value.size() <= kMaxShownBytes) return value;
  return dump_json(
      Json{{"too_large", {{"bytes", value.size()}, {"beginning", bounded_text(value, kMaxShownBytes)}}}});
}

}  // namespace

// ---- what it sees

void FlowActivities::stand_in(OneActivity& at, const protocol::FlowItem& item) {
  at.other_program = whole_program(protocol::agent_of_flow(at.program.flow.name), at.version);
  const Program& whole = *at.other_program;
  at.other = std::make_shared<OneActivity>(OneActivity{.ctx = at.ctx,
                                                       .program = whole,
                                                       .version = at.version,
                                                       .books = BlockBooks(at.ctx, deps_, whole, item.run),
                                                       .outlets = {},
                                                       .values = {}});
  at.around = at.other.get();
  const std::size_t block = block_named(whole, item.of).value();
  const bool is_loop = iteration_of(whole.blocks[block]).is_loop;
  at.names = {{is_loop ? kLast : kItem, value_of_item(*at.other, block, item.index)},
              {kIndex, std::to_string(item.index)}};
}

std::string FlowActivities::value_of_item(OneActivity& around, std::size_t block, std::uint64_t index) {
  PartBooks books(around.ctx, deps_);
  const Json begun = books.begun_already(around.books.key(block));
  const auto part = static_cast<std::uint32_t>(index);
  if (iteration_of(around.program.blocks[block]).is_loop)
    return rounds_before(around, block, part, begun).last;
  return PartItems(around.ctx, deps_, books, begun, part).next();
}

// In the log of the run that goes over it.
void FlowActivities::tell_item(BlockBooks& books, const protocol::Caller& caller,
                               const protocol::FlowItem& item) {
  const ProgramPtr whole = whole_program(caller.agent, caller.version);
  BlockBooks around(books.context(), deps_, *whole, item.run);
  const std::size_t block = block_named(*whole, item.of).value();
  PartBooks parts(books.context(), deps_);
  const auto count = parts.begun_already(around.key(block)).at("parts").get<std::uint64_t>();
  if (item.index % (count / kMostTold + 1) != 0) return;
  const Json more = {{"part", item.index + 1},
                     {"of", count},
                     {"items", 0},
                     {"errors", 0},
                     {"item_run", books.context().info().workflow_id}};
  const platform::Told told = around.progress(block, fmt::format("item/{}", item.index), more);
  require(deps_.streams->publish(told.run, told.type, told.json, told.key), "publishing an event");
}

// ---- what it comes to

std::string FlowActivities::answer_item(BlockBooks& books, const protocol::FlowFinishInput& in,
                                        std::optional<std::size_t> speaker) {
  const std::string& run = in.item->run;
  const ProgramPtr whole = whole_program(in.flow, in.version);
  const bool is_loop = iteration_of(whole->blocks[block_named(*whole, in.item->of).value()]).is_loop;
  Json answer;
  std::string value = "null";
  try {
    if (speaker) value = books.value(*speaker);
    PieceWriter pieces(books.context(), deps_, run);
    if (!is_loop) pieces.add(value);
    answer["piece"] =
        piece_json(is_loop ? kept_value(books.context(), deps_, value, run) : pieces.finish().front());
  } catch (const TooLarge& large) {
    answer["failure"] = {{"type", "output_limit"}, {"message", large.what()}};
  }
  platform::StepWrite write;
  write.run = run;
  write.key = answer_key(in.caller->call.key);
  write.result = dump_json(answer);
  require(deps_.store->commit_step(write), "storing what an item came to");
  return shown(value);
}

// The part that it is: it has ended.
Part FlowActivities::part_as_run(OneActivity& at, const protocol::FlowEachInput& in, const Json& begun) {
  const Iteration& of = iteration_of(at.program.blocks[in.block]);
  BlockFailure failure{in.done->error_type, in.done->error};
  Piece piece;
  if (failure.type.empty()) {
    const auto record = require(deps_.store->lookup_step(answer_key(in.done->key)), "what an item came to");
    const Json answer = record ? parse_json(record->result) : Json();
    if (!answer.is_object())
      throw ApplicationFailure::non_retryable("what an item came to is gone", "NOT_FOUND");
    if (answer.contains("failure"))
      failure = {answer["failure"].value("type", ""), answer["failure"].value("message", "")};
    else
      piece = piece_of(answer.at("piece"));
  }
  BlockOutcome outcome;
  if (!failure.type.empty()) outcome = BlockOutcome::of(std::unexpected(failure));
  if (of.is_loop) {
    Rounds rounds = rounds_before(at, in.block, in.part, begun);
    at.log = std::move(rounds.part.log);
    if (!outcome.failed) outcome.value = PartBooks(at.ctx, deps_).text_of(piece);
    add_round(at, in.block, rounds, std::move(outcome));
    end_rounds(at, in.block, rounds);
    rounds.part.pieces = {kept_value(at.ctx, deps_, rounds.last)};
    return std::move(rounds.part);
  }
  Part out;
  if (outcome.failed && !of.collects) {
    fail_part(out, in.part, std::move(failure));
    return out;
  }
  out.items = 1;
  out.errors = outcome.failed ? 1 : 0;
  if (!outcome.failed) {
    out.pieces = {std::move(piece)};
    return out;
  }
  PieceWriter pieces(at.ctx, deps_);
  pieces.add(outcome.value);
  out.pieces = pieces.finish();
  return out;
}

// ---- of a run that is taken up

// What has ended there is a part here, and no run of it is begun.
void FlowActivities::know_parts(OneActivity& at, std::size_t block, const Json& begun,
                                protocol::FlowEachBegun& out) {
  const std::vector<std::string> keys = adoptable(at, block, begun);
  if (keys.empty()) return;
  const bool is_loop = iteration_of(at.program.blocks[block]).is_loop;
  PartBooks books(at.ctx, deps_);
  for (std::uint32_t i = 0; i < out.parts && !out.over; ++i) {
    at.ctx.heartbeat();
    at.ctx.throw_if_cancelled();
    auto part = books.find(at.books.key(block), i);  // an earlier attempt
    if (!part) {
      part = adopted_part(at, keys, i);
      if (part) books.write(at.books.key(block), i, *part, {});
    }
    if (part) {
      if (out.known.empty() || out.known.back().first + out.known.back().count != i)
        out.known.emplace_back().first = i;
      ++out.known.back().count;
      out.over = part->over;
    } else if (is_loop) {
      break;  // a round goes on from the one before
    }
  }
}

// What has taken back all that it did is not gone on from, nor what is behind it: the item begins anew.
std::vector<FlowActivities::Origin> FlowActivities::origins_of_item(activity::Context& ctx,
                                                                    const std::vector<std::string>& runs) {
  static const Program kNone;
  std::vector<Origin> out;
  for (const std::string& run : runs) {
    BlockBooks books(ctx, deps_, kNone, run);
    if (!books.begun().contains("version")) continue;  // it has not begun this item
    const auto end = require(deps_.store->lookup_step(books.end_key()), "the end of a run");
    const Json said = end ? parse_json(end->result) : Json::object();
    if (said.contains("took_back")) {
      if (said.value("stands", 0) == 0) break;
      throw ApplicationFailure::non_retryable(
          fmt::format("run {} took back only a part of what it did for this item; start a new run", run),
          "HalfUndone");
    }
    out.push_back({run, books.begun()["version"].get<std::string>()});
  }
  return out;
}

}  // namespace holdfast::flows
