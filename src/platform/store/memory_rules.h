#pragma once

// Rules of what agents remember (platform/rules.h): what may be kept, by which terms it is found, and which
// entries answer a search best. The index of terms is rows of our own, so that every database finds the same.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/status.h"
#include "platform/memory.h"
#include "platform/records.h"
#include "platform/rules.h"

namespace holdfast::platform::rules {

Status check_memory(const MemoryWrite& write);
// How often each term stands in a text: words in lower case, and each sign of a script that has no spaces.
std::map<std::string, std::int64_t> terms_of(std::string_view text);
// Those of a search, without repeats.
std::vector<std::string> query_terms(std::string_view query);

struct MemoryTotals {
  std::uint32_t entries = 0;
  std::int64_t bytes = 0;
};

// What a write makes of the entry: none, when it says nothing new or was done before. `others`: all entries
// of the subject but this one.
Result<Change<MemoryEntry>> remember(const MemoryWrite& write, const std::optional<MemoryEntry>& stored,
                                     bool repeated, const MemoryTotals& others, WallTime now);
// None: there is no such entry.
std::optional<MemoryEntry> forget(const std::optional<MemoryEntry>& stored, WallTime now);

struct TermHit {
  std::string term;
  std::string name;
  std::int64_t times = 0;
};
// The names of the entries that fit best, best first. `hits`: per term of the search, what begins with it.
std::vector<std::string> rank(const std::vector<std::string>& terms,
                              const std::vector<std::vector<TermHit>>& hits, std::uint32_t entries,
                              std::size_t limit);

}  // namespace holdfast::platform::rules

namespace holdfast::platform::calls {

// find(subject, name), has_version(subject, name, key), totals(subject, without), insert(entry),
// update(entry), keep_version(entry), drop_versions(subject, name, up to), drop_terms(subject, name),
// insert_term(subject, name, term, times)
template <typename Rows>
Status index_memory(Rows& rows, const MemoryEntry& entry) {
  if (Status status = rows.drop_terms(entry.subject, entry.name); !status.ok()) return status;
  if (entry.forgotten) return {};
  for (const auto& [term, times] : rules::terms_of(entry.name + " " + entry.text)) {
    if (Status status = rows.insert_term(entry.subject, entry.name, term, times); !status.ok()) return status;
  }
  return {};
}

template <typename Rows>
Result<MemoryEntry> remember(Rows rows, const MemoryWrite& write, WallTime now) {
  Result<std::optional<MemoryEntry>> stored = rows.find(write.subject, write.name);
  if (!stored) return fail(stored.error());
  Result<bool> repeated = rows.has_version(write.subject, write.name, write.key);
  if (!repeated) return fail(repeated.error());
  Result<rules::MemoryTotals> others = rows.totals(write.subject, write.name);
  if (!others) return fail(others.error());
  Result<rules::Change<MemoryEntry>> change = rules::remember(write, *stored, *repeated, *others, now);
  if (!change) return fail(change.error());
  if (change->write == rules::Write::kNothing) return std::move(change->row);
  Status status;
  if (change->write == rules::Write::kUpdate) {
    if (!(*stored)->forgotten) status = rows.keep_version(**stored);
    if (status.ok()) {
      status = rows.drop_versions(write.subject, write.name, change->row.version - kMaxMemoryVersions - 1);
    }
    if (status.ok()) status = rows.update(change->row);
  } else {
    status = rows.insert(change->row);
  }
  if (status.ok()) status = index_memory(rows, change->row);
  if (!status.ok()) return fail(status);
  return std::move(change->row);
}

template <typename Rows>
Result<bool> forget_memory(Rows rows, std::string_view subject, std::string_view name, WallTime now) {
  Result<std::optional<MemoryEntry>> stored = rows.find(subject, name);
  if (!stored) return fail(stored.error());
  std::optional<MemoryEntry> gone = rules::forget(*stored, now);
  if (!gone) return false;
  Status status = rows.drop_versions(subject, name, gone->version);
  if (status.ok()) status = rows.update(*gone);
  if (status.ok()) status = index_memory(rows, *gone);
  if (!status.ok()) return fail(status);
  return true;
}

// totals(subject, without), hits(subject, term), find(subject, name)
template <typename Rows>
Result<std::vector<MemoryEntry>> search_memory(Rows rows, std::string_view subject, std::string_view query,
                                               std::size_t limit) {
  const std::vector<std::string> terms = rules::query_terms(query);
  Result<rules::MemoryTotals> totals = rows.totals(subject, "");
  if (!totals) return fail(totals.error());
  std::vector<std::vector<rules::TermHit>> hits;
  for (const std::string& term : terms) {
    Result<std::vector<rules::TermHit>> found = rows.hits(subject, term);
    if (!found) return fail(found.error());
    hits.push_back(*std::move(found));
  }
  std::vector<MemoryEntry> out;
  for (const std::string& name : rules::rank(terms, hits, totals->entries, limit)) {
    Result<std::optional<MemoryEntry>> entry = rows.find(subject, name);
    if (!entry) return fail(entry.error());
    if (*entry && !(*entry)->forgotten) out.push_back(std::move(**entry));
  }
  return out;
}

// totals(subject, without), erase(subject), insert_audit(row). The number of entries that there were.
template <typename Rows>
Result<std::int64_t> erase_memory(Rows rows, std::string_view subject, AuditRow row) {
  Result<rules::MemoryTotals> totals = rows.totals(subject, "");
  if (!totals) return fail(totals.error());
  row.action = kMemoryErased;
  row.subject = subject;
  Status status = rows.erase(subject);
  if (status.ok()) status = rows.insert_audit(row);
  if (!status.ok()) return fail(status);
  return static_cast<std::int64_t>(totals->entries);
}

}  // namespace holdfast::platform::calls
