#pragma once

// ToolGrants: the book of tool grants of one namespace. What the operator granted (grant/grants.h) is the
// ceiling for all definitions; a tool grant takes away from what a definition may use, and never adds. Read
// from the store at the start and kept in memory, so that a call is judged without a read; a change is
// durable before it counts, and counts when it returns, for runs that are under way as well.
//
// Owner: app. Any thread; add() and revoke() block as the store does.

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "grant/tool_permits.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/tool_grant_store.h"

namespace holdfast::grant {

inline constexpr std::size_t kMaxToolGrants = 1024;  // of a namespace

class ToolGrants {
 public:
  // Everything outlives it. A store that lacks a row is no ground to open on: what it denied would be
  // allowed.
  static Result<std::unique_ptr<ToolGrants>> open(platform::ToolGrantStore& store, std::string namespace_name,
                                                  const Clock& clock);

  struct Added {
    platform::ToolGrant row;
    bool is_new = false;  // false: the same was granted already, and stays as it was
  };
  // Namespace, id and time are set here. INVALID_ARGUMENT; RESOURCE_EXHAUSTED beyond kMaxToolGrants.
  Result<Added> add(platform::ToolGrant row);
  // What it was. NOT_FOUND; FAILED_PRECONDITION unless `may_open`: it is the last row that limits its scope,
  // and without it everything there would be allowed.
  Result<platform::ToolGrant> revoke(const std::string& id, const std::string& by, bool may_open);

  // By id.
  std::vector<platform::ToolGrant> list() const { return *rows(); }
  // Null: no row is about it.
  std::shared_ptr<const ToolPermits> of(ToolScope scope) const;
  bool empty() const { return rows()->empty(); }

 private:
  using Rows = std::vector<platform::ToolGrant>;
  ToolGrants(platform::ToolGrantStore& store, std::string namespace_name, const Clock& clock)
      : store_(store), namespace_name_(std::move(namespace_name)), clock_(clock) {}

  std::shared_ptr<const Rows> rows() const {
    const std::lock_guard lock(mutex_);
    return rows_;
  }
  void show(Rows rows);

  platform::ToolGrantStore& store_;
  const std::string namespace_name_;
  const Clock& clock_;
  std::mutex changing_;  // one change at a time
  mutable std::mutex mutex_;
  std::shared_ptr<const Rows> rows_ = std::make_shared<const Rows>();  // guarded by mutex_
};

}  // namespace holdfast::grant
