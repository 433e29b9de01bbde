#pragma once

// The platform store in SQLite: a directory with `platform.db`, `streams.db` and a lock. One process at a
// time has it open. WAL with synchronous=FULL: a commit is on the disk when it is answered. A failed sync is
// final: the `fatal` callback gets it and must not return.

#include <filesystem>
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
#include "platform_sqlite/snapshot.h"

namespace holdfast::platform {

struct SqliteOptions {
  SqliteOptions() = default;
  std::filesystem::path directory;  // made when absent
  std::string vfs;                  // name of a registered SQLite VFS; empty: the default
  // Gets a message and stops the process. Empty: prints it and aborts.
  std::function<void(const std::string& message)> fatal;
  // Hears of damaged rows that lists leave out. Empty: nobody does.
  std::function<void(const std::string& message)> complain;
};

struct OpenStores {
  OpenStores() = default;
  // Destroy streams before the executor given to open_sqlite.
  std::unique_ptr<Store> store;
  std::unique_ptr<Streams> streams;
  AuditStore* audit = nullptr;           // the store's
  OidcStore* oidc = nullptr;             // the store's
  ToolGrantStore* grants = nullptr;      // the store's
  SecretStore* secrets = nullptr;        // the store's
  IdentityStore* identities = nullptr;   // the store's
  LinkStore* links = nullptr;            // the store's
  InboxStore* inbox = nullptr;           // the store's
  std::unique_ptr<Outbox> outbox;        // of these two; goes before they do
  std::unique_ptr<Snapshots> snapshots;  // of these two; goes before they do
  std::unique_ptr<RunIndex> index;       // of the store; goes before it does
};

// `flusher` must serve nothing else: it blocks up to kFlushInterval at a time while deltas are buffered.
Result<OpenStores> open_sqlite(const SqliteOptions& options, const Clock& clock, Random& random,
                               Executor& flusher);

}  // namespace holdfast::platform
