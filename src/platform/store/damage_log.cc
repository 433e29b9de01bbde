#include "platform/damage_log.h"

#include <fmt/format.h>

namespace holdfast::platform {

void LeftOut::add(std::string_view key) {
  ++count_;
  if (keys_.size() < kMaxKeys) keys_.emplace_back(key.substr(0, DamageLog::kMaxKeyBytes));
}

std::optional<std::string> DamageLog::first_new(const LeftOut& rows) {
  const std::lock_guard lock(mutex_);
  std::optional<std::string> first;
  for (const std::string& key : rows.keys_) {
    if (told_.size() >= kMaxTold) break;
    if (told_.insert(fmt::format("{} {}", rows.table_, key)).second && !first) first = key;
  }
  return first;
}

void DamageLog::note(const LeftOut& rows) {
  if (!tell_ || rows.count_ == 0) return;
  const std::optional<std::string> first = first_new(rows);
  if (!first) return;
  if (rows.count_ == 1) {
    return tell_(
        fmt::format("{}the row '{}' of {} is not as it was written, and is not used. The {} is damaged: "
                    "restore it from a "
                    "backup",
                    where_, *first, rows.table_, what_));
  }
  tell_(fmt::format(
      "{}{} rows of {} are not as they were written, and are not used, '{}' among them. The {} is damaged: "
      "restore it from a backup",
      where_, rows.count_, rows.table_, *first, what_));
}

}  // namespace holdfast::platform
