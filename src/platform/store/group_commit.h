#pragma once

// GroupCommit: transactions that concurrent callers share: while one batch is being made durable, the next
// gathers. The thread that finds no leader leads; there is no thread of its own. What a batch is to a
// database is the business of whoever makes the object; it sets the status of every piece. Thread-safe.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::platform {

// What nobody waits for goes along with what somebody does: it leads only when nobody else has for a while.
enum class Haste : std::uint8_t { kNow, kWithOthers };

template <typename Database>
class GroupCommit {
 public:
  using Work = std::function<Status(Database&)>;
  struct Piece {
    const Work* work = nullptr;
    Status status;
    bool done = false;
  };
  using Batch = std::vector<Piece*>;
  static constexpr std::size_t kMaxBatch = 256;

  // About what a sync takes, so whoever waits for company hardly waits longer than without.
  static constexpr std::chrono::microseconds kCompany{500};

  explicit GroupCommit(std::function<void(Batch&)> commit, std::chrono::microseconds company = kCompany)
      : commit_(std::move(commit)), company_(company) {}

  // Returns when `work` is durable, or has failed and changed nothing.
  Status run(const Work& work, Haste haste = Haste::kNow) {
    Piece self;
    self.work = &work;
    std::unique_lock lock(mutex_);
    waiting_.push_back(&self);
    if (haste == Haste::kWithOthers) changed_.wait_for(lock, company_, [&] { return self.done; });
    changed_.wait(lock, [&] { return self.done || !leading_; });
    if (self.done) return self.status;

    leading_ = true;
    while (!self.done) {
      Batch batch;
      while (!waiting_.empty() && batch.size() < kMaxBatch) {
        batch.push_back(waiting_.front());
        waiting_.pop_front();
      }
      lock.unlock();
      commit_(batch);
      lock.lock();
      for (Piece* piece : batch) piece->done = true;
      changed_.notify_all();
    }
    leading_ = false;
    changed_.notify_all();
    return self.status;
  }

  // Calls `meanwhile` while nothing is written.
  void hold(const std::function<void()>& meanwhile) {
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

  // Everybody who waits for a batch that is still to come gets `status`, and nothing of theirs is tried. For
  // the leader, inside a batch.
  void refuse_waiting(const Status& status) {
    std::lock_guard lock(mutex_);
    for (Piece* piece : waiting_) {
      piece->status = status;
      piece->done = true;
    }
    waiting_.clear();
    changed_.notify_all();
  }

 private:
  const std::function<void(Batch&)> commit_;
  const std::chrono::microseconds company_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece*> waiting_;  // guarded by mutex_
  bool leading_ = false;        // guarded by mutex_
};

}  // namespace holdfast::platform
