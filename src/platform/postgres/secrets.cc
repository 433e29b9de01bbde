// Named secrets, as rows.

#include "platform/identity_rules.h"
#include "platform/secret_rules.h"

#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

#define SECRET_COLUMNS "name, namespace, version, key_id, sealed, set_by, set_at, used_at"

SecretRow secret_of(const Statement& row) {
  SecretRow out;
  row.read(out.name, out.namespace_name, out.version, out.key_id, out.sealed, out.set_by, out.set_at,
           out.used_at);
  return out;
}

}  // namespace

Status PostgresStore::put_secret(const SecretRow& row, const AuditRow& said) {
  if (Status status = rules::check_secret(row); !status.ok()) return status;
  return commit_.run([&](Connection& db) {
    Statement insert(db,
                     "INSERT INTO secrets (" SECRET_COLUMNS
                     ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (namespace, name) DO UPDATE "
                     "SET version = $3, key_id = $4, sealed = $5, set_by = $6, set_at = $7, used_at = $8");
    insert.bind(row.name, row.namespace_name, row.version, row.key_id, row.sealed, row.set_by, row.set_at,
                row.used_at);
    Status status = insert.run();
    return status.ok() ? insert_audit(db, rules::at(said, clock_.now())) : status;
  });
}

Result<std::optional<SecretRow>> PostgresStore::secret(std::string_view namespace_name,
                                                       std::string_view name) {
  return reading<std::optional<SecretRow>>([&](Connection& db) {
    Statement query(db, "SELECT " SECRET_COLUMNS " FROM secrets WHERE namespace = $1 AND name = $2");
    return query.bind(namespace_name, name).one(secret_of);
  });
}

Result<std::vector<SecretRow>> PostgresStore::secrets(std::string_view namespace_name, std::string_view after,
                                                      std::uint32_t limit) {
  return reading<std::vector<SecretRow>>([&](Connection& db) {
    Statement query(db, "SELECT " SECRET_COLUMNS
                        " FROM secrets WHERE (namespace, name) > ($1, $2) ORDER BY namespace, name LIMIT $3");
    return query.bind(namespace_name, after, rules::page_size(limit)).all(secret_of);
  });
}

Result<bool> PostgresStore::delete_secret(std::string_view namespace_name, std::string_view name,
                                          const AuditRow& said) {
  return write<bool>([&](Connection& db) -> Result<bool> {
    Statement erase(db, "DELETE FROM secrets WHERE namespace = $1 AND name = $2");
    if (Status status = erase.bind(namespace_name, name).run(); !status.ok()) return fail(std::move(status));
    if (erase.affected() == 0) return false;
    if (Status status = insert_audit(db, rules::at(said, clock_.now())); !status.ok())
      return fail(std::move(status));
    return true;
  });
}

Status PostgresStore::note_secrets(std::string_view namespace_name,
                                   const std::map<std::string, WallTime>& used) {
  return commit_.run([&](Connection& db) -> Status {
    for (const auto& [name, at] : used) {
      Statement note(db, "UPDATE secrets SET used_at = $3 WHERE namespace = $1 AND name = $2");
      if (Status status = note.bind(namespace_name, name, at).run(); !status.ok()) return status;
    }
    return {};
  });
}

}  // namespace holdfast::platform
