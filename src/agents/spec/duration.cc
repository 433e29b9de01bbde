#include "spec/duration.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace holdfast::spec {

using std::chrono::milliseconds;

namespace {

struct Unit {
  std::string_view name;
  std::int64_t length_ms;
};

// "ms" before "m" and "s": the longest name wins when reading.
constexpr std::array<Unit, 5> kUnits = {
    {{"ms", 1}, {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}}};

}  // namespace

std::string format_duration(milliseconds duration) {
  std::int64_t rest = duration.count();
  std::string out;
  for (std::size_t i = 1; i < kUnits.size(); ++i) {
    if (rest >= kUnits[i].length_ms) {
      out += fmt::format("{}{}", rest / kUnits[i].length_ms, kUnits[i].name);
      rest %= kUnits[i].length_ms;
    }
  }
  if (rest > 0) out += fmt::format("{}ms", rest);
  return out.empty() ? "0s" : out;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  constexpr std::int64_t kMost = 400LL * 366 * 86'400'000;  // four centuries: no sum of parts can overflow
  std::int64_t total = 0;
  if (text.empty()) return std::nullopt;
  if (text == "0") return milliseconds(0);
  while (!text.empty()) {
    std::int64_t count = 0;
    auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || count < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(at - text.data()));
    const Unit* unit = nullptr;
    for (const Unit& one : kUnits) {
      if (!unit && text.starts_with(one.name)) unit = &one;
    }
    if (!unit || count > kMost / unit->length_ms) return std::nullopt;
    text.remove_prefix(unit->name.size());
    total += count * unit->length_ms;
    if (total > kMost) return std::nullopt;
  }
  return milliseconds(total);
}

}  // namespace holdfast::spec
