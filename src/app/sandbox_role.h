#pragma once

// SandboxRole: the sandbox of this server, started when the first code is to run: a machine that has none
// still serves, and says so to whoever needs it.
//
// Thread-safe. Everything it is given outlives it.

#include <chrono>
#include <memory>
#include <mutex>
#include <string_view>

#include "base/memory_budget.h"
#include "broker/broker.h"
#include "holdfast/seams.h"

namespace holdfast::app {

class SandboxRole {
 public:
  SandboxRole(MemoryBudget& memory, const Clock& clock) : memory_(memory), clock_(clock) {}

  // As Broker::run. FAILED_PRECONDITION: this machine has no sandbox.
  Result<sandbox::Reply> run(std::string_view tenant, const sandbox::Request& request,
                             std::chrono::milliseconds patience);

 private:
  Result<sandbox::Broker*> broker();

  MemoryBudget& memory_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unique_ptr<sandbox::Broker> broker_;  // guarded by mutex_
};

}  // namespace holdfast::app
