#pragma once

// The outbox as rows (platform/outbox.h). Private to this room.

#include "holdfast/status.h"
#include "platform/outbox.h"
#include "sqlite/statement.h"

namespace holdfast::platform {

inline constexpr const char* kOutboxTable =
    "CREATE TABLE outbox (n INTEGER PRIMARY KEY, run TEXT NOT NULL, entries TEXT NOT NULL, checksum INTEGER)";

Status insert_outbox(sqlite::Database& db, const OutboxRow& row);
// Within a transaction that writes more (approvals.cc).
Result<Approval> settle_approval(sqlite::Database& db, const Approval& outcome, const OutboxRow& row,
                                 WallTime now);
// Of a run whose history is gone.
Status forget_outbox_of(sqlite::Database& db, std::string_view run);

}  // namespace holdfast::platform
