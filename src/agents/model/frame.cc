#include "model/frame.h"

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

// A half is kept as a character of the last private plane, 0x100000 above it: 0xF4, 0x8D, then these two.
constexpr std::string_view kHalfLead = "\xf4\x8d";
constexpr std::size_t kHalfBytes = 4;

std::string kept_half(std::uint32_t unit) {
  const std::uint32_t code = 0x100000 + unit;
  return std::string(kHalfLead) + static_cast<char>(0x80 | ((code >> 6) & 0x3f)) +
         static_cast<char>(0x80 | (code & 0x3f));
}

// The half that is kept at `at`; 0: none is.
std::uint32_t half_at(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != kHalfLead || text.size() < at + kHalfBytes) return 0;
  const auto third = static_cast<unsigned char>(text[at + 2]);
  const auto fourth = static_cast<unsigned char>(text[at + 3]);
  const std::uint32_t unit = 0xd000 | (third & 0x3fU) << 6 | (fourth & 0x3fU);
  return unit >= 0xd800 && unit <= 0xdfff ? unit : 0;
}

bool is_high(std::uint32_t unit) {
  return unit >= 0xd800 && unit <= 0xdbff;
}

void append_utf8(std::string& out, std::uint32_t code) {
  out += static_cast<char>(0xf0 | (code >> 18));
  out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
  out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
  out += static_cast<char>(0x80 | (code & 0x3f));
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
        out += kept_half(*unit);
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
  if (!is_utf8(data)) data = mended = to_utf8(data);
  Json json = parse_kept(data, kMaxForeignJsonDepth);
  if (!json.is_discarded()) return json;
  bool any = false;
  const std::string kept = keep_halves(data, any);
  if (!any) return json;
  json = parse_kept(kept, kMaxForeignJsonDepth);
  halves_ = halves_ || !json.is_discarded();
  return json;
}

std::string FrameReader::join(std::string text, std::string& held) const {
  if (!halves_) return text;
  text.insert(0, held);
  held.clear();
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t unit = half_at(text, at);
    if (unit == 0) {
      out += text[at++];
      continue;
    }
    const std::uint32_t next = half_at(text, at + kHalfBytes);
    if (is_high(unit) && at + kHalfBytes == text.size()) {
      held = text.substr(at);
      break;
    }
    if (is_high(unit) && next >= 0xdc00) {
      append_utf8(out, 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00));
      at += 2 * kHalfBytes;
    } else {
      out += kReplacement;
      at += kHalfBytes;
    }
  }
  return out;
}

void FrameReader::join_all(Json& value) const {
  if (!halves_) return;
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
