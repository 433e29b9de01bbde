#pragma once

// Identifiers: UUIDs as text, and the stable hash that places a workflow on a shard.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "holdfast/seams.h"

namespace holdfast {

// That many of them, for keys and tokens.
std::string random_bytes(Random& random, std::size_t count);

// Random UUID, version 4 (RFC 9562), lower case.
std::string new_uuid(Random& random);

// UUID, version 7 (RFC 9562): milliseconds since the epoch, then random bits, so that newer ones sort behind.
// Temporal's run ids have this form, and SDKs' tests rely on it.
std::string new_uuid_v7(Random& random, std::int64_t unix_ms);

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
