// Tool grants, as rows.

#include "platform/identity_rules.h"
#include "platform/tool_grant_rules.h"

#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

#define GRANT_COLUMNS "id, namespace, agent, team, environment, tools, mode, reason, set_by, set_at"

ToolGrant grant_of(const Statement& row) {
  ToolGrant out;
  std::string tools;
  row.read(out.id, out.namespace_name, out.agent, out.team, out.environment, tools, out.mode, out.reason,
           out.set_by, out.set_at);
  out.tools = rules::tools_of(tools);
  return out;
}

}  // namespace

Status PostgresStore::put_tool_grant(const ToolGrant& row, const AuditRow& said) {
  if (Status status = rules::check_tool_grant(row); !status.ok()) return status;
  return commit_.run([&](Connection& db) {
    const std::string tools = rules::tools_text(row.tools);
    Statement insert(db, "INSERT INTO tool_grants (" GRANT_COLUMNS
                         ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (namespace, id) DO "
                         "UPDATE SET reason = $8, set_by = $9, set_at = $10");
    insert.bind(row.id, row.namespace_name, row.agent, row.team, row.environment, tools, row.mode, row.reason,
                row.set_by, row.set_at);
    Status status = insert.run();
    return status.ok() ? insert_audit(db, rules::at(said, clock_.now())) : status;
  });
}

Result<bool> PostgresStore::delete_tool_grant(std::string_view namespace_name, std::string_view id,
                                              const AuditRow& said) {
  return write<bool>([&](Connection& db) -> Result<bool> {
    Statement erase(db, "DELETE FROM tool_grants WHERE namespace = $1 AND id = $2");
    if (Status status = erase.bind(namespace_name, id).run(); !status.ok()) return fail(std::move(status));
    if (erase.affected() == 0) return false;
    if (Status status = insert_audit(db, rules::at(said, clock_.now())); !status.ok())
      return fail(std::move(status));
    return true;
  });
}

Result<std::vector<ToolGrant>> PostgresStore::tool_grants(std::string_view namespace_name,
                                                          std::string_view after, std::uint32_t limit) {
  return reading<std::vector<ToolGrant>>([&](Connection& db) {
    Statement query(db, "SELECT " GRANT_COLUMNS
                        " FROM tool_grants WHERE namespace = $1 AND id > $2 ORDER BY id LIMIT $3");
    return query.bind(namespace_name, after, rules::page_size(limit)).all(grant_of);
  });
}

}  // namespace holdfast::platform
