// Who may use a server, as rows: principals, credentials, keys of the server's own.

#include "platform/identity_rules.h"

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define PRINCIPAL_COLUMNS "name, kind, roles, password, disabled, created_by, created_at"
#define PRINCIPAL_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7"
#define CREDENTIAL_COLUMNS \
  "id, kind, principal, label, sha256, created_by, created_at, expires_at, revoked_at, used_at"
#define CREDENTIAL_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10"

Status write_credential(Database& db, const Credential& row) {
  Statement insert(db, "INSERT OR REPLACE INTO credentials (" CREDENTIAL_COLUMNS
                       ", checksum) VALUES (" CREDENTIAL_VALUES
                       ", " ROW_SUM("credentials", CREDENTIAL_VALUES) ")");
  return insert
      .bind(row.id, row.kind, row.principal, row.label, row.sha256, row.created_by, row.created_at,
            row.expires_at, row.revoked_at, row.used_at)
      .run();
}

Credential credential_of(const Statement& row) {
  Credential out;
  row.read(out.id, out.kind, out.principal, out.label, out.sha256, out.created_by, out.created_at,
           out.expires_at, out.revoked_at, out.used_at);
  return out;
}

}  // namespace

Status SqliteStore::put_principal(const Principal& row, const AuditRow& said) {
  if (Status status = rules::check_principal(row); !status.ok()) return status;
  return commit_.run([&](Database& db) {
    Statement insert(db, "INSERT OR REPLACE INTO principals (" PRINCIPAL_COLUMNS
                         ", checksum) VALUES (" PRINCIPAL_VALUES
                         ", " ROW_SUM("principals", PRINCIPAL_VALUES) ")");
    insert.bind(row.name, row.kind, row.roles, row.password, row.disabled, row.created_by, row.created_at);
    Status status = insert.run();
    return status.ok() ? insert_audit(db, rules::at(said, clock_.now())) : status;
  });
}

Result<std::vector<Principal>> SqliteStore::principals(std::string_view after, std::uint32_t limit) {
  return reading<std::vector<Principal>>([&](Database& db) {
    Statement query(db, "SELECT " PRINCIPAL_COLUMNS
                        ", " ROW_DAMAGED("checksum", "principals",
                                         PRINCIPAL_COLUMNS) " FROM principals WHERE name > ?1 ORDER BY name");
    query.bind(after);
    return sound_all(query, "principals", damage_, rules::page_size(limit), [](const Statement& row) {
      Principal out;
      row.read(out.name, out.kind, out.roles, out.password, out.disabled, out.created_by, out.created_at);
      return out;
    });
  });
}

Status SqliteStore::put_credential(const Credential& row, const AuditRow& said) {
  if (Status status = rules::check_credential(row); !status.ok()) return status;
  return commit_.run([&](Database& db) {
    Status status = write_credential(db, row);
    return status.ok() ? insert_audit(db, rules::at(said, clock_.now())) : status;
  });
}

Result<std::vector<Credential>> SqliteStore::credentials(std::string_view after, std::uint32_t limit) {
  return reading<std::vector<Credential>>([&](Database& db) {
    Statement query(
        db, "SELECT " CREDENTIAL_COLUMNS ", " ROW_DAMAGED(
                "checksum", "credentials", CREDENTIAL_COLUMNS) " FROM credentials WHERE id > ?1 ORDER BY id");
    query.bind(after);
    return sound_all(query, "credentials", damage_, rules::page_size(limit), credential_of);
  });
}

Status SqliteStore::note_credentials(const std::vector<Credential>& used,
                                     const std::vector<std::string>& gone) {
  return commit_.run([&](Database& db) -> Status {
    for (const Credential& row : used) {
      if (Status status = write_credential(db, row); !status.ok()) return status;
    }
    for (const std::string& id : gone) {
      Statement erase(db, "DELETE FROM credentials WHERE id = ?1");
      if (Status status = erase.bind(id).run(); !status.ok()) return status;
    }
    return {};
  });
}

Result<std::string> SqliteStore::server_key(std::string_view name, std::string_view fresh) {
  return write<std::string>([&](Database& db) -> Result<std::string> {
    Statement query(db, "SELECT name, value, " ROW_DAMAGED(
                            "checksum", "server_keys", "name, value") " FROM server_keys WHERE name = ?1");
    Result<std::optional<std::string>> found =
        sound_one(query.bind(name), "server_keys", [](const Statement& row) { return row.text(1); });
    if (!found) return fail(found.error());
    if (*found) return std::move(**found);
    if (fresh.empty()) return std::string();
    Statement insert(db, "INSERT INTO server_keys (name, value, checksum) VALUES (?1, ?2, " ROW_SUM(
                             "server_keys", "?1, ?2") ")");
    if (Status status = insert.bind(name, fresh).run(); !status.ok()) return fail(std::move(status));
    return std::string(fresh);
  });
}

}  // namespace holdfast::platform
