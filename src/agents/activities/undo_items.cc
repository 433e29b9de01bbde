// Takes back calls of the items of a map or loop, many in one activity. Which ones, and under which keys, is
// recorded before the first: an attempt behind a crash goes on with the same, and the ledger says where.

#include <fmt/format.h>

#include <algorithm>

#include "activities/activities.h"
#include "activities/effect_hooks.h"
#include "base/json.h"
#include "base/sha256.h"
#include "definition/model_section.h"
#include "holdfast/failure.h"
#include "platform/undo_items.h"
#include "platform/undo_tries.h"

namespace holdfast::agent {

namespace {

// A slow page says how far it has come by ending.
constexpr std::chrono::seconds kLongestPage{60};
// Of one map or loop, that watchers are told of; what stands is told always.
constexpr std::uint64_t kMostTold = 1000;
// What stands is named so often.
constexpr std::size_t kMostWords = 10;

void pause(activity::Context& ctx, std::chrono::milliseconds left) {
  while (left.count() > 0) {
    const auto part = std::min(left, kBeatInterval);
    if (ctx.sleep(part)) throw CanceledFailure("the call was canceled");
    ctx.heartbeat();
    left -= part;
  }
}

}  // namespace

// As a retry in a body, it waits here. What only waits for the store is the engine's to try again.
UndoTryResult Activities::undo_here(activity::Context& ctx, const UndoTryInput& in, const RetrySpec& retry,
                                    bool is_told) {
  for (int failures = 1;; ++failures) {
    try {
      return undo(ctx, in, is_told);
    } catch (const ApplicationFailure& failure) {
      const bool refused = failure.type() == "ToolError";
      if (!refused && !failure.is_non_retryable()) throw;
      if (failure.is_non_retryable() || failures >= retry.attempts) {
        UndoTryResult out;
        out.status = UndoStatus::kFailed;
        out.note = failure.message();
        return out;
      }
      const auto asked = failure.next_retry_delay();
      pause(ctx, asked ? std::chrono::duration_cast<std::chrono::milliseconds>(*asked)
                       : interval_after(retry, failures));
    }
  }
}

Json Activities::page_of_items(activity::Context& ctx, const UndoItemsInput& in) {
  platform::StepWrite write;
  write.run = ctx.info().workflow_id;
  write.key =
      "undo.page:" + sha256_hex(fmt::format("{}\n{}\n{}\n{}", ctx.info().run_id, dump_json(Json(in.calls)),
                                            in.tries_again, in.before ? std::to_string(*in.before) : "all"));
  if (const auto known = require(deps_.store->lookup_step(write.key), "what is to be taken back"))
    return Json::parse(known->result);
  const auto found =
      require(platform::item_calls(*deps_.store, ctx.info().namespace_name, in.calls, in.before),
              "what is to be taken back");
  Json calls = Json::array();
  for (const platform::ItemCall& one : found.calls) {
    ctx.heartbeat();
    const auto last =
        require(platform::last_undo_try(*deps_.store, one.call.call.key), "what was taken back");
    if (last.undone()) continue;
    calls.push_back({{"item", one.item},
                     {"place", one.place},
                     {"call", one.call.call},
                     {"again", in.tries_again ? last.next() : 0}});
  }
  write.result = dump_json(Json{{"calls", std::move(calls)}, {"next", found.next}});
  return Json::parse(require(deps_.store->commit_step(write), "storing what is to be taken back").result);
}

UndoItemsResult Activities::undo_items(activity::Context& ctx, const UndoItemsInput& in) {
  DefinitionPtr agent = definition(in.calls.agent, in.calls.version);
  const Json page = page_of_items(ctx, in);
  const MonotonicTime begun = deps_.clock->monotonic();
  UndoItemsResult out;
  for (const Json& one : page.at("calls")) {
    ctx.heartbeat();
    ctx.throw_if_cancelled();
    UndoTryInput call;
    call.agent = in.calls.agent;
    call.version = in.calls.version;
    one.at("call").get_to(call.call);
    call.again = one.value("again", std::uint32_t{0});
    call.item = one.value("item", std::uint64_t{0});
    const ToolSpec* tool = agent->find_tool(call.call.tool);
    const ToolSpec* undoing =
        tool && tool->hooks.compensate ? agent->find_tool(tool->hooks.compensate->tool) : nullptr;
    const UndoTryResult ended =
        undo_here(ctx, call, undoing ? undoing->retry : RetrySpec(), in.told + out.undone < kMostTold);
    out.next = one.value("place", std::uint64_t{0});
    if (ended.status == UndoStatus::kUndone) ++out.undone;
    const bool may_be_known = ended.ask_after_ms > 0 || !ended.arguments_sha256.empty();
    if (ended.status == UndoStatus::kUnknown && may_be_known && undoing) {
      OpenUndoing& open = out.open.emplace();
      open.call = in.calls;
      open.call.items.reset();
      open.call.call = call.call;
      const Json attempts = attempts_of(*undoing);
      open.call.timeout_ms = attempts.at("timeout_ms").get<std::int64_t>();
      open.call.retry = attempts.at("retry");
      open.item = *call.item;
      open.again = call.again;
      return out;
    }
    if (ended.status == UndoStatus::kFailed || ended.status == UndoStatus::kUnknown) {
      ++out.stand;
      if (out.words.size() < kMostWords)
        out.words.push_back(fmt::format("{} (item {}): {}", call.call.tool, *call.item, ended.note));
    }
    if (deps_.clock->monotonic() - begun > kLongestPage) return out;
  }
  out.next = page.value("next", std::uint64_t{0});
  return out;
}

}  // namespace holdfast::agent
