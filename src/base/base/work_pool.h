#pragma once

// WorkPool: several workers that take from one queue, so that a slow job holds up nobody while another worker
// is free. Jobs start in the order in which they were posted and run at the same time.
//
// Threads: those of the workers, which serve nothing else. What a job throws ends with it
// (base/job_barrier.h). The destructor runs what is queued; until it is through, only jobs may post.

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "holdfast/seams.h"

namespace holdfast {

class WorkPool final : public Executor {
 public:
  explicit WorkPool(std::vector<std::unique_ptr<Executor>> workers);
  ~WorkPool() override;
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  void post(Job job) override;

 private:
  void run(Executor* worker);

  std::mutex mutex_;
  std::deque<Job> jobs_;         // guarded by mutex_
  std::vector<Executor*> idle_;  // guarded by mutex_
  bool stopping_ = false;        // guarded by mutex_
  std::vector<std::unique_ptr<Executor>> workers_;
};

}  // namespace holdfast
