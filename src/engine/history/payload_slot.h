#pragma once

// PayloadSlot: what stands in an event in the place of a large payload's data. The data itself is kept in
// pieces outside the history (core/large_rows.h), and comes back into its place when an answer leaves the
// engine (core/large_filler.h); between the two nobody copies it. What counts, though, in every limit, is the
// data.
//
// A slot is signed, since anybody may send bytes that look like one: those are data like any other. Pure;
// thread-safe. Durable format (docs/formats/store.md).

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/messages.h"

namespace holdfast::history {

struct PayloadSlot {
  std::int64_t epoch = 0;  // of the store when it was written
  std::int64_t number = 0;
  std::int64_t bytes = 0;
};

inline constexpr std::size_t kSlotBytes = 48;

class SlotSigner {
 public:
  explicit SlotSigner(std::string key) : key_(std::move(key)) {}

  std::string sign(const PayloadSlot& slot) const;
  // Nothing: no slot of this store.
  std::optional<PayloadSlot> read(std::string_view data) const;
  const std::string& key() const { return key_; }
  // Every slot in the bytes of a message.
  void find(std::string_view bytes, const std::function<void(const PayloadSlot&)>& found) const;

 private:
  std::string mac(std::string_view body) const;

  std::string key_;
};

// The lists of payloads of an event in which slots may stand; unused places are null.
std::array<const pb::common::v1::Payloads*, 2> slotted_lists(const pb::history::v1::HistoryEvent& event);
std::array<pb::common::v1::Payloads*, 2> slotted_lists(pb::history::v1::HistoryEvent* event);

// By how much it is larger than it looks. Takes every slot at its word: a wrong one makes its own history
// look larger, nothing else.
std::int64_t bytes_behind(std::string_view data);
std::int64_t bytes_behind(const pb::common::v1::Payloads& payloads);
std::int64_t bytes_behind(const pb::history::v1::HistoryEvent& event);

}  // namespace holdfast::history
