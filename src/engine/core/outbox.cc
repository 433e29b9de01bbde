#include "engine/outbox.h"

#include <algorithm>

namespace holdfast::engine {

using Kind = OutboxMessage::Kind;

namespace {

// The first entry from the cursor on; the cursor passes it.
template <typename Info>
const Info* pass(const history::Entries<Info>& entries, std::int64_t& cursor) {
  const Info* entry = entries.from(cursor);
  if (entry != nullptr) cursor = entry->initiated_event_id() + 1;
  return entry;
}

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

std::optional<OutboxMessage> Outbox::take(const MutableState& ms) {
  auto message = next_of(owing_.front(), ms);
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

std::optional<OutboxMessage> Outbox::next_of(Owing& owing, const MutableState& ms) {
  const auto message = [&](Kind kind, std::int64_t id) { return OutboxMessage{kind, owing.from, id}; };
  if (const auto child = ms.children_to_start().lower_bound(owing.child);
      child != ms.children_to_start().end()) {
    owing.child = *child + 1;
    return message(Kind::kChildStart, *child);
  }
  const auto& held = ms.held();
  if (const auto* signal = pass(held.external_signals, owing.signal))
    return message(Kind::kExternalSignal, signal->initiated_event_id());
  if (const auto* cancel = pass(held.external_cancels, owing.cancel))
    return message(Kind::kExternalCancel, cancel->initiated_event_id());
  if (ms.running()) return std::nullopt;
  if (owing.closed == 0) {
    owing.closed = 1;
    if (ms.s().close_outbox().notify_parent()) return message(Kind::kClosed, 0);
  }
  const auto* left = pass(held.parent_closes, owing.parent_close);
  if (left == nullptr) return std::nullopt;
  auto told = message(Kind::kParentClose, left->initiated_event_id());
  told.child = *left;
  return told;
}

}  // namespace holdfast::engine
