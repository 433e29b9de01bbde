#include "os/thread_executor.h"

#include <pthread.h>
#include <sys/resource.h>

#include <chrono>

#include "base/job_barrier.h"
#include "os/spare_memory.h"

namespace holdfast::os {

namespace {

// Who had nothing to do for so long may have nothing to do for hours.
constexpr std::chrono::seconds kIdle{5};

}  // namespace

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
    const auto called = [this] { return stopping_ || !jobs_.empty(); };
    if (!wake_.wait_for(lock, kIdle, called)) {
      lock.unlock();
      give_back_thread_memory();
      lock.lock();
      wake_.wait(lock, called);
    }
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
