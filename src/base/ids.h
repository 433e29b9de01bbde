#pragma once

// Identifiers: UUIDs as text, and the stable hash that places a workflow on a shard.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/seams.h"

namespace holdfast {

// Random UUID, version 4, lower case: Temporal's run ids have this form.
std::string new_uuid(Random& random);

bool is_uuid(std::string_view text);

// FNV-1a, 64 bits. Placement of data on shards rests on it: it must never change.
constexpr std::uint64_t stable_hash(std::string_view text, std::uint64_t seed = 14695981039346656037ULL) {
  std::uint64_t hash = seed;
  for (char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ULL;
  }
  return hash;
}

}  // namespace holdfast
