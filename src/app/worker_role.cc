#include "app/worker_role.h"

#include "activities/agent_metrics.h"
#include "activities/register.h"
#include "app/output.h"
#include "holdfast/client.h"
#include "holdfast/worker.h"
#include "net/large_turns.h"
#include "tool/sql_connections.h"

namespace holdfast::app {

namespace {

// Bounds of what goes on at once; what is more waits in its task queue, where waiting is no running. How many
// model calls go out is their keys' matter (model::Gate); here are also those that wait for theirs, so that
// one key's line holds up no other key's.
constexpr std::size_t kMaxModelCalls = 1024;
constexpr std::size_t kMaxToolCalls = 64;
constexpr std::size_t kMaxBookkeeping = 16;
// A model that streams for a run that was cancelled costs money until its activity hears of it.
constexpr auto kHeartbeatInterval = std::chrono::seconds(1);

}  // namespace

struct WorkerRole::Impl {
  Impl(const Options& options, const Environment& environment, MemoryBudget& sql_memory)
      : turns(options.large_model_calls),
        gate(options.model_limits.limits, environment.clock()),
        breakers(options.model_limits.breaker, environment.clock()),
        sql_janitor(environment.new_executor("sql-janitor")),
        sql_connections(environment.clock(), sql_memory, *sql_janitor) {}

  std::optional<Client> engine;
  net::LargeTurns turns;
  model::Gate gate;
  model::Breakers breakers;
  std::unique_ptr<Executor> sql_janitor;
  agent::SqlConnections sql_connections;
  std::unique_ptr<Worker> agents;
  std::unique_ptr<Worker> models;
  std::unique_ptr<Worker> tools;
  std::shared_ptr<void> reading;
};

WorkerRole::WorkerRole(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

WorkerRole::~WorkerRole() {
  for (Worker* worker : {impl_->agents.get(), impl_->models.get(), impl_->tools.get()}) {
    if (worker != nullptr) worker->stop();
  }
}

Result<std::unique_ptr<WorkerRole>> WorkerRole::start(const Options& options, api::Connection& connection,
                                                      const Environment& environment, platform::Store& store,
                                                      platform::Streams& streams, platform::Outbox& outbox,
                                                      const grant::Grants& grants,
                                                      const grant::ToolGrants& tool_grants,
                                                      MemoryBudget& sql_memory,
                                                      const price::PriceTable& prices, Outside& outside) {
  auto impl = std::make_unique<Impl>(options, environment, sql_memory);

  auto worker = [&](const char* queue, std::size_t activities) {
    WorkerOptions settings{queue};
    settings.namespace_name(options.namespace_name)
        .in_process(options.in_process)
        .max_concurrent_activities(activities)
        .max_heartbeat_throttle_interval(kHeartbeatInterval)
        .log([](workflow::LogLevel, std::string_view message) { complain(message); });
    return std::make_unique<Worker>(connection, environment, std::move(settings));
  };
  impl->agents = worker(agent::kAgentQueue, kMaxBookkeeping);
  impl->models = worker(agent::kModelQueue, kMaxModelCalls);
  impl->tools = worker(agent::kToolQueue, kMaxToolCalls);

  impl->engine.emplace(
      connection, environment,
      ClientOptions().namespace_name(options.namespace_name).identity("holdfast-activities").fail_fast(true));
  agent::Deps deps;
  deps.turns = &impl->turns;
  deps.gate = &impl->gate;
  deps.breakers = &impl->breakers;
  deps.store = &store;
  deps.streams = &streams;
  deps.outbox = &outbox;
  deps.http = &outside.http();
  deps.mcp = &outside.mcp();
  deps.tokens = &outside.tokens();
  deps.engine = &*impl->engine;
  deps.start_run = options.start_run;
  deps.clock = &environment.clock();
  deps.public_url = options.public_url;
  deps.make_link = options.make_link;
  deps.grants = &grants;
  deps.tool_grants = &tool_grants;
  deps.sql_memory = &sql_memory;
  deps.sql_connections = &impl->sql_connections;
  deps.evaluate = options.evaluate;
  deps.prices = &prices;
  deps.decision_key = options.decision_key;
  deps.metrics = options.metrics;
  deps.propagates_traces = options.propagates_traces;
  if (options.metrics != nullptr) {
    impl->reading = options.metrics->on_read([impl = impl.get()](metrics::Reading& out) {
      agent::read_gate(out, impl->gate);
      agent::read_breakers(out, impl->breakers);
    });
  }
  agent::Workers workers;
  workers.agents = impl->agents.get();
  workers.models = impl->models.get();
  workers.tools = impl->tools.get();
  agent::register_all(workers, deps);
  flows::register_flows(workers, deps, options.evaluate);

  auto role = std::unique_ptr<WorkerRole>(new WorkerRole(std::move(impl)));
  for (Worker* one : {role->impl_->agents.get(), role->impl_->models.get(), role->impl_->tools.get()}) {
    if (Status started = one->start(); !started.ok()) return fail(std::move(started));
  }
  return role;
}

}  // namespace holdfast::app
