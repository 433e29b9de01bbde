#pragma once

// What code was given of its calls, kept between two runs of it: the next one reads from the store only what
// is new. It is taken once; another process, or an attempt behind a crash, reads all of it. Thread-safe.

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "activities/code_result.h"

namespace holdfast::agent {

class CodePasts {
 public:
  static constexpr std::size_t kMaxKept = 1024;
  static constexpr std::size_t kMaxBytes = 64 << 20;

  // What is before that round, by its key; the oldest go when there is no room.
  void keep(const std::string& round, CodePast past);
  std::optional<CodePast> take(const std::string& round);

 private:
  using Kept = std::list<std::pair<std::string, CodePast>>;
  CodePast remove(Kept::iterator one);

  std::mutex mutex_;
  Kept kept_;  // guarded by mutex_; the newest first
  std::map<std::string, Kept::iterator> places_;
  std::size_t bytes_ = 0;
};

}  // namespace holdfast::agent
