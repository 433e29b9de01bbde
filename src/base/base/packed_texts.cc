#include "base/packed_texts.h"

#include "base/ids.h"

namespace holdfast {

namespace {

using Length = std::uint32_t;

constexpr char kUuid = 'u';
constexpr char kText = 't';
constexpr std::size_t kUuidBytes = 16;

int digit(char c) {
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

// Only what can be written back as it was.
bool fits(std::string_view text) {
  if (!is_uuid(text)) return false;
  for (char c : text) {
    if (c >= 'A' && c <= 'F') return false;
  }
  return true;
}

void put_uuid(std::string& out, std::string_view text) {
  out.push_back(kUuid);
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '-') {
      ++i;
      continue;
    }
    out.push_back(static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1])));
    i += 2;
  }
}

std::string uuid_text(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    const auto byte = static_cast<unsigned char>(bytes[i]);
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 0xf]);
  }
  return out;
}

void put_text(std::string& out, std::string_view text) {
  const auto length = static_cast<Length>(text.size());
  out.push_back(kText);
  out.append(reinterpret_cast<const char*>(&length), sizeof length);
  out.append(text);
}

}  // namespace

std::string pack_texts(std::initializer_list<std::string_view> texts) {
  std::string out;
  std::size_t most = 0;
  for (std::string_view text : texts) most += text.size() + 1 + sizeof(Length);
  out.reserve(most);
  for (std::string_view text : texts) {
    if (fits(text)) {
      put_uuid(out, text);
    } else {
      put_text(out, text);
    }
  }
  return out;
}

PackedTexts::PackedTexts(std::string_view packed)
    : block_(std::make_unique_for_overwrite<char[]>(sizeof(Length) + packed.size())) {
  const auto length = static_cast<Length>(packed.size());
  std::memcpy(block_.get(), &length, sizeof length);
  std::memcpy(block_.get() + sizeof length, packed.data(), packed.size());
}

std::string_view PackedTexts::bytes() const {
  Length length = 0;
  std::memcpy(&length, block_.get(), sizeof length);
  return {block_.get() + sizeof length, length};
}

std::size_t PackedTexts::size_in_memory() const {
  return sizeof(Length) + bytes().size();
}

std::string PackedTexts::take(std::string_view& packed) {
  const char tag = packed.front();
  packed.remove_prefix(1);
  std::size_t length = kUuidBytes;
  if (tag == kText) {
    Length stored = 0;
    std::memcpy(&stored, packed.data(), sizeof stored);
    packed.remove_prefix(sizeof stored);
    length = stored;
  }
  const std::string_view bytes = packed.substr(0, length);
  packed.remove_prefix(length);
  return tag == kText ? std::string(bytes) : uuid_text(bytes);
}

}  // namespace holdfast
