#include "base/work_pool.h"

#include "base/job_barrier.h"

namespace holdfast {

WorkPool::WorkPool(std::vector<std::unique_ptr<Executor>> workers) : workers_(std::move(workers)) {
  for (const auto& worker : workers_) idle_.push_back(worker.get());
}

WorkPool::~WorkPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;  // a job that is posted now is taken by the worker whose job posts it
  }
  workers_.clear();
}

void WorkPool::post(Job job) {
  Executor* worker = nullptr;
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (idle_.empty() || stopping_) return;
    worker = idle_.back();
    idle_.pop_back();
  }
  worker->post([this, worker] { run(worker); });
}

void WorkPool::run(Executor* worker) {
  std::unique_lock lock(mutex_);
  while (!jobs_.empty()) {
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    run_job(std::move(job), "a work pool");  // what it owns is released outside the lock
    lock.lock();
  }
  idle_.push_back(worker);
}

}  // namespace holdfast
