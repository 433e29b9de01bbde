#pragma once

// Environment: time, randomness and threads for clients and workers. Wired once, in main; not owned, outlives
// both.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "holdfast/public.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast HOLDFAST_PUBLIC {

// A new thread with a queue. Destroying the executor runs what is queued and joins.
using ExecutorFactory = std::function<std::unique_ptr<Executor>(const std::string& name)>;

class Environment {
 public:
  Environment(const Clock& clock, Random& random, ExecutorFactory executors)
      : clock_(&clock), random_(&random), executors_(std::move(executors)) {}

  const Clock& clock() const { return *clock_; }
  Random& random() const { return *random_; }
  std::unique_ptr<Executor> new_executor(const std::string& name) const { return executors_(name); }

 private:
  const Clock* clock_;
  Random* random_;
  ExecutorFactory executors_;
};

}  // namespace holdfast HOLDFAST_PUBLIC
