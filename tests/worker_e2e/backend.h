#pragma once

// The engines that the SDK is tried on: ours in this process, ours over gRPC, and any WorkflowService named
// by HOLDFAST_E2E_TARGET (HOST:PORT), such as a real Temporal dev server.

#include <memory>
#include <string>
#include <vector>

#include "api/connection.h"
#include "holdfast/environment.h"
#include "os/clock.h"

namespace holdfast::e2e {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual api::Connection& connection() = 0;
  virtual bool in_process() const { return false; }
};

// "in_process", "rpc", "external"; those that can be made here.
std::vector<std::string> backend_names();
std::unique_ptr<Backend> make_backend(const std::string& name);

// Clock, entropy and threads of this machine.
const Environment& environment();

}  // namespace holdfast::e2e
