#include "platform_sqlite/group_commit.h"

#include "base/check.h"

namespace holdfast::platform {

Status commit_or_stop(sqlite::Database& db, const Fatal& fatal) {
  Status status = db.execute("COMMIT");
  if (status.ok()) return status;
  if (db.sync_failed()) {
    fatal("a sync of the platform store failed: " + status.message());
    HF_CHECK(!"fatal() returned");
  }
  if (db.in_transaction()) (void)db.execute("ROLLBACK");
  return status;
}

Status GroupCommit::run(const Work& work) {
  Waiter self;
  self.work = &work;
  std::unique_lock lock(mutex_);
  waiting_.push_back(&self);
  changed_.wait(lock, [&] { return self.done || !leading_; });
  if (self.done) return self.status;

  leading_ = true;
  while (!self.done) {
    std::vector<Waiter*> batch;
    while (!waiting_.empty() && batch.size() < kMaxBatch) {
      batch.push_back(waiting_.front());
      waiting_.pop_front();
    }
    lock.unlock();
    commit(batch);
    lock.lock();
    for (Waiter* waiter : batch) waiter->done = true;
    changed_.notify_all();
  }
  leading_ = false;
  changed_.notify_all();
  return self.status;
}

void GroupCommit::hold(const std::function<void()>& meanwhile) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !leading_; });
    leading_ = true;
  }
  meanwhile();
  std::lock_guard lock(mutex_);
  leading_ = false;
  changed_.notify_all();
}

void GroupCommit::commit(std::vector<Waiter*>& batch) {
  Status status = db_.execute("BEGIN IMMEDIATE");
  for (Waiter* waiter : batch) {
    if (!status.ok()) break;
    status = db_.execute("SAVEPOINT piece");
    if (!status.ok()) break;
    waiter->status = (*waiter->work)(db_);
    // Some failures (a full disk) undo the whole transaction: then nobody has anything.
    if (!db_.in_transaction()) {
      status = waiter->status.ok() ? Status(Code::kInternal, "the transaction ended early") : waiter->status;
      break;
    }
    if (!waiter->status.ok()) status = db_.execute("ROLLBACK TO piece");
    if (status.ok()) status = db_.execute("RELEASE piece");
  }
  if (status.ok()) {
    status = commit_or_stop(db_, fatal_);
  } else if (db_.in_transaction()) {
    (void)db_.execute("ROLLBACK");
  }
  if (status.ok()) return;
  for (Waiter* waiter : batch) {
    if (waiter->status.ok()) waiter->status = status;
  }
}

}  // namespace holdfast::platform
