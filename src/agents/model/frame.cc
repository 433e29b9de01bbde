#include "model/frame.h"

#include <utf8.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "base/ascii.h"
#include "base/json.h"
#include "base/kept_numbers.h"
#include "base/text.h"

namespace holdfast::model {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// What is of use only with what follows is kept as a character of the last private plane: a half of a
// surrogate pair 0x100000 above it, a byte of a character that was cut 0x10E000 above it.
constexpr std::uint32_t kHalves = 0x100000;
constexpr std::uint32_t kBytes = 0x10e000;
constexpr std::size_t kKeptBytes = 4;

void append_utf8(std::string& out, std::uint32_t code) {
  out += static_cast<char>(0xf0 | (code >> 18));
  out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
  out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
  out += static_cast<char>(0x80 | (code & 0x3f));
}

// The character of the last plane at `at`; 0: there is none.
std::uint32_t kept_at(std::string_view text, std::size_t at) {
  if (text.size() < at + kKeptBytes || text[at] != '\xf4') return 0;
  std::uint32_t code = 4;
  for (const char c : text.substr(at + 1, 3)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  return code;
}

// The half that is kept at `at`; 0: none is.
std::uint32_t half_at(std::string_view text, std::size_t at) {
  const std::uint32_t code = kept_at(text, at);
  return code >= kHalves + 0xd800 && code <= kHalves + 0xdfff ? code - kHalves : 0;
}

// The byte, likewise.
std::uint32_t byte_at(std::string_view text, std::size_t at) {
  const std::uint32_t code = kept_at(text, at);
  return code >= kBytes + 0x80 && code <= kBytes + 0xff ? code - kBytes : 0;
}

bool is_high(std::uint32_t unit) {
  return unit >= 0xd800 && unit <= 0xdbff;
}

// The unit of an escape \uXXXX at `at`; none: there is no such escape.
std::optional<std::uint32_t> escaped_unit(std::string_view text, std::size_t at) {
  if (text.size() < at + 6 || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  std::uint32_t unit = 0;
  const char* const digits = text.data() + at + 2;
  const auto [end, error] = std::from_chars(digits, digits + 4, unit, 16);
  if (error != std::errc() || end != digits + 4) return std::nullopt;
  return unit;
}

// Escapes of halves that have no other half beside them, kept as characters that JSON knows.
std::string keep_halves(std::string_view json, bool& any) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t at = 0; at < json.size();) {
    const auto unit = escaped_unit(json, at);
    if (unit && *unit >= 0xd800 && *unit <= 0xdfff) {
      const auto next = escaped_unit(json, at + 6);
      if (is_high(*unit) && next && *next >= 0xdc00 && *next <= 0xdfff) {
        out += json.substr(at, 12);
        at += 12;
      } else {
        append_utf8(out, kHalves + *unit);
        any = true;
        at += 6;
      }
      continue;
    }
    const std::size_t step = json[at] == '\\' ? 2 : 1;
    out += json.substr(at, step);
    at += step;
  }
  return out;
}

// Bytes that are no UTF-8 where they stand.
std::string keep_bytes(std::string_view data) {
  std::string out;
  while (!data.empty()) {
    const auto wrong = utf8::find_invalid(data.begin(), data.end());
    out.append(data.begin(), wrong);
    data.remove_prefix(static_cast<std::size_t>(wrong - data.begin()));
    if (data.empty()) break;
    append_utf8(out, kBytes + static_cast<unsigned char>(data.front()));
    data.remove_prefix(1);
  }
  return out;
}

// The bytes that are kept from `at` on, until something else comes, which `at` is moved to.
std::string bytes_from(std::string_view text, std::size_t& at) {
  std::string out;
  for (std::uint32_t byte = byte_at(text, at); byte != 0; byte = byte_at(text, at)) {
    out += static_cast<char>(byte);
    at += kKeptBytes;
  }
  return out;
}

// How many bytes at the end of `bytes` may be the beginning of a character.
std::size_t begun_character(std::string_view bytes) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
    const auto c = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((c & 0xc0U) == 0x80U) continue;
    const std::size_t whole = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    return c >= 0xc2 && c <= 0xf4 && back < whole ? back : 0;
  }
  return 0;
}

}  // namespace

bool carries_nothing(std::string_view data) {
  const std::size_t first = data.find_first_not_of(kBlanks);
  if (first == std::string_view::npos || data[first] == ':') return true;
  data = data.substr(first, data.find_last_not_of(kBlanks) + 1 - first);
  constexpr std::array<std::string_view, 9> kWords = {
      "ping", "pong", "keepalive", "keep-alive", "keep_alive", "heartbeat", "null", "{}", "[]"};
  const std::string word = ascii_lower(data.substr(0, 16));
  return data.size() <= 16 && std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

bool says_done(std::string_view data) {
  const std::size_t first = data.find_first_not_of(kBlanks);
  return first != std::string_view::npos && data.substr(first).starts_with("[DONE]");
}

FrameReader::Json FrameReader::read(std::string_view data) {
  std::string mended;
  if (!is_utf8(data)) {
    data = mended = keep_bytes(data);
    kept_ = true;
  }
  Json json = parse_kept(data, kMaxForeignJsonDepth);
  if (!json.is_discarded()) return json;
  bool any = false;
  const std::string halves = keep_halves(data, any);
  if (!any) return json;
  json = parse_kept(halves, kMaxForeignJsonDepth);
  kept_ = kept_ || !json.is_discarded();
  return json;
}

std::string FrameReader::join(std::string text, std::string& held) const {
  if (!kept_) return text;
  text.insert(0, held);
  held.clear();
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t unit = half_at(text, at);
    if (unit == 0) {
      std::string bytes = bytes_from(text, at);
      if (bytes.empty()) {
        out += text[at++];
        continue;
      }
      const std::size_t begun = at == text.size() ? begun_character(bytes) : 0;
      held = text.substr(text.size() - begun * kKeptBytes);
      bytes.resize(bytes.size() - begun);
      out += to_utf8(bytes);
      continue;
    }
    const std::uint32_t next = half_at(text, at + kKeptBytes);
    if (is_high(unit) && at + kKeptBytes == text.size()) {
      held = text.substr(at);
      break;
    }
    if (is_high(unit) && next >= 0xdc00) {
      append_utf8(out, 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00));
      at += 2 * kKeptBytes;
    } else {
      out += kReplacement;
      at += kKeptBytes;
    }
  }
  return out;
}

void FrameReader::join_all(Json& value) const {
  if (!kept_) return;
  if (value.is_string()) {
    std::string held;
    std::string text = join(value.get<std::string>(), held);
    value = held.empty() ? text : text + std::string(kReplacement);
    return;
  }
  if (!value.is_structured()) return;
  for (Json& item : value) join_all(item);
}

}  // namespace holdfast::model
