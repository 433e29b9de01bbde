// Tool grants, as rows.

#include "platform/identity_rules.h"
#include "platform/tool_grant_rules.h"

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define GRANT_COLUMNS "id, namespace, agent, team, environment, tools, mode, reason, set_by, set_at"
#define GRANT_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10"

ToolGrant grant_of(const Statement& row) {
  ToolGrant out;
  std::string tools;
  row.read(out.id, out.namespace_name, out.agent, out.team, out.environment, tools, out.mode, out.reason,
           out.set_by, out.set_at);
  out.tools = rules::tools_of(tools);
  return out;
}

}  // namespace

Status SqliteStore::put_tool_grant(const ToolGrant& row, const AuditRow& said) {
  if (Status status = rules::check_tool_grant(row); !status.ok()) return status;
  return commit_.run([&](Database& db) {
    const std::string tools = rules::tools_text(row.tools);
    Statement insert(db, "INSERT OR REPLACE INTO tool_grants (" GRANT_COLUMNS
                         ", checksum) VALUES (" GRANT_VALUES ", " ROW_SUM("tool_grants", GRANT_VALUES) ")");
    insert.bind(row.id, row.namespace_name, row.agent, row.team, row.environment, tools, row.mode, row.reason,
                row.set_by, row.set_at);
    Status status = insert.run();
    return status.ok() ? insert_audit(db, rules::at(said, clock_.now())) : status;
  });
}

Result<bool> SqliteStore::delete_tool_grant(std::string_view namespace_name, std::string_view id,
                                            const AuditRow& said) {
  return write<bool>([&](Database& db) -> Result<bool> {
    Statement erase(db, "DELETE FROM tool_grants WHERE namespace = ?1 AND id = ?2");
    if (Status status = erase.bind(namespace_name, id).run(); !status.ok()) return fail(std::move(status));
    if (db.changes() == 0) return false;
    if (Status status = insert_audit(db, rules::at(said, clock_.now())); !status.ok())
      return fail(std::move(status));
    return true;
  });
}

Result<std::vector<ToolGrant>> SqliteStore::tool_grants(std::string_view namespace_name,
                                                        std::string_view after, std::uint32_t limit) {
  return reading<std::vector<ToolGrant>>([&](Database& db) -> Result<std::vector<ToolGrant>> {
    Statement query(db, "SELECT " GRANT_COLUMNS
                        ", " ROW_DAMAGED("checksum", "tool_grants",
                                         GRANT_COLUMNS) " FROM tool_grants WHERE namespace = ?1 AND id > ?2 "
                                                        "ORDER BY id");
    query.bind(namespace_name, after);
    std::vector<ToolGrant> out;
    const std::size_t most = rules::page_size(limit);
    while (out.size() < most && query.next()) {
      if (last_column_says_damaged(query)) return fail(damaged_row("tool_grants", query.view(0)));
      out.push_back(grant_of(query));
    }
    if (!query.status().ok()) return fail(query.status());
    return out;
  });
}

}  // namespace holdfast::platform
