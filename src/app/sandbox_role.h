#pragma once

// SandboxRole: the sandbox of this server, started when the first code is to run: a machine that has none
// still serves, and says so to whoever needs it.
//
// Thread-safe. Everything it is given outlives it.

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/memory_budget.h"
#include "block/code_block.h"
#include "broker/broker.h"
#include "holdfast/seams.h"

namespace holdfast::app {

class SandboxRole {
 public:
  // `python_packages`: a folder that code in Python imports from; `monty`: Monty's program. Empty: none.
  SandboxRole(MemoryBudget& memory, const Clock& clock, std::string python_packages, std::string monty)
      : memory_(memory),
        clock_(clock),
        python_packages_(std::move(python_packages)),
        monty_(std::move(monty)) {}

  // As Broker::run. FAILED_PRECONDITION: this machine has no sandbox.
  Result<sandbox::Reply> run(std::string_view tenant, const sandbox::Request& request,
                             std::chrono::milliseconds patience);
  // FAILED_PRECONDITION: this machine does not run it; says what to install. INVALID_ARGUMENT: the folder of
  // packages is none.
  Status check_language(flows::CodeLanguage language) const;

 private:
  Result<sandbox::Broker*> broker();

  MemoryBudget& memory_;
  const Clock& clock_;
  const std::string python_packages_;
  const std::string monty_;
  std::mutex mutex_;
  std::unique_ptr<sandbox::Broker> broker_;  // guarded by mutex_
};

}  // namespace holdfast::app
