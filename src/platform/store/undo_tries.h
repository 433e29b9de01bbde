#pragma once

// Taking an effect back may be tried more than once: each try that failed is settled in the ledger, and
// whoever asks for it anew tries under the next key. Blocks as the store does; any thread.

#include <cstdint>
#include <optional>
#include <string>

#include "platform/store.h"

namespace holdfast::platform {

// So often one effect is taken back; then it stands.
inline constexpr std::uint32_t kMaxUndoTries = 100;

struct UndoTry {
  UndoTry() = default;
  std::uint32_t again = 0;             // so many were before it: protocol::undo_key()
  std::optional<EffectRecord> record;  // none: nobody has tried yet

  bool failed() const { return record && record->state == EffectState::kSettled && !record->succeeded; }
  bool undone() const { return record && record->state == EffectState::kSettled && record->succeeded; }
  bool may_be_tried() const { return !undone() && (!failed() || again + 1 < kMaxUndoTries); }
  // Which one is to be made: a settled one is not made again.
  std::uint32_t next() const { return failed() && may_be_tried() ? again + 1 : again; }
};

// Of the call with that key.
Result<UndoTry> last_undo_try(Store& store, const std::string& call_key);

}  // namespace holdfast::platform
