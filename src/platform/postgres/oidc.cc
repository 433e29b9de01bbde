// People and groups of identity providers, as rows.

#include "platform/identity_rules.h"
#include "platform/oidc_rules.h"

#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

#define PERSON_COLUMNS "issuer, subject, principal, teams, at"
#define GROUP_COLUMNS "name, provider, roles, teams, set_by, set_at"

OidcPerson person_of(const Statement& row) {
  OidcPerson out;
  row.read(out.issuer, out.subject, out.principal, out.teams, out.at);
  return out;
}

}  // namespace

Status PostgresStore::put_oidc_person(const OidcPerson& row, const std::optional<AuditRow>& said) {
  if (Status status = rules::check_oidc_person(row); !status.ok()) return status;
  return commit_.run([&](Connection& db) -> Status {
    Statement insert(db, "INSERT INTO oidc_people (" PERSON_COLUMNS
                         ") VALUES ($1, $2, $3, $4, $5) ON CONFLICT (issuer, subject) DO UPDATE SET "
                         "principal = $3, teams = $4, at = $5");
    Status status = insert.bind(row.issuer, row.subject, row.principal, row.teams, row.at).run();
    return status.ok() && said ? insert_audit(db, rules::at(*said, clock_.now())) : status;
  });
}

Result<std::optional<OidcPerson>> PostgresStore::oidc_person(std::string_view issuer,
                                                             std::string_view subject) {
  return reading<std::optional<OidcPerson>>([&](Connection& db) {
    Statement query(db, "SELECT " PERSON_COLUMNS " FROM oidc_people WHERE issuer = $1 AND subject = $2");
    return query.bind(issuer, subject).one(person_of);
  });
}

Result<std::optional<OidcPerson>> PostgresStore::oidc_person_named(std::string_view principal) {
  return reading<std::optional<OidcPerson>>([&](Connection& db) {
    Statement query(db, "SELECT " PERSON_COLUMNS " FROM oidc_people WHERE principal = $1");
    return query.bind(principal).one(person_of);
  });
}

Status PostgresStore::put_oidc_group(const OidcGroup& row, const AuditRow& said) {
  if (Status status = rules::check_oidc_group(row); !status.ok()) return status;
  return commit_.run([&](Connection& db) {
    Statement insert(db, "INSERT INTO oidc_groups (" GROUP_COLUMNS
                         ") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (provider, name) DO UPDATE SET "
                         "roles = $3, teams = $4, set_by = $5, set_at = $6");
    Status status = insert.bind(row.name, row.provider, row.roles, row.teams, row.set_by, row.set_at).run();
    return status.ok() ? insert_audit(db, rules::at(said, clock_.now())) : status;
  });
}

Result<bool> PostgresStore::delete_oidc_group(std::string_view provider, std::string_view name,
                                              const AuditRow& said) {
  return write<bool>([&](Connection& db) -> Result<bool> {
    Statement erase(db, "DELETE FROM oidc_groups WHERE provider = $1 AND name = $2");
    if (Status status = erase.bind(provider, name).run(); !status.ok()) return fail(std::move(status));
    if (erase.affected() == 0) return false;
    if (Status status = insert_audit(db, rules::at(said, clock_.now())); !status.ok())
      return fail(std::move(status));
    return true;
  });
}

Result<std::vector<OidcGroup>> PostgresStore::oidc_groups(std::string_view provider, std::string_view after,
                                                          std::uint32_t limit) {
  return reading<std::vector<OidcGroup>>([&](Connection& db) {
    Statement query(db,
                    "SELECT " GROUP_COLUMNS
                    " FROM oidc_groups WHERE (provider, name) > ($1, $2) ORDER BY provider, name LIMIT $3");
    return query.bind(provider, after, rules::page_size(limit)).all([](const Statement& row) {
      OidcGroup out;
      row.read(out.name, out.provider, out.roles, out.teams, out.set_by, out.set_at);
      return out;
    });
  });
}

}  // namespace holdfast::platform
