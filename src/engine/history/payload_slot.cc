#include "history/payload_slot.h"

#include <algorithm>
#include <cstring>

#include "base/sha256.h"
#include "history/stored.h"

namespace holdfast::history {

namespace {

//   magic (8) | epoch (8) | number (8) | bytes (8) | the first half of an HMAC-SHA-256 of these (16)
constexpr std::string_view kMagic("\xF5HFslot\x01", 8);
constexpr std::size_t kBodyBytes = 32;
constexpr std::size_t kMacBytes = 16;
static_assert(kBodyBytes + kMacBytes == kSlotBytes);

// No request is larger.
constexpr std::int64_t kMostBytes = std::int64_t{64} << 20;

void put(std::string& out, std::int64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift));
}

std::int64_t number_at(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = at; i < at + 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return static_cast<std::int64_t>(value);
}

bool looks_like_slot(std::string_view data) {
  return data.size() == kSlotBytes && data.starts_with(kMagic);
}

std::int64_t size_in(std::string_view slot) {
  const std::int64_t bytes = number_at(slot, 24);
  return bytes < 0 || bytes > kMostBytes ? 0 : bytes;
}

}  // namespace

std::string SlotSigner::mac(std::string_view body) const {
  return hmac_sha256(key_, body).substr(0, kMacBytes);
}

std::string SlotSigner::sign(const PayloadSlot& slot) const {
  std::string out(kMagic);
  put(out, slot.epoch);
  put(out, slot.number);
  put(out, slot.bytes);
  return out += mac(out);
}

std::optional<PayloadSlot> SlotSigner::read(std::string_view data) const {
  if (!looks_like_slot(data)) return std::nullopt;
  if (!equal_in_constant_time(data.substr(kBodyBytes), mac(data.substr(0, kBodyBytes)))) return std::nullopt;
  return PayloadSlot{.epoch = number_at(data, 8), .number = number_at(data, 16), .bytes = size_in(data)};
}

void SlotSigner::find(std::string_view bytes, const std::function<void(const PayloadSlot&)>& found) const {
  while (bytes.size() >= kSlotBytes) {
    const void* hit = ::memmem(bytes.data(), bytes.size(), kMagic.data(), kMagic.size());
    if (hit == nullptr) return;
    bytes.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(hit) - bytes.data()));
    const auto slot = read(bytes.substr(0, kSlotBytes));
    if (slot) found(*slot);
    bytes.remove_prefix(slot ? kSlotBytes : 1);
  }
}

std::array<const pb::common::v1::Payloads*, 2> slotted_lists(const pb::history::v1::HistoryEvent& event) {
  using E = pb::history::v1::HistoryEvent;
  const auto input = [](const auto& attributes) {
    return attributes.has_input() ? &attributes.input() : nullptr;
  };
  const auto result = [](const auto& attributes) {
    return attributes.has_result() ? &attributes.result() : nullptr;
  };
  const auto last = [](const auto& attributes) {
    return attributes.has_last_completion_result() ? &attributes.last_completion_result() : nullptr;
  };
  switch (event.attributes_case()) {
    case E::kWorkflowExecutionStartedEventAttributes: {
      const auto& started = event.workflow_execution_started_event_attributes();
      return {input(started), last(started)};
    }
    case E::kWorkflowExecutionContinuedAsNewEventAttributes: {
      const auto& continued = event.workflow_execution_continued_as_new_event_attributes();
      return {input(continued), last(continued)};
    }
    case E::kWorkflowExecutionCompletedEventAttributes:
      return {result(event.workflow_execution_completed_event_attributes())};
    case E::kWorkflowExecutionSignaledEventAttributes:
      return {input(event.workflow_execution_signaled_event_attributes())};
    case E::kActivityTaskScheduledEventAttributes:
      return {input(event.activity_task_scheduled_event_attributes())};
    case E::kActivityTaskCompletedEventAttributes:
      return {result(event.activity_task_completed_event_attributes())};
    case E::kStartChildWorkflowExecutionInitiatedEventAttributes:
      return {input(event.start_child_workflow_execution_initiated_event_attributes())};
    case E::kChildWorkflowExecutionCompletedEventAttributes:
      return {result(event.child_workflow_execution_completed_event_attributes())};
    case E::kSignalExternalWorkflowExecutionInitiatedEventAttributes:
      return {input(event.signal_external_workflow_execution_initiated_event_attributes())};
    default: return {};
  }
}

std::array<pb::common::v1::Payloads*, 2> slotted_lists(pb::history::v1::HistoryEvent* event) {
  // The event is the caller's to change, and so are its parts.
  const auto [one, other] = slotted_lists(*event);
  return {const_cast<pb::common::v1::Payloads*>(one), const_cast<pb::common::v1::Payloads*>(other)};
}

std::int64_t bytes_behind(std::string_view data) {
  if (!looks_like_slot(data)) return 0;
  return std::max<std::int64_t>(0, size_in(data) - static_cast<std::int64_t>(kSlotBytes));
}

std::int64_t bytes_behind(const pb::common::v1::Payloads& payloads) {
  std::int64_t bytes = 0;
  for (const auto& payload : payloads.payloads()) bytes += bytes_behind(payload.data());
  return bytes;
}

std::int64_t bytes_behind(const pb::history::v1::HistoryEvent& event) {
  std::int64_t bytes = 0;
  for (const auto* list : slotted_lists(event)) {
    if (list != nullptr) bytes += bytes_behind(*list);
  }
  return bytes;
}

std::int64_t bytes_of(const pb::history::v1::HistoryEvent& event) {
  return static_cast<std::int64_t>(event.ByteSizeLong()) + bytes_behind(event);
}

}  // namespace holdfast::history
