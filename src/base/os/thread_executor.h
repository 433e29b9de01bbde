#pragma once

// A thread with a queue. Jobs run in the order they were posted; a job posted from a job runs after it. What
// one throws ends with it, told on standard error (base/job_barrier.h).
// The destructor runs what is queued, then joins: post nothing to an executor that is being destroyed.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "holdfast/seams.h"

namespace holdfast::os {

class ThreadExecutor : public Executor {
 public:
  // `name` is shown by debuggers and in /proc; 15 characters at most are kept.
  explicit ThreadExecutor(std::string name);
  ~ThreadExecutor() override;
  ThreadExecutor(const ThreadExecutor&) = delete;
  ThreadExecutor& operator=(const ThreadExecutor&) = delete;

  void post(Job job) override;

 private:
  void run();

  const std::string name_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;   // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

// The calling thread gets less of the processor while others want it, as nice(1) has it: for work that may be
// much and that nobody waits for in a hurry. On Linux of this thread alone.
inline constexpr int kFarBack = 10;     // a tenth of what another thread gets
inline constexpr int kOneStepBack = 4;  // less than half
void stand_back(int nicer);

}  // namespace holdfast::os
