// Named secrets, as rows.

#include "platform/identity_rules.h"
#include "platform/secret_rules.h"

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define SECRET_COLUMNS "name, namespace, version, key_id, sealed, set_by, set_at, used_at"
#define SECRET_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8"
#define SECRET_READ \
  "SELECT " SECRET_COLUMNS ", " ROW_DAMAGED("checksum", "secrets", SECRET_COLUMNS) " FROM secrets "

Status write_secret(Database& db, const SecretRow& row) {
  Statement insert(db, "INSERT OR REPLACE INTO secrets (" SECRET_COLUMNS ", checksum) VALUES (" SECRET_VALUES
                       ", " ROW_SUM("secrets", SECRET_VALUES) ")");
  return insert
      .bind(row.name, row.namespace_name, row.version, row.key_id, row.sealed, row.set_by, row.set_at,
            row.used_at)
      .run();
}

SecretRow secret_of(const Statement& row) {
  SecretRow out;
  row.read(out.name, out.namespace_name, out.version, out.key_id, out.sealed, out.set_by, out.set_at,
           out.used_at);
  return out;
}

Result<std::optional<SecretRow>> read_secret(Database& db, std::string_view namespace_name,
                                             std::string_view name) {
  Statement query(db, SECRET_READ "WHERE namespace = ?1 AND name = ?2");
  return sound_one(query.bind(namespace_name, name), "secrets", secret_of);
}

}  // namespace

Status SqliteStore::put_secret(const SecretRow& row, const AuditRow& said) {
  if (Status status = rules::check_secret(row); !status.ok()) return status;
  return commit_.run([&](Database& db) {
    Status status = write_secret(db, row);
    return status.ok() ? insert_audit(db, rules::at(said, clock_.now())) : status;
  });
}

Result<std::optional<SecretRow>> SqliteStore::secret(std::string_view namespace_name, std::string_view name) {
  return reading<std::optional<SecretRow>>(
      [&](Database& db) { return read_secret(db, namespace_name, name); });
}

Result<std::vector<SecretRow>> SqliteStore::secrets(std::string_view namespace_name, std::string_view after,
                                                    std::uint32_t limit) {
  return reading<std::vector<SecretRow>>([&](Database& db) {
    Statement query(db, SECRET_READ "WHERE (namespace, name) > (?1, ?2) ORDER BY namespace, name");
    query.bind(namespace_name, after);
    return sound_all(query, "secrets", damage_, rules::page_size(limit), secret_of);
  });
}

Result<bool> SqliteStore::delete_secret(std::string_view namespace_name, std::string_view name,
                                        const AuditRow& said) {
  return write<bool>([&](Database& db) -> Result<bool> {
    // A damaged one may go, too: what it held is lost anyway.
    Statement erase(db, "DELETE FROM secrets WHERE namespace = ?1 AND name = ?2");
    if (Status status = erase.bind(namespace_name, name).run(); !status.ok()) return fail(std::move(status));
    if (db.changes() == 0) return false;
    if (Status status = insert_audit(db, rules::at(said, clock_.now())); !status.ok())
      return fail(std::move(status));
    return true;
  });
}

Status SqliteStore::note_secrets(std::string_view namespace_name,
                                 const std::map<std::string, WallTime>& used) {
  return commit_.run([&](Database& db) -> Status {
    for (const auto& [name, at] : used) {
      auto row = read_secret(db, namespace_name, name);
      if (!row) return row.error();
      if (!*row) continue;
      (*row)->used_at = at;
      if (Status status = write_secret(db, **row); !status.ok()) return status;
    }
    return {};
  });
}

}  // namespace holdfast::platform
