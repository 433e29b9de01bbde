#pragma once

// DamageLog: damaged rows that lists leave out, told in one line for each reading that finds some that were
// not told yet. Thread-safe.

#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::platform {

// What one reading of a table has left out. On its reader's stack.
class LeftOut {
 public:
  static constexpr std::size_t kMaxKeys = 1000;  // that are kept; the others are counted

  explicit LeftOut(std::string_view table) : table_(table) {}
  void add(std::string_view key);

 private:
  friend class DamageLog;
  const std::string_view table_;
  std::size_t count_ = 0;
  std::vector<std::string> keys_;
};

class DamageLog {
 public:
  static constexpr std::size_t kMaxTold = 1000;  // rows that are kept in mind
  static constexpr std::size_t kMaxKeyBytes = 200;

  // `where` begins each line: "platform.db: ", or nothing; `what` is damaged then: "file", "database". An
  // empty `tell`: nobody listens.
  DamageLog(std::string_view where, std::string_view what, std::function<void(const std::string&)> tell)
      : where_(where), what_(what), tell_(std::move(tell)) {}

  void note(const LeftOut& rows);

 private:
  // The first key that was not told before.
  std::optional<std::string> first_new(const LeftOut& rows);

  const std::string where_;
  const std::string what_;
  const std::function<void(const std::string&)> tell_;
  std::mutex mutex_;
  std::set<std::string> told_;  // guarded by mutex_
};

}  // namespace holdfast::platform
