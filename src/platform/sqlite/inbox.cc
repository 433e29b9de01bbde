// What waits, by the agents that ask.

#include "platform/inbox.h"

#include <memory>
#include <queue>
#include <utility>

#include "platform_sqlite/approval_rows.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

// What one agent asks, newest first; in the order of their numbers the newest of all comes next.
using Line = std::pair<std::int64_t, Statement*>;

}  // namespace

Result<std::vector<std::string>> SqliteStore::asking_agents(std::string_view after) {
  return reading<std::vector<std::string>>([&](Database& db) {
    // From each name to the next one: as many steps as there are agents.
    Statement query(
        db,
        "WITH RECURSIVE asking(agent) AS (SELECT min(agent) FROM approvals WHERE status = 0 AND agent > ?1 "
        "UNION ALL SELECT (SELECT min(agent) FROM approvals WHERE status = 0 AND agent > asking.agent) "
        "FROM asking WHERE asking.agent IS NOT NULL) "
        "SELECT agent FROM asking WHERE agent IS NOT NULL LIMIT ?2");
    return query.bind(after, kMaxPage).all([](const Statement& row) { return row.text(0); });
  });
}

Result<std::vector<Approval>> SqliteStore::asked_by(const std::vector<std::string>& agents,
                                                    std::string_view after, std::uint32_t limit) {
  return reading<std::vector<Approval>>([&](Database& db) -> Result<std::vector<Approval>> {
    const auto before = page_before(db, kPlaceOfApproval, after, "approval");
    if (!before) return fail(before.error());
    std::vector<std::unique_ptr<Statement>> lines;
    std::priority_queue<Line> next;
    const auto step = [&next](Statement& line) {
      if (line.next()) next.emplace(number_of(line), &line);
      return line.status();
    };
    for (const std::string& agent : agents) {
      Statement& line = *lines.emplace_back(std::make_unique<Statement>(
          db, sqlite::Literal(READ_APPROVALS "WHERE status = 0 AND agent = ?1 AND n < ?2 ORDER BY n DESC")));
      if (Status failed = step(line.bind(agent, *before)); !failed.ok()) return fail(std::move(failed));
    }
    std::vector<Approval> out;
    LeftOut damaged("approvals");
    const std::size_t most = rules::page_size(limit);
    while (out.size() < most && !next.empty()) {
      Statement& line = *next.top().second;
      next.pop();
      if (last_column_says_damaged(line)) {
        damaged.add(line.view(0));
      } else {
        out.push_back(approval_of(line));
      }
      if (Status failed = step(line); !failed.ok()) return fail(std::move(failed));
    }
    damage_.note(damaged);
    return out;
  });
}

}  // namespace holdfast::platform
