#pragma once

// The workers of this process: agents, model calls and tools, each on its own task queue. The same code takes
// tasks from the embedded engine and from a Temporal server.

#include <functional>
#include <memory>
#include <string>

#include "activities/limits_file.h"
#include "api/connection.h"
#include "app/outside.h"
#include "base/memory_budget.h"
#include "grant/grants.h"
#include "grant/tool_grants.h"
#include "holdfast/environment.h"
#include "holdfast/status.h"
#include "metrics/registry.h"
#include "perform/register_flows.h"
#include "platform/outbox.h"
#include "platform/store.h"
#include "platform/streams.h"
#include "price/price_table.h"

namespace holdfast::app {

class WorkerRole {
 public:
  struct Options {
    flows::Evaluate evaluate;  // what flows say in code
    std::string namespace_name = "default";
    std::string public_url;                                  // of the API
    bool in_process = false;                                 // the engine is in this process
    std::function<Status(platform::StartIntent)> start_run;  // for schedules
    std::function<Result<std::string>(const std::string&, const std::string&, const std::string&)>
        make_link;                         // agent::Deps::make_link
    std::size_t large_model_calls = 1;     // of all of them, how many may be large at one time
    agent::ModelLimits model_limits;       // of their keys
    std::string decision_key;              // agent::Deps::decision_key
    metrics::Registry* metrics = nullptr;  // where calls are counted; outlives the workers
    bool propagates_traces = false;
  };
  // Everything must outlive it.
  static Result<std::unique_ptr<WorkerRole>> start(const Options& options, api::Connection& connection,
                                                   const Environment& environment, platform::Store& store,
                                                   platform::Streams& streams, platform::Outbox& outbox,
                                                   const grant::Grants& grants,
                                                   const grant::ToolGrants& tool_grants,
                                                   MemoryBudget& sql_memory, const price::PriceTable& prices,
                                                   Outside& outside);
  // Takes no more tasks and waits for those at hand.
  ~WorkerRole();
  WorkerRole(const WorkerRole&) = delete;
  WorkerRole& operator=(const WorkerRole&) = delete;

 private:
  struct Impl;
  explicit WorkerRole(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::app
