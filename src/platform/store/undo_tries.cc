#include "platform/undo_tries.h"

#include "protocol/undo.h"

namespace holdfast::platform {

Result<UndoTry> last_undo_try(Store& store, const std::string& call_key) {
  UndoTry out;
  for (std::uint32_t again = 0; again < kMaxUndoTries; ++again) {
    auto record = store.lookup_effect(protocol::undo_key(call_key, again));
    if (!record) return fail(record.error());
    if (!*record) break;
    out.again = again;
    out.record = *std::move(record);
  }
  return out;
}

}  // namespace holdfast::platform
