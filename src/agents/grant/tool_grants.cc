#include "grant/tool_grants.h"

#include <fmt/format.h>

#include <algorithm>

#include "platform/store.h"
#include "platform/tool_grant_rules.h"

namespace holdfast::grant {

using platform::GrantMode;
using platform::ToolGrant;
namespace rules = platform::rules;

namespace {

Status would_open(const ToolGrant& row) {
  std::string where = row.agent == platform::kAnyScope ? "every agent" : "the agent " + row.agent;
  if (row.team != platform::kAnyScope) where += " of team " + row.team;
  if (row.environment != platform::kAnyScope) where += " in " + row.environment;
  return {
      Code::kFailedPrecondition,
      fmt::format("{} is the last grant that limits {}: without it, every tool of a definition is allowed "
                  "there. To take tools away, deny them, or add a narrower grant first; to open it, say so",
                  row.id, where)};
}

}  // namespace

Result<std::unique_ptr<ToolGrants>> ToolGrants::open(platform::ToolGrantStore& store,
                                                     std::string namespace_name, const Clock& clock) {
  std::unique_ptr<ToolGrants> out(new ToolGrants(store, std::move(namespace_name), clock));
  Rows rows;
  while (true) {
    auto page =
        store.tool_grants(out->namespace_name_, rows.empty() ? "" : rows.back().id, platform::kMaxPage);
    if (!page) return fail(page.error());
    if (page->empty()) break;
    std::ranges::move(*page, std::back_inserter(rows));
  }
  out->show(std::move(rows));
  return out;
}

void ToolGrants::show(Rows rows) {
  auto next = std::make_shared<const Rows>(std::move(rows));
  const std::lock_guard lock(mutex_);
  rows_ = std::move(next);
}

Result<ToolGrants::Added> ToolGrants::add(ToolGrant row) {
  row.namespace_name = namespace_name_;
  row.tools = rules::sorted_tools(std::move(row.tools));
  if (Status status = rules::check_tool_grant(row); !status.ok()) return fail(std::move(status));
  row.id = rules::tool_grant_id(row);
  row.set_at = clock_.now();
  const std::lock_guard changing(changing_);
  Rows next = *rows();
  const auto at = std::ranges::lower_bound(next, row.id, {}, &ToolGrant::id);
  if (at != next.end() && at->id == row.id) return Added{*at, false};
  if (next.size() >= kMaxToolGrants) {
    return fail(Code::kResourceExhausted,
                fmt::format("there are {} tool grants already: revoke some, or name tools by their beginning",
                            kMaxToolGrants));
  }
  Status status = store_.put_tool_grant(row, rules::audit_of_grant(row, platform::kGrantAdded, row.set_by));
  if (!status.ok()) return fail(std::move(status));
  next.insert(at, row);
  show(std::move(next));
  return Added{std::move(row), true};
}

Result<ToolGrant> ToolGrants::revoke(const std::string& id, const std::string& by, bool may_open) {
  const std::lock_guard changing(changing_);
  Rows next = *rows();
  const auto at = std::ranges::lower_bound(next, id, {}, &ToolGrant::id);
  if (at == next.end() || at->id != id)
    return fail(Code::kNotFound, fmt::format("there is no tool grant {}", id.substr(0, 100)));
  ToolGrant row = *at;
  next.erase(at);
  const bool still_limited = std::ranges::any_of(next, [&](const ToolGrant& other) {
    return other.mode == GrantMode::kAllow && rules::covers(other, row);
  });
  if (row.mode == GrantMode::kAllow && !still_limited && !may_open) return fail(would_open(row));
  auto gone =
      store_.delete_tool_grant(namespace_name_, id, rules::audit_of_grant(row, platform::kGrantRevoked, by));
  if (!gone) return fail(gone.error());
  show(std::move(next));
  return row;
}

std::shared_ptr<const ToolPermits> ToolGrants::of(ToolScope scope) const {
  const std::shared_ptr<const Rows> all = rows();
  if (all->empty()) return nullptr;
  auto out = std::make_shared<const ToolPermits>(*all, std::move(scope));
  return out->empty() ? nullptr : out;
}

}  // namespace holdfast::grant
