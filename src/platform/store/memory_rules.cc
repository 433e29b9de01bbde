#include "platform/memory_rules.h"

#include <fmt/format.h>
#include <utf8.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"

namespace holdfast::platform::rules {

namespace {

constexpr std::size_t kMaxTermBytes = 64;

bool in(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

// Scripts in which words stand side by side: each sign is a term.
bool stands_alone(char32_t c) {
  return in(c, 0x3041, 0x30ff) || in(c, 0x3400, 0x9fff) || in(c, 0xf900, 0xfaff) || in(c, 0x20000, 0x3ffff) ||
         in(c, 0x0e00, 0x0eff);
}

bool is_of_word(char32_t c) {
  if (c < 0x80) return in(c, '0', '9') || in(c, 'a', 'z') || in(c, 'A', 'Z') || c == '_';
  return !in(c, 0x80, 0xbf) && !in(c, 0x2000, 0x2bff) && !in(c, 0x3000, 0x303f) && !in(c, 0xff00, 0xff0f) &&
         !in(c, 0xfe00, 0xfe6f) && c != 0xd7 && c != 0xf7 && c != 0xfffd;
}

// Of the letters of Latin, Greek and Cyrillic; what else has two cases is found as it is written.
char32_t lower(char32_t c) {
  if (in(c, 'A', 'Z') || in(c, 0xc0, 0xde) || in(c, 0x391, 0x3a9) || in(c, 0x410, 0x42f)) return c + 0x20;
  if (in(c, 0x400, 0x40f)) return c + 0x50;
  if ((in(c, 0x100, 0x137) || in(c, 0x14a, 0x177)) && c % 2 == 0) return c + 1;
  if (in(c, 0x139, 0x148) && c % 2 == 1) return c + 1;
  return c;
}

// Calls `each(term)` for every term of the text.
template <typename Each>
void split(std::string_view text, Each each) {
  const std::string clean = to_utf8(text);
  std::string term;
  const auto end_term = [&] {
    if (!term.empty() && term.size() <= kMaxTermBytes) each(term);
    term.clear();
  };
  for (auto at = clean.begin(); at != clean.end();) {
    const char32_t c = static_cast<char32_t>(utf8::next(at, clean.end()));
    if (!is_of_word(c)) {
      end_term();
    } else if (stands_alone(c)) {
      end_term();
      utf8::append(c, std::back_inserter(term));
      end_term();
    } else {
      utf8::append(lower(c), std::back_inserter(term));
    }
  }
  end_term();
}

}  // namespace

Status check_memory(const MemoryWrite& write) {
  constexpr std::size_t kMaxEntryName = 200;
  if (Status status = check_name("the subject of a memory", write.subject); !status.ok()) return status;
  if (Status status = check_name("an entry", write.name); !status.ok()) return status;
  if (write.name.size() > kMaxEntryName) {
    return {Code::kInvalidArgument, fmt::format("the name of an entry may have {} bytes", kMaxEntryName)};
  }
  if (write.text.empty()) return {Code::kInvalidArgument, "an entry needs a text"};
  if (write.text.size() <= kMaxMemoryText) return {};
  return {Code::kInvalidArgument, fmt::format("an entry may have {} bytes, not {}: say less, or make two",
                                              kMaxMemoryText, write.text.size())};
}

std::map<std::string, std::int64_t> terms_of(std::string_view text) {
  std::map<std::string, std::int64_t> out;
  split(text, [&out](const std::string& term) {
    const auto found = out.find(term);
    if (found != out.end()) {
      ++found->second;
    } else if (out.size() < kMaxMemoryTerms) {
      out.emplace(term, 1);
    }
  });
  return out;
}

std::vector<std::string> query_terms(std::string_view query) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  split(query, [&](const std::string& term) {
    if (out.size() < kMaxMemoryQuery && seen.insert(term).second) out.push_back(term);
  });
  return out;
}

Result<Change<MemoryEntry>> remember(const MemoryWrite& write, const std::optional<MemoryEntry>& stored,
                                     bool repeated, const MemoryTotals& others, WallTime now) {
  if (stored && (repeated || stored->key == write.key || (!stored->forgotten && stored->text == write.text)))
    return Change<MemoryEntry>{*stored, Write::kNothing};
  const std::uint32_t entries = std::min(write.limits.entries, kMaxMemoryEntries);
  if (others.entries >= entries) {
    return fail(Code::kResourceExhausted,
                fmt::format("{} entries are remembered, and more may not be: forget one, or write a new "
                            "version of one",
                            others.entries));
  }
  if (others.bytes + static_cast<std::int64_t>(write.text.size()) > write.limits.bytes) {
    return fail(Code::kResourceExhausted,
                fmt::format("{} bytes are remembered in other entries, and {} may be in all: forget some, or "
                            "say less",
                            others.bytes, write.limits.bytes));
  }
  Change<MemoryEntry> out;
  out.write = stored ? Write::kUpdate : Write::kInsert;
  out.row.subject = write.subject;
  out.row.name = write.name;
  out.row.version = stored ? stored->version + 1 : 1;
  out.row.text = write.text;
  out.row.run = write.run;
  out.row.key = write.key;
  out.row.at = now;
  return out;
}

std::optional<MemoryEntry> forget(const std::optional<MemoryEntry>& stored, WallTime now) {
  if (!stored || stored->forgotten) return std::nullopt;
  MemoryEntry out = *stored;
  ++out.version;
  out.text.clear();
  out.forgotten = true;
  out.at = now;
  return out;
}

// BM25 without lengths, which in notes say little; what only begins with a term counts half.
std::vector<std::string> rank(const std::vector<std::string>& terms,
                              const std::vector<std::vector<TermHit>>& hits, std::uint32_t entries,
                              std::size_t limit) {
  constexpr double kSaturation = 1.2;
  constexpr double kBeginning = 0.5;
  std::map<std::string, double> scores;
  for (std::size_t i = 0; i < terms.size() && i < hits.size(); ++i) {
    std::map<std::string, double> best;
    for (const TermHit& hit : hits[i]) {
      const double times = static_cast<double>(hit.times);
      const double weight = (hit.term == terms[i] ? 1.0 : kBeginning) * times / (times + kSaturation);
      double& of_name = best[hit.name];
      of_name = std::max(of_name, weight);
    }
    const double with = static_cast<double>(best.size());
    const double without = std::max(0.0, static_cast<double>(entries) - with);
    const double rarity = std::log(1.0 + (without + 0.5) / (with + 0.5));
    for (const auto& [name, weight] : best) scores[name] += rarity * weight;
  }
  std::vector<std::pair<double, std::string>> sorted;
  for (auto& [name, score] : scores) sorted.emplace_back(-score, name);
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> out;
  for (std::size_t i = 0; i < sorted.size() && i < limit; ++i) out.push_back(std::move(sorted[i].second));
  return out;
}

}  // namespace holdfast::platform::rules
