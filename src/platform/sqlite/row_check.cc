#include "platform_sqlite/row_check.h"

#include <fmt/format.h>

#include "base/storage_fault.h"

namespace holdfast::platform {

Status damaged_row(std::string_view table, std::string_view key) {
  return with_fault(
      Code::kDataLoss, StorageFault::kCorrupt,
      fmt::format("platform.db: the row '{}' of {} is not as it was written, and is not used. The file is "
                  "damaged: restore it from a backup",
                  key.substr(0, DamageLog::kMaxKeyBytes), table));
}

}  // namespace holdfast::platform
