#include "platform/undo_items.h"

#include <algorithm>

#include "protocol/flow_run.h"

namespace holdfast::platform {

namespace {

using protocol::Undoable;
using protocol::UndoableItems;

// A call by its place: those of the first item come first.
struct Place {
  std::uint64_t item = 0;
  std::string_view block;
};

Place place_of(const UndoableItems& items, std::uint64_t nth) {
  const std::uint64_t blocks = items.blocks.size();
  const std::uint64_t item = nth / blocks;
  return {items.only.empty() ? item : items.only[item], items.blocks[nth % blocks]};
}

std::string key_at(const std::string& namespace_name, const UndoableItems& items, const Place& at) {
  if (!items.are_runs)
    return protocol::flow_block_key(namespace_name, items.run, items.of, at.item, at.block);
  return protocol::flow_block_key(namespace_name, protocol::run_of_item(items.run, items.of, at.item), {}, 0,
                                  at.block);
}

Undoable call_at(const Undoable& group, const Place& at, std::string key) {
  Undoable out = group;
  out.items.reset();
  out.call.tool = at.block;
  out.call.id = out.call.tool;
  out.call.key = std::move(key);
  return out;
}

// It may have had an effect.
bool counts(const std::optional<EffectRecord>& effect) {
  return effect && (effect->state != EffectState::kSettled || effect->succeeded);
}

}  // namespace

Result<ItemCalls> item_calls(Store& store, const std::string& namespace_name, const Undoable& group,
                             std::optional<std::uint64_t> before) {
  if (!group.items) return fail(Code::kInvalidArgument, "these are no calls of items");
  const UndoableItems& items = *group.items;
  const std::uint64_t all = (items.only.empty() ? items.count : items.only.size()) * items.blocks.size();
  ItemCalls out;
  out.next = std::min(before.value_or(all), all);
  for (std::uint64_t looked = 0; out.next > 0 && looked < kMaxItemKeys; ++looked) {
    if (out.calls.size() >= kMaxItemCalls) break;
    const Place at = place_of(items, --out.next);
    std::string key = key_at(namespace_name, items, at);
    auto effect = store.lookup_effect(key);
    if (!effect) return fail(effect.error());
    if (!counts(*effect)) continue;
    ItemCall& one = out.calls.emplace_back();
    one.item = at.item;
    one.place = out.next;
    one.call = call_at(group, at, std::move(key));
  }
  return out;
}

}  // namespace holdfast::platform
