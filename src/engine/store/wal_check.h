#pragma once

// Tells a torn tail from damage in a RocksDB log file (*.log, MANIFEST-*).
//
// RocksDB takes a record whose length runs past the end of the file for a write that was cut short, and skips
// what looks like zero padding; a flipped length or a zeroed sector in front of good records would lose them
// silently. A cut-short write is the last thing in its file. So: if a valid record follows the first
// unreadable place, the file is damaged. Pure function over bytes; a whole file is walked by headers only,
// checksums are computed where it counts.

#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::store {

// Offset of the first damaged record, or none when the file reads cleanly up to its end or a torn tail.
std::optional<std::uint64_t> find_log_damage(std::string_view file);
// The same with every checksum verified: says where a damage is that RocksDB has already reported.
std::optional<std::uint64_t> find_bad_log_record(std::string_view file);

}  // namespace holdfast::store
