#pragma once

// Gives a set of workers everything an agent run needs. The agent is an ordinary workflow with ordinary
// activities on the public SDK: nothing here knows which engine is below.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/memory_budget.h"
#include "grant/grants.h"
#include "grant/tool_grants.h"
#include "holdfast/client.h"
#include "holdfast/seams.h"
#include "holdfast/worker.h"
#include "metrics/registry.h"
#include "model/breaker.h"
#include "model/gate.h"
#include "net/http_client.h"
#include "platform/outbox.h"
#include "platform/store.h"
#include "platform/streams.h"
#include "price/price_table.h"
#include "protocol/names.h"
#include "protocol/run.h"

namespace holdfast::mcp {
class Client;
}
namespace holdfast::oauth {
class Tokens;
}
namespace holdfast::sandbox {
struct Reply;
struct Request;
}  // namespace holdfast::sandbox

namespace holdfast::agent {

using namespace protocol;

class SqlConnections;

// What activities use; all of it outlives the workers.
struct Deps {
  platform::Store* store = nullptr;
  platform::Streams* streams = nullptr;
  platform::Outbox* outbox = nullptr;  // of these two
  net::HttpClient* http = nullptr;
  // Says whether a run is over. None: nobody is asked.
  const Client* engine = nullptr;
  // Starts a run of a schedule; the same intent again is the same run. None: this worker starts no runs.
  std::function<Status(platform::StartIntent)> start_run;
  const Clock* clock = nullptr;
  // Where our API is for those who are told: http://HOST:PORT. Of calls that are completed from outside.
  std::string public_url;
  // Makes the link by which somebody decides an approval; the same key again is the same link. None: nobody
  // does.
  std::function<Result<std::string>(const std::string& approval, const std::string& recipient,
                                    const std::string& key)>
      make_link;
  // Null where no definition has MCP servers or `auth`.
  mcp::Client* mcp = nullptr;
  oauth::Tokens* tokens = nullptr;
  // What statements of SQL tools draw on.
  MemoryBudget* sql_memory = nullptr;
  // Null: each call opens its own.
  SqlConnections* sql_connections = nullptr;
  // What definitions may use of the machine. `http` goes where they let it (net::Egress::kGranted).
  const grant::Grants* grants = nullptr;
  // Which of their tools agents are granted. None: all that their definitions name.
  const grant::ToolGrants* tool_grants = nullptr;
  // How many model calls may be large at one time. None: all.
  const net::LargeTurns* turns = nullptr;
  // What the operator lets model keys be used for. None: everything.
  model::Gate* gate = nullptr;
  // Which models are worth a call. None: all.
  model::Breakers* breakers = nullptr;
  // What runs that begin now know the server's signature by (protocol/decision_signature.h). Empty: they take
  // any decision.
  std::string decision_key;
  // Runs code in the sandbox, for a tenant; waits that long for a free process (sandbox::Broker::run). None:
  // no code is run.
  std::function<Result<sandbox::Reply>(std::string_view tenant, const sandbox::Request& request,
                                       std::chrono::milliseconds patience)>
      evaluate;
  // What models cost. None: what is compiled in.
  const price::PriceTable* prices = nullptr;
  // Where calls are counted. None: nowhere.
  metrics::Registry* metrics = nullptr;
  // Requests say within which span they are made, also those of runs that were started in nobody's trace.
  bool propagates_traces = false;
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