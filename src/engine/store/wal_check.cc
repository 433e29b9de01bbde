#include "store/wal_check.h"

#include <array>
#include <cstring>

namespace holdfast::store {
namespace {

// The log format, as RocksDB's wiki describes it: blocks of 32 KiB; a record never starts in a block's last
// bytes that cannot hold a header; header = masked crc32c of type and payload, 2 bytes length, 1 byte type
// (1-4, 9, 10), with the log's number added for recyclable types (5-8, 11).
constexpr std::size_t kBlock = 32 * 1024;
constexpr std::size_t kHeader = 7;
constexpr std::size_t kRecyclableHeader = 11;

std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
    table[i] = crc;
  }
  return table;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  static const std::array<std::uint32_t, 256> table = make_table();
  std::uint32_t crc = 0xFFFFFFFFu;
  for (char c : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

std::uint8_t byte_at(std::string_view file, std::size_t i) {
  return static_cast<std::uint8_t>(file[i]);
}

std::size_t block_end(std::size_t offset) {
  return (offset / kBlock + 1) * kBlock;
}

// Size of the record at `offset` with its header; 0 when no record can be read there.
std::size_t record_size(std::string_view file, std::size_t offset) {
  if (offset + kHeader > file.size()) return 0;
  const std::size_t length = byte_at(file, offset + 4) | (std::size_t{byte_at(file, offset + 5)} << 8);
  const std::uint8_t type = byte_at(file, offset + 6);
  if (type == 0 || type > 11) return 0;
  const bool recyclable = (type >= 5 && type <= 8) || type == 11;
  const std::size_t size = (recyclable ? kRecyclableHeader : kHeader) + length;
  if (offset + size > file.size() || offset + size > block_end(offset)) return 0;
  return size;
}

bool checksum_holds(std::string_view file, std::size_t offset, std::size_t size) {
  std::uint32_t stored = 0;
  for (int i = 3; i >= 0; --i) stored = (stored << 8) | byte_at(file, offset + static_cast<std::size_t>(i));
  return stored == masked_crc32c(file.substr(offset + 6, size - 6));
}

bool valid_record_follows(std::string_view file, std::size_t offset) {
  for (std::size_t at = offset + 1; at + kHeader <= file.size(); ++at) {
    const std::size_t size = record_size(file, at);
    if (size != 0 && checksum_holds(file, at, size)) return true;
  }
  return false;
}

std::optional<std::uint64_t> walk(std::string_view file, bool verify_all) {
  std::size_t offset = 0;
  while (offset < file.size()) {
    if (block_end(offset) - offset < kHeader) {  // padding that cannot hold a header
      offset = block_end(offset);
      continue;
    }
    const std::size_t size = record_size(file, offset);
    if (size == 0) {
      if (valid_record_follows(file, offset)) return offset;
      return std::nullopt;
    }
    if (verify_all && !checksum_holds(file, offset, size)) return offset;
    offset += size;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> find_log_damage(std::string_view file) {
  return walk(file, false);
}
std::optional<std::uint64_t> find_bad_log_record(std::string_view file) {
  return walk(file, true);
}

}  // namespace holdfast::store
