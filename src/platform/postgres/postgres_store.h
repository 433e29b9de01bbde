#pragma once

// The platform store in a schema of PostgreSQL. One server at a time has it open; a commit is as durable
// there as `synchronous_commit` says, which is never less than a flush of the primary's log. While PostgreSQL
// is away calls wait for it, up to the patience, and are UNAVAILABLE then; none is ever half done.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/audit_store.h"
#include "platform/identity_store.h"
#include "platform/inbox.h"
#include "platform/links.h"
#include "platform/oidc_store.h"
#include "platform/outbox.h"
#include "platform/run_index.h"
#include "platform/secret_store.h"
#include "platform/store.h"
#include "platform/streams.h"
#include "platform/tool_grant_store.h"
#include "postgres/address.h"
#include "postgres/connection.h"

namespace holdfast::platform {

struct PostgresOptions {
  PostgresOptions() = default;
  postgres::Address address;
  postgres::Limits limits;
  std::chrono::milliseconds patience{10'000};
  // Another server has taken the store: gets a message and stops the process. Empty: prints it and aborts.
  std::function<void(const std::string& message)> fatal;
  // Hears of damaged rows that lists leave out. Empty: nobody does.
  std::function<void(const std::string& message)> complain;
};

struct OpenPostgres {
  OpenPostgres() = default;
  std::string identity;  // of the store, whatever its address
  // Destroy streams before the executor given to open_postgres.
  std::unique_ptr<Store> store;
  std::unique_ptr<Streams> streams;
  AuditStore* audit = nullptr;          // the store's
  OidcStore* oidc = nullptr;            // the store's
  ToolGrantStore* grants = nullptr;     // the store's
  SecretStore* secrets = nullptr;       // the store's
  IdentityStore* identities = nullptr;  // the store's
  LinkStore* links = nullptr;           // the store's
  InboxStore* inbox = nullptr;          // the store's
  std::unique_ptr<Outbox> outbox;       // of these two; goes before they do
  std::unique_ptr<RunIndex> index;      // of the store; goes before it does
};

// Makes the tables of a schema that has none; one of an earlier version is FAILED_PRECONDITION, because
// taking it forward is a decision (`holdfast migrate`). `flusher` must serve nothing else.
Result<OpenPostgres> open_postgres(const PostgresOptions& options, const Clock& clock, Random& random,
                                   Executor& flusher);

}  // namespace holdfast::platform
