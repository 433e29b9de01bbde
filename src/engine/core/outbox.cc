#include "engine/outbox.h"

namespace holdfast::engine {

using Kind = OutboxMessage::Kind;

void Outbox::put_all_of(const RunKey& from, const stored::ExecutionState& state) {
  for (const auto& child : state.children()) {
    if (child.start_pending()) put({Kind::kChildStart, from, child.initiated_event_id()});
  }
  for (const auto& signal : state.external_signals()) {
    put({Kind::kExternalSignal, from, signal.initiated_event_id()});
  }
  for (const auto& cancel : state.external_cancels()) {
    put({Kind::kExternalCancel, from, cancel.initiated_event_id()});
  }
  if (state.status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING) return;
  if (state.close_outbox().notify_parent()) put({Kind::kClosed, from});
  for (const auto& child : state.close_outbox().children()) {
    put({Kind::kParentClose, from, child.initiated_event_id(), child});
  }
}

std::optional<OutboxMessage> Outbox::take() {
  if (messages_.empty()) return std::nullopt;
  std::optional<OutboxMessage> message(std::move(messages_.front()));
  messages_.pop_front();
  return message;
}

}  // namespace holdfast::engine
