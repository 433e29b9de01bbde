// People and groups of identity providers, as rows.

#include "platform/identity_rules.h"
#include "platform/oidc_rules.h"

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define PERSON_COLUMNS "issuer, subject, principal, teams, at"
#define PERSON_VALUES "?1, ?2, ?3, ?4, ?5"
#define PERSON_READ \
  "SELECT " PERSON_COLUMNS ", " ROW_DAMAGED("checksum", "oidc_people", PERSON_COLUMNS) " FROM oidc_people "
#define GROUP_COLUMNS "name, provider, roles, teams, set_by, set_at"
#define GROUP_VALUES "?1, ?2, ?3, ?4, ?5, ?6"

OidcPerson person_of(const Statement& row) {
  OidcPerson out;
  row.read(out.issuer, out.subject, out.principal, out.teams, out.at);
  return out;
}

}  // namespace

Status SqliteStore::put_oidc_person(const OidcPerson& row, const std::optional<AuditRow>& said) {
  if (Status status = rules::check_oidc_person(row); !status.ok()) return status;
  return commit_.run([&](Database& db) -> Status {
    Statement insert(
        db, "INSERT INTO oidc_people (" PERSON_COLUMNS ", checksum) VALUES (" PERSON_VALUES
            ", " ROW_SUM("oidc_people", PERSON_VALUES) ") ON CONFLICT (issuer, subject) DO UPDATE SET "
            "principal = excluded.principal, teams = excluded.teams, at = excluded.at, "
            "checksum = excluded.checksum");
    Status status = insert.bind(row.issuer, row.subject, row.principal, row.teams, row.at).run();
    return status.ok() && said ? insert_audit(db, rules::at(*said, clock_.now())) : status;
  });
}

Result<std::optional<OidcPerson>> SqliteStore::oidc_person(std::string_view issuer,
                                                           std::string_view subject) {
  return reading<std::optional<OidcPerson>>([&](Database& db) {
    Statement query(db, PERSON_READ "WHERE issuer = ?1 AND subject = ?2");
    return sound_one(query.bind(issuer, subject), "oidc_people", person_of);
  });
}

Result<std::optional<OidcPerson>> SqliteStore::oidc_person_named(std::string_view principal) {
  return reading<std::optional<OidcPerson>>([&](Database& db) {
    Statement query(db, PERSON_READ "WHERE principal = ?1");
    return sound_one(query.bind(principal), "oidc_people", person_of);
  });
}

Status SqliteStore::put_oidc_group(const OidcGroup& row, const AuditRow& said) {
  if (Status status = rules::check_oidc_group(row); !status.ok()) return status;
  return commit_.run([&](Database& db) {
    Statement insert(db, "INSERT OR REPLACE INTO oidc_groups (" GROUP_COLUMNS
                         ", checksum) VALUES (" GROUP_VALUES ", " ROW_SUM("oidc_groups", GROUP_VALUES) ")");
    Status status = insert.bind(row.name, row.provider, row.roles, row.teams, row.set_by, row.set_at).run();
    return status.ok() ? insert_audit(db, rules::at(said, clock_.now())) : status;
  });
}

Result<bool> SqliteStore::delete_oidc_group(std::string_view provider, std::string_view name,
                                            const AuditRow& said) {
  return write<bool>([&](Database& db) -> Result<bool> {
    Statement erase(db, "DELETE FROM oidc_groups WHERE provider = ?1 AND name = ?2");
    if (Status status = erase.bind(provider, name).run(); !status.ok()) return fail(std::move(status));
    if (db.changes() == 0) return false;
    if (Status status = insert_audit(db, rules::at(said, clock_.now())); !status.ok())
      return fail(std::move(status));
    return true;
  });
}

Result<std::vector<OidcGroup>> SqliteStore::oidc_groups(std::string_view provider, std::string_view after,
                                                        std::uint32_t limit) {
  return reading<std::vector<OidcGroup>>([&](Database& db) {
    Statement query(db, "SELECT " GROUP_COLUMNS
                        ", " ROW_DAMAGED("checksum", "oidc_groups",
                                         GROUP_COLUMNS) " FROM oidc_groups WHERE (provider, name) > (?1, ?2) "
                                                        "ORDER BY provider, name");
    query.bind(provider, after);
    return sound_all(query, "oidc_groups", damage_, rules::page_size(limit), [](const Statement& row) {
      OidcGroup out;
      row.read(out.name, out.provider, out.roles, out.teams, out.set_by, out.set_at);
      return out;
    });
  });
}

}  // namespace holdfast::platform
