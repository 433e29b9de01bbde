#pragma once

// The outbox as rows (platform/outbox.h). Private to this room.

#include <string_view>

#include "holdfast/status.h"
#include "platform/outbox.h"
#include "postgres/connection.h"

namespace holdfast::platform {

inline constexpr std::string_view kOutboxTable =
    "CREATE TABLE outbox (n bigint PRIMARY KEY, run bytea NOT NULL, entries bytea NOT NULL)";

Status insert_outbox(postgres::Connection& db, const OutboxRow& row);
// Within a transaction that writes more (approvals.cc).
Result<Approval> settle_approval(postgres::Connection& db, const Approval& outcome, const OutboxRow& row,
                                 WallTime now);
// Of a run whose history is gone.
Status forget_outbox_of(postgres::Connection& db, std::string_view run);

}  // namespace holdfast::platform
