// What waits, by the agents that ask and by whom they ask.

#include "platform/inbox.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <queue>
#include <utility>

#include "platform_sqlite/approval_rows.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

// What one agent asks, newest first; in the order of their numbers the newest of all comes next.
using Line = std::pair<std::int64_t, Statement*>;

// The newest of what asks one of these words, by its number; `most` at most.
Result<std::vector<std::int64_t>> newest_asked(Database& db, const Decider& who, std::int64_t before,
                                               std::size_t most) {
  std::vector<std::int64_t> out;
  const auto look_for = [&](std::string_view word) {
    Statement line(
        db,
        "SELECT n FROM asked WHERE word = ?1 AND n < ?2 AND since <= ?3 AND (but = '' OR but <> ?4) "
        "ORDER BY n DESC LIMIT ?5");
    line.bind(word, before, who.now, who.name, static_cast<std::int64_t>(most));
    while (line.next()) out.push_back(line.integer(0));
    return line.status();
  };
  Status status = look_for("");
  for (const std::string& word : who.words) {
    if (status.ok() && !word.empty()) status = look_for(word);
  }
  if (!status.ok()) return fail(std::move(status));
  std::ranges::sort(out, std::greater());
  const auto twice = std::ranges::unique(out);
  out.erase(twice.begin(), twice.end());
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace

Result<std::vector<Approval>> SqliteStore::asked_of(const Decider& who, std::string_view after,
                                                    std::uint32_t limit) {
  return reading<std::vector<Approval>>([&](Database& db) -> Result<std::vector<Approval>> {
    const auto newest = page_before(db, kPlaceOfApproval, after, "approval");
    if (!newest) return fail(newest.error());
    std::int64_t before = *newest;
    std::vector<Approval> out;
    LeftOut damaged("approvals");
    const std::size_t most = rules::page_size(limit);
    while (out.size() < most) {
      const auto numbers = newest_asked(db, who, before, most - out.size());
      if (!numbers) return fail(numbers.error());
      if (numbers->empty()) break;
      before = numbers->back();
      for (const std::int64_t n : *numbers) {
        Statement query(db, READ_APPROVALS "WHERE n = ?1 AND status = 0");
        if (query.bind(n); !query.next()) {
          if (!query.status().ok()) return fail(query.status());
        } else if (last_column_says_damaged(query)) {
          damaged.add(query.view(0));
        } else {
          out.push_back(approval_of(query));
        }
      }
    }
    damage_.note(damaged);
    return out;
  });
}

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
