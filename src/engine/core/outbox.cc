#include "engine/outbox.h"

#include <algorithm>

namespace holdfast::engine {

using Kind = OutboxMessage::Kind;

namespace {

// The first entry from the cursor on that still is to be sent; the cursor passes it. Entries come in the
// order of their events.
template <typename Field, typename Wanted>
auto pass(const Field& field, std::int64_t& cursor, Wanted wanted) {
  auto entry = std::lower_bound(field.begin(), field.end(), cursor, [](const auto& info, std::int64_t id) {
    return info.initiated_event_id() < id;
  });
  while (entry != field.end() && !wanted(*entry)) ++entry;
  if (entry != field.end()) cursor = entry->initiated_event_id() + 1;
  return entry;
}

constexpr auto kAny = [](const auto&) { return true; };

}  // namespace

void Outbox::add(const RunKey& from, std::int64_t since) {
  const auto [known, fresh] = by_run_.try_emplace(from);
  if (fresh) known->second = owing_.insert(owing_.end(), Owing{from, since, since, since, since, since});
  Owing& owing = *known->second;
  for (std::int64_t* next :
       {&owing.child, &owing.signal, &owing.cancel, &owing.closed, &owing.parent_close}) {
    *next = std::min(*next, since);
  }
}

std::optional<OutboxMessage> Outbox::take(const stored::ExecutionState& state) {
  auto message = next_of(owing_.front(), state);
  if (message) {
    owing_.splice(owing_.end(), owing_, owing_.begin());
  } else {
    drop();
  }
  return message;
}

void Outbox::drop() {
  by_run_.erase(owing_.front().from);
  owing_.pop_front();
}

std::optional<OutboxMessage> Outbox::next_of(Owing& owing, const stored::ExecutionState& state) {
  const auto message = [&](Kind kind, std::int64_t id) { return OutboxMessage{kind, owing.from, id}; };
  const auto child =
      pass(state.children(), owing.child, [](const auto& info) { return info.start_pending(); });
  if (child != state.children().end()) return message(Kind::kChildStart, child->initiated_event_id());
  const auto signal = pass(state.external_signals(), owing.signal, kAny);
  if (signal != state.external_signals().end())
    return message(Kind::kExternalSignal, signal->initiated_event_id());
  const auto cancel = pass(state.external_cancels(), owing.cancel, kAny);
  if (cancel != state.external_cancels().end())
    return message(Kind::kExternalCancel, cancel->initiated_event_id());
  if (state.status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING) return std::nullopt;
  if (owing.closed == 0) {
    owing.closed = 1;
    if (state.close_outbox().notify_parent()) return message(Kind::kClosed, 0);
  }
  const auto left = pass(state.close_outbox().children(), owing.parent_close, kAny);
  if (left == state.close_outbox().children().end()) return std::nullopt;
  auto told = message(Kind::kParentClose, left->initiated_event_id());
  told.child = *left;
  return told;
}

}  // namespace holdfast::engine
