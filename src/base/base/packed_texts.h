#pragma once

// PackedTexts: a few short texts in one block of memory, for tables with an entry for every one of very many
// things. A UUID, as new_uuid() writes it, takes 17 bytes of it, where a string of its own takes 80. Equal
// texts are equal bytes, and nothing else is; the order of the bytes is not that of the texts. A value of
// whoever holds it; one block, which is freed with it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast {

// As PackedTexts has them, for looking one up.
std::string pack_texts(std::initializer_list<std::string_view> texts);

class PackedTexts {
 public:
  explicit PackedTexts(std::string_view packed);

  std::string_view bytes() const;
  // All of them, in the order in which they were packed.
  template <std::size_t N>
  std::array<std::string, N> texts() const {
    std::array<std::string, N> out;
    std::string_view left = bytes();
    for (std::string& text : out) text = take(left);
    return out;
  }
  // Of the block.
  std::size_t size_in_memory() const;

 private:
  static std::string take(std::string_view& packed);

  std::unique_ptr<char[]> block_;  // its length, then the bytes
};

}  // namespace holdfast
