#pragma once

// Gives a set of workers everything an agent run needs. The agent is an ordinary workflow with ordinary
// activities on the public SDK: nothing here knows which engine is below.

#include <memory>

#include "base/memory_budget.h"
#include "grant/grants.h"
#include "holdfast/seams.h"
#include "holdfast/worker.h"
#include "mcp/client.h"
#include "net/http_client.h"
#include "platform/store.h"
#include "platform/streams.h"
#include "protocol/names.h"
#include "protocol/run.h"

namespace holdfast::agent {

using namespace protocol;

// What activities use; all of it outlives the workers.
struct Deps {
  platform::Store* store = nullptr;
  platform::Streams* streams = nullptr;
  net::HttpClient* http = nullptr;
  const Clock* clock = nullptr;
  // Null where no definition has MCP servers or `auth`.
  mcp::Client* mcp = nullptr;
  oauth::Tokens* tokens = nullptr;
  // What statements of SQL tools draw on.
  MemoryBudget* sql_memory = nullptr;
  // What definitions may use of the machine. `http` goes where they let it (net::Egress::kGranted).
  const grant::Grants* grants = nullptr;
  // How many model calls may be large at one time. None: all.
  const net::LargeTurns* turns = nullptr;
};

// Workers, or a Replayer for all three.
struct Workers {
  Registry* agents = nullptr;  // on kAgentQueue
  Registry* models = nullptr;  // on kModelQueue: its activity slots bound the model calls under way
  Registry* tools = nullptr;   // on kToolQueue
};

// Before the workers start.
void register_all(const Workers& workers, const Deps& deps);

}  // namespace holdfast::agent