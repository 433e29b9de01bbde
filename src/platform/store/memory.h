#pragma once

// What agents remember from one run to the next: entries with a name and a text, each with its versions, per
// subject. A subject is whom or what they are about; it is bound by definition or operator, never by a model.
//
// Plain values; see platform/store.h for the calls.

#include <cstddef>
#include <cstdint>
#include <string>

#include "holdfast/seams.h"

namespace holdfast::platform {

inline constexpr std::size_t kMaxMemoryText = 64 * 1024;
inline constexpr std::uint32_t kMaxMemoryEntries = 10'000;  // of one subject, whatever its limits say
inline constexpr std::int64_t kMaxMemoryVersions = 10;      // of one entry, behind the newest
inline constexpr std::size_t kMaxMemoryTerms = 2000;        // of one entry, by which it is found
inline constexpr std::size_t kMaxMemoryQuery = 16;          // terms of one search
inline constexpr const char* kMemoryErased = "memory.erased";

// Of the entries that are there; their versions count for nothing.
struct MemoryLimits {
  MemoryLimits() = default;
  std::uint32_t entries = 1000;
  std::int64_t bytes = 1 << 20;
};

struct MemoryWrite {
  MemoryWrite() = default;
  std::string subject;
  std::string name;
  std::string text;
  std::string run;
  std::string key;  // of the call: the same on every attempt, which writes once
  MemoryLimits limits;
};

struct MemoryEntry {
  MemoryEntry() = default;
  std::string subject;
  std::string name;
  std::int64_t version = 0;  // from 1
  std::string text;
  std::string run;
  std::string key;
  WallTime at{};
  bool forgotten = false;  // then there is no text, and no version has one
};

struct MemorySubject {
  MemorySubject() = default;
  std::string subject;
  std::int64_t entries = 0;
  std::int64_t bytes = 0;
  WallTime updated_at{};
};

}  // namespace holdfast::platform
