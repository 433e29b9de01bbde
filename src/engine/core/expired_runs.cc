#include "engine/expired_runs.h"

#include <utility>

#include "engine/options.h"
#include "history/stored.h"
#include "store/keys.h"

namespace holdfast::engine {

namespace keys = store::keys;

Status ExpiredRuns::begin_round(std::int64_t now_ns) {
  closed_until_.clear();
  std::vector<UnindexedRuns::Namespace> unindexed;
  Status scanned = store_.scan(keys::table_begin(keys::kStoreWide, keys::kNamespaceTable),
                               keys::table_end(keys::kStoreWide, keys::kNamespaceTable),
                               [&](std::string_view, std::string_view value) {
                                 history::stored::NamespaceRecord record;
                                 if (!record.ParseFromArray(value.data(), static_cast<int>(value.size())))
                                   return true;
                                 if (!record.retention_chosen()) return true;
                                 closed_until_[record.id()] = now_ns - record.retention_ns();
                                 if (!record.closed_runs_indexed())
                                   unindexed.push_back({record.id(), record.name()});
                                 return true;
                               });
  if (!scanned.ok()) return scanned;
  unindexed_.begin(std::move(unindexed));
  in_round_ = true;
  shard_ = 0;
  at_.clear();
  return {};
}

bool ExpiredRuns::full(const SweepSlice& slice) const {
  return slice.expired.size() >= limits_.sweep_runs || pages_ >= limits_.sweep_rows;
}

Result<SweepSlice> ExpiredRuns::next(std::int64_t now_ns) {
  if (!in_round_) {
    if (Status status = begin_round(now_ns); !status.ok()) return fail(std::move(status));
  }
  if (!unindexed_.done()) return unindexed_.next();
  SweepSlice slice;
  pages_ = 0;
  while (shard_ < keys::kShardCount && !full(slice)) {
    if (at_.empty()) at_ = keys::table_begin(shard_, keys::kExpiryTable);
    if (Status status = look_through(shard_, &slice); !status.ok()) return fail(std::move(status));
    if (!at_.empty()) continue;
    ++shard_;
  }
  if (slice.empty()) in_round_ = false;
  return slice;
}

// From `at_` on, which is empty afterwards when the shard has nothing more.
Status ExpiredRuns::look_through(std::uint16_t shard, SweepSlice* slice) {
  const std::string end = keys::table_end(shard, keys::kExpiryTable);
  std::string next;
  Status added;
  Status scanned = store_.scan(at_, end, [&](std::string_view key, std::string_view) {
    if (full(*slice)) {
      next = std::string(key);
      return false;
    }
    keys::ExpiryRow row;
    if (!keys::parse_expiry(key, row)) return true;
    if (row.moment_ns != 0) {
      const auto until = closed_until_.find(row.namespace_id);
      if (until == closed_until_.end() || row.moment_ns > until->second) {
        next = keys::expiry_begin(shard, row.namespace_id);
        next.back() = '\x02';  // behind the namespace: its rows are in the order of time
        return false;
      }
    }
    SweepSlice::Expired expired;
    expired.key = {std::move(row.namespace_id), std::move(row.workflow_id), std::move(row.run_id)};
    expired.moment_ns = row.moment_ns;
    added = add(std::string(key), std::move(expired), slice);
    if (!slice->expired.back().all_pages) next = at_;
    return added.ok() && slice->expired.back().all_pages;
  });
  if (!scanned.ok()) return scanned;
  at_ = std::move(next);
  return added;
}

Status ExpiredRuns::add(const std::string& row_key, SweepSlice::Expired expired, SweepSlice* slice) {
  const auto& [ns, workflow, run] = expired.key;
  Status scanned =
      store_.scan(keys::history_page(ns, workflow, run, 0), keys::state_parts_end(ns, workflow, run),
                  [&](std::string_view key, std::string_view) {
                    expired.all_pages = pages_ < limits_.sweep_rows;
                    if (!expired.all_pages) return false;
                    expired.pages.emplace_back(key);
                    ++pages_;
                    return true;
                  });
  if (!scanned.ok()) return scanned;
  if (expired.all_pages) {
    // No more than its history had room for.
    scanned =
        store_.scan(keys::large_owners_begin(ns, workflow, run), keys::large_owners_end(ns, workflow, run),
                    [&](std::string_view key, std::string_view) {
                      expired.large.push_back(keys::large_id_of(key));
                      return true;
                    });
    if (!scanned.ok()) return scanned;
  }
  at_ = row_key + '\0';
  if (!expired.all_pages) {
    // The rest is found under moment 0, unless the run could not be deleted yet: then its turn comes again
    // with the next round.
    const std::string first = expired.pages.empty() ? row_key : expired.pages.front();
    if (std::exchange(stuck_at_, first) != first) at_ = keys::expiry(0, ns, workflow, run);
  }
  slice->expired.push_back(std::move(expired));
  return {};
}

}  // namespace holdfast::engine
