#include "os/thread_executor.h"

#include <pthread.h>
#include <sys/resource.h>

#include "base/job_barrier.h"

namespace holdfast::os {

ThreadExecutor::ThreadExecutor(std::string name) : name_(name.substr(0, 15)), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), name_.c_str());
}

ThreadExecutor::~ThreadExecutor() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

// Within the lock: whoever learns from the job that it has run may destroy this executor at once.
void ThreadExecutor::post(Job job) {
  std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  wake_.notify_one();
}

void ThreadExecutor::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    run_job(std::move(job), name_);  // what it owns is released outside the lock
    lock.lock();
  }
}

void stand_back(int nicer) {
  (void)::setpriority(PRIO_PROCESS, 0, nicer);  // of this thread alone, on Linux
}

}  // namespace holdfast::os
