#pragma once

// Entries: what a run holds of one kind (pending activities, timers, ...), by number: the event that made it,
// or, where order is all that matters, a count. It knows which of them changed since they were last stored,
// so that what a run holds already costs a change nothing. Between begin() and keep() it keeps what the
// changes replaced, once each, so that they can be taken back.
//
// Owned by the record of its run; pure, one thread. A pointer to an entry is good until it is erased.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <utility>
#include <vector>

namespace holdfast::history {

template <typename Info>
class Entries {
 public:
  struct Entry {
    Info info;
    bool own_row = false;   // where it is stored: as a row of its own, or with the state
    bool changed = false;   // since it was stored
    std::size_t bytes = 0;  // as it was stored
    std::size_t in_memory = 0;
  };
  // What entries were before they changed; nothing: they were not there.
  using Before = std::map<std::int64_t, std::optional<Entry>>;

  const Info* find(std::int64_t n) const {
    const Entry* entry = at(n);
    return entry == nullptr ? nullptr : &entry->info;
  }
  // The first from this number on.
  const Info* from(std::int64_t n) const {
    const auto found = entries().lower_bound(n);
    return found == entries().end() ? nullptr : &found->second.info;
  }
  bool empty() const { return entries().empty(); }
  std::int64_t size() const { return static_cast<std::int64_t>(entries().size()); }
  // In order.
  auto infos() const {
    return entries() |
           std::views::transform([](const auto& entry) -> const Info& { return entry.second.info; });
  }
  template <typename Visit>
  void visit(Visit visit) const {
    for (const auto& [n, entry] : entries()) visit(n, entry.info);
  }
  // Behind the last.
  std::int64_t next_n() const { return empty() ? 0 : entries().rbegin()->first + 1; }

  Info& add(std::int64_t n, Info info) {
    keep_before(n);
    return link(n, Entry{.info = std::move(info)});
  }
  // To be changed; null: it is not there.
  Info* change(std::int64_t n) {
    if (at(n) == nullptr) return nullptr;
    keep_before(n);
    Entry& entry = table().entries.at(n);
    mark(n, entry);
    return &entry.info;
  }
  void erase(std::int64_t n) {
    if (at(n) == nullptr) return;
    const auto found = table().entries.find(n);
    uncount(n, found->second);
    if (found->second.own_row) table().gone.push_back(n);
    if (attempt_) table().before.try_emplace(n, std::move(found->second));
    table().entries.erase(found);
  }
  // None is left.
  template <typename Take>
  void take_all(Take take) {
    if (empty()) return;
    for (auto& [n, entry] : table().entries) {
      keep_before(n);
      uncount(n, entry);
      if (entry.own_row) table().gone.push_back(n);
      take(std::move(entry.info));
    }
    table().entries.clear();
  }

  void begin() { attempt_ = true; }
  void keep() { take_before(); }
  // Ends the attempt. The caller puts back what it finds here: first all leave, then those that were there
  // come back.
  Before take_before() {
    attempt_ = false;
    return table_ ? std::exchange(table_->before, {}) : Before();
  }
  void put_back(std::int64_t n, Entry entry) {
    entry.changed = false;
    link(n, std::move(entry));
  }

  // --- for who stores them
  void load(std::int64_t n, Info info, bool own_row, std::size_t bytes, std::size_t in_memory) {
    insert(n, Entry{.info = std::move(info), .own_row = own_row, .bytes = bytes, .in_memory = in_memory});
  }
  std::int64_t own_rows() const { return own_rows_; }
  std::size_t inline_bytes() const { return table_ ? table_->inline_bytes : 0; }
  std::size_t in_memory() const { return table_ ? table_->in_memory : 0; }
  void mark_all() {
    if (empty()) return;
    for (auto& [n, entry] : table().entries) mark(n, entry);
  }
  // Each that changed, in order; `place` says where it is stored and what it takes.
  template <typename Place>
  void take_changed(Place place) {
    if (!table_) return;
    std::ranges::sort(table_->changed);
    for (const std::int64_t n : std::exchange(table_->changed, {})) {
      const auto found = table_->entries.find(n);
      if (found == table_->entries.end() || !std::exchange(found->second.changed, false)) continue;
      uncount(n, found->second);
      place(n, found->second);
      count(n, found->second);
    }
  }
  // Rows whose entries are gone.
  std::vector<std::int64_t> take_gone() {
    if (!table_) return {};
    auto gone = std::exchange(table_->gone, {});
    std::ranges::sort(gone);
    gone.erase(std::ranges::unique(gone).begin(), gone.end());
    return gone;
  }
  // Those that are stored with the state, in order.
  template <typename Visit>
  void visit_inline(Visit visit) const {
    if (!table_) return;
    for (const std::int64_t n : table_->with_state) visit(table_->entries.at(n).info);
  }

 private:
  // Most runs hold things of one or two kinds: the others cost a pointer.
  struct Table {
    std::map<std::int64_t, Entry> entries;
    std::set<std::int64_t> with_state;
    std::vector<std::int64_t> changed;
    std::vector<std::int64_t> gone;
    Before before;
    std::size_t inline_bytes = 0;
    std::size_t in_memory = 0;
  };

  const std::map<std::int64_t, Entry>& entries() const {
    static const std::map<std::int64_t, Entry> kNone;
    return table_ ? table_->entries : kNone;
  }
  Table& table() {
    if (!table_) table_ = std::make_unique<Table>();
    return *table_;
  }
  const Entry* at(std::int64_t n) const {
    const auto found = entries().find(n);
    return found == entries().end() ? nullptr : &found->second;
  }
  void keep_before(std::int64_t n) {
    if (!attempt_ || table().before.contains(n)) return;
    const Entry* entry = at(n);
    table().before.emplace(n, entry == nullptr ? std::nullopt : std::optional<Entry>(*entry));
  }
  void mark(std::int64_t n, Entry& entry) {
    if (!std::exchange(entry.changed, true)) table().changed.push_back(n);
  }
  Info& link(std::int64_t n, Entry entry) {
    Entry& linked = insert(n, std::move(entry));
    mark(n, linked);
    return linked.info;
  }
  Entry& insert(std::int64_t n, Entry entry) {
    if (const Entry* old = at(n)) uncount(n, *old);
    Entry& inserted = table().entries.insert_or_assign(n, std::move(entry)).first->second;
    count(n, inserted);
    return inserted;
  }
  void count(std::int64_t n, const Entry& entry) {
    table().in_memory += entry.in_memory;
    if (entry.own_row) {
      ++own_rows_;
    } else {
      table().with_state.insert(table().with_state.end(), n);
      table().inline_bytes += entry.bytes;
    }
  }
  void uncount(std::int64_t n, const Entry& entry) {
    table().in_memory -= entry.in_memory;
    if (entry.own_row) {
      --own_rows_;
    } else {
      table().with_state.erase(n);
      table().inline_bytes -= entry.bytes;
    }
  }

  std::unique_ptr<Table> table_;
  std::int64_t own_rows_ = 0;
  bool attempt_ = false;
};

}  // namespace holdfast::history
