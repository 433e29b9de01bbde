#include "base/base64.h"

#include <cstdint>

namespace holdfast {

namespace {

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
constexpr std::string_view kPlain = LETTERS_AND_DIGITS "+/";
constexpr std::string_view kForUrls = LETTERS_AND_DIGITS "-_";
#undef LETTERS_AND_DIGITS

std::string encode(std::string_view bytes, std::string_view alphabet) {
  std::string out;
  out.reserve(bytes.size() / 3 * 4 + 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out.push_back(alphabet[(bits >> (count - 6)) & 63]);
  }
  if (count > 0) out.push_back(alphabet[(bits << (6 - count)) & 63]);
  return out;
}

}  // namespace

std::string base64(std::string_view bytes) {
  return encode(bytes, kPlain);
}

std::string padded_base64(std::string_view bytes) {
  std::string out = base64(bytes);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::string base64url(std::string_view bytes) {
  return encode(bytes, kForUrls);
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const std::size_t at = kForUrls.find(c);
    if (at == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(at);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>((bits >> count) & 255));
    }
  }
  return out;
}

}  // namespace holdfast
