// Who may use a server, as rows: principals, credentials, keys of the server's own.

#include "platform/identity_rules.h"

#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

#define PRINCIPAL_COLUMNS "name, kind, roles, password, disabled, created_by, created_at"
#define CREDENTIAL_COLUMNS \
  "id, kind, principal, label, sha256, created_by, created_at, expires_at, revoked_at, used_at"

Status write_credential(Connection& db, const Credential& row) {
  Statement insert(db,
                   "INSERT INTO credentials (" CREDENTIAL_COLUMNS
                   ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET "
                   "kind = $2, principal = $3, label = $4, sha256 = $5, created_by = $6, created_at = $7, "
                   "expires_at = $8, revoked_at = $9, used_at = $10");
  return insert
      .bind(row.id, row.kind, row.principal, row.label, row.sha256, row.created_by, row.created_at,
            row.expires_at, row.revoked_at, row.used_at)
      .run();
}

}  // namespace

Status PostgresStore::put_principal(const Principal& row, const AuditRow& said) {
  if (Status status = rules::check_principal(row); !status.ok()) return status;
  return commit_.run([&](Connection& db) {
    Statement insert(db, "INSERT INTO principals (" PRINCIPAL_COLUMNS
                         ") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO UPDATE SET kind = $2, "
                         "roles = $3, password = $4, disabled = $5, created_by = $6, created_at = $7");
    insert.bind(row.name, row.kind, row.roles, row.password, row.disabled, row.created_by, row.created_at);
    Status status = insert.run();
    return status.ok() ? insert_audit(db, rules::at(said, clock_.now())) : status;
  });
}

Result<std::vector<Principal>> PostgresStore::principals(std::string_view after, std::uint32_t limit) {
  return reading<std::vector<Principal>>([&](Connection& db) {
    Statement query(db,
                    "SELECT " PRINCIPAL_COLUMNS " FROM principals WHERE name > $1 ORDER BY name LIMIT $2");
    return query.bind(after, rules::page_size(limit)).all([](const Statement& row) {
      Principal out;
      row.read(out.name, out.kind, out.roles, out.password, out.disabled, out.created_by, out.created_at);
      return out;
    });
  });
}

Status PostgresStore::put_credential(const Credential& row, const AuditRow& said) {
  if (Status status = rules::check_credential(row); !status.ok()) return status;
  return commit_.run([&](Connection& db) {
    Status status = write_credential(db, row);
    return status.ok() ? insert_audit(db, rules::at(said, clock_.now())) : status;
  });
}

Result<std::vector<Credential>> PostgresStore::credentials(std::string_view after, std::uint32_t limit) {
  return reading<std::vector<Credential>>([&](Connection& db) {
    Statement query(db, "SELECT " CREDENTIAL_COLUMNS " FROM credentials WHERE id > $1 ORDER BY id LIMIT $2");
    return query.bind(after, rules::page_size(limit)).all([](const Statement& row) {
      Credential out;
      row.read(out.id, out.kind, out.principal, out.label, out.sha256, out.created_by, out.created_at,
               out.expires_at, out.revoked_at, out.used_at);
      return out;
    });
  });
}

Status PostgresStore::note_credentials(const std::vector<Credential>& used,
                                       const std::vector<std::string>& gone) {
  return commit_.run([&](Connection& db) -> Status {
    for (const Credential& row : used) {
      if (Status status = write_credential(db, row); !status.ok()) return status;
    }
    for (const std::string& id : gone) {
      Statement erase(db, "DELETE FROM credentials WHERE id = $1");
      if (Status status = erase.bind(id).run(); !status.ok()) return status;
    }
    return {};
  });
}

Result<std::string> PostgresStore::server_key(std::string_view name, std::string_view fresh) {
  return write<std::string>([&](Connection& db) -> Result<std::string> {
    Statement query(db, "SELECT value FROM server_keys WHERE name = $1");
    Result<std::optional<std::string>> found =
        query.bind(name).one([](const Statement& row) { return row.text(0); });
    if (!found) return fail(found.error());
    if (*found) return std::move(**found);
    if (fresh.empty()) return std::string();
    Statement insert(db, "INSERT INTO server_keys (name, value) VALUES ($1, $2)");
    if (Status status = insert.bind(name, fresh).run(); !status.ok()) return fail(std::move(status));
    return std::string(fresh);
  });
}

}  // namespace holdfast::platform
