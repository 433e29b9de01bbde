#include "platform_sqlite/group_commit.h"

#include "base/check.h"

namespace holdfast::platform {

Status commit_or_stop(sqlite::Database& db, const Fatal& fatal) {
  Status status = db.run("COMMIT");
  if (status.ok()) return status;
  if (db.sync_failed()) {
    fatal("a sync of the platform store failed: " + status.message());
    HF_CHECK(!"fatal() returned");
  }
  if (db.in_transaction()) (void)db.execute("ROLLBACK");
  return status;
}

void commit_batch(sqlite::Database& db, const Fatal& fatal, GroupCommit<sqlite::Database>::Batch& batch) {
  Status status = db.run("BEGIN IMMEDIATE");
  // One alone has no neighbours: the transaction itself is what it is undone with.
  const bool alone = batch.size() == 1;
  for (auto* piece : batch) {
    if (status.ok() && !alone) status = db.run("SAVEPOINT piece");
    if (!status.ok()) break;
    piece->status = (*piece->work)(db);
    // Some failures (a full disk) undo the whole transaction: then nobody has anything.
    if (!db.in_transaction()) {
      status = piece->status.ok() ? Status(Code::kInternal, "the transaction ended early") : piece->status;
      break;
    }
    if (alone) {
      status = piece->status;
      break;
    }
    if (!piece->status.ok()) status = db.run("ROLLBACK TO piece");
    if (status.ok()) status = db.run("RELEASE piece");
  }
  if (status.ok()) {
    status = commit_or_stop(db, fatal);
  } else if (db.in_transaction()) {
    (void)db.execute("ROLLBACK");
  }
  if (status.ok()) return;
  for (auto* piece : batch) {
    if (piece->status.ok()) piece->status = status;
  }
}

}  // namespace holdfast::platform
