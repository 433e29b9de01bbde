#include "platform/tables.h"

namespace holdfast::platform {

namespace {

void add_number(Sha256& hash, std::uint64_t value) {
  char bytes[8];
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 0xff);
    value >>= 8;
  }
  hash.update({bytes, sizeof bytes});
}

}  // namespace

void RowDigest::add(std::span<const Cell> row) {
  ++rows_;
  for (const Cell& cell : row) {
    add_number(hash_, cell.index());
    if (const auto* number = std::get_if<std::int64_t>(&cell)) {
      add_number(hash_, static_cast<std::uint64_t>(*number));
    } else if (const auto* text = std::get_if<std::string_view>(&cell)) {
      add_number(hash_, text->size());
      hash_.update(*text);
    }
  }
}

}  // namespace holdfast::platform
