#pragma once

// Node: the roles of one server process, from the outside in: HTTP, workers, runs, stores, engine. It opens
// them bottom-up and stops them top-down. node.cc and the *_role.cc files are the only place that names
// implementations.
//
// Owner: serve(), on the main thread. A start that fails leaves nothing behind that a later one would trip
// over; exit_code() says whose fault it was.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "activities/limits_file.h"
#include "activities/mcp_tools.h"
#include "app/commands.h"
#include "app/control_socket.h"
#include "app/data_directory.h"
#include "app/dev_role.h"
#include "app/engine_role.h"
#include "app/exit_code.h"
#include "app/identity_role.h"
#include "app/memory_plan.h"
#include "app/oidc_role.h"
#include "app/sandbox_role.h"
#include "app/secrets_role.h"
#include "app/worker_role.h"
#include "base/memory_budget.h"
#include "grant/grants.h"
#include "grant/tool_grants.h"
#include "http/api.h"
#include "http/metrics_page.h"
#include "metrics/registry.h"
#include "net/server.h"
#include "os/clock.h"
#include "os/spare_memory.h"
#include "os/thread_executor.h"
#include "otlp/exporter.h"
#include "platform/observed_streams.h"
#include "platform_sqlite/sqlite_store.h"
#include "price/price_table.h"
#include "runs/decision_links.h"
#include "runs/forks.h"
#include "runs/run_metrics.h"
#include "runs/runs.h"

namespace holdfast::app {

class Node {
 public:
  explicit Node(const ServeOptions& options);
  ~Node() { stop(); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Status start();
  // Says on standard output, and in the data directory, where everything is.
  void announce(std::chrono::milliseconds took) const;
  // Reads again what may change while it runs: the files of TLS.
  void reload();
  // Of a start that failed: was it what the command line says, or the machine?
  int exit_code() const { return exit_code_; }
  // From the outside in: no new requests, no new tasks, then the engine.
  void stop();

 private:
  std::string engine_name() const { return options_.engine ? *options_.engine : "embedded"; }
  std::string greeting(const std::string& http, std::chrono::milliseconds took) const;
  std::string address_of_page() const;
  // As it stands in links.
  std::string url_of_page() const;
  Status bad_address(Status status);

  // The steps of start(), in their order. Before anything is touched: what cannot be right leaves no trace.
  Status check_options();
  Status read_grants();
  Status read_limits();
  Status read_prices();
  Status read_export();
  // Of identity providers.
  Status read_oidc();
  Status open_data();
  Status open_platform();
  Status open_identity();
  Status open_secrets();
  Status open_tool_grants();
  Status open_engine();
  Status open_search_attributes();
  Status open_runs();
  Status open_outside();
  Status open_login();
  agent::McpAsking asking();
  // Serves 503 until start_work().
  Status open_http();
  Result<std::string> serve_http(const std::string& address, std::unique_ptr<net::Server>& server);
  // Of spans, where somebody wants them.
  Status open_export();
  Status keep_own();
  Status open_dev();
  Status register_agents();
  // Of what the operator granted, what is not as it was the last time.
  Status record_grants();
  Status open_metrics();
  Status start_work();
  // For commands of the same user; a server without it serves all the same.
  Status open_control();

  struct AgentFile {
    std::string file;
    std::string text;
    std::string folder;
  };

  ServeOptions options_;
  // Before all that draws on them.
  MemoryPlan plan_;
  MemoryBudget memory_{"this server", plan_.total};
  MemoryBudget http_memory_{"HTTP", plan_.http, &memory_};
  MemoryBudget grpc_memory_{"gRPC", plan_.grpc, &memory_};
  MemoryBudget sql_memory_{"SQL statements", plan_.sql, &memory_};
  MemoryBudget sandbox_memory_{"the sandbox", plan_.sandbox, &memory_};
  metrics::Registry metrics_;
  otlp::Settings export_;
  std::vector<oidc::ProviderSettings> providers_;
  std::vector<AgentFile> agents_;
  grant::Grants grants_;
  std::vector<std::string> operator_grants_;
  agent::ModelLimits model_limits_;
  price::PriceTable prices_ = price::PriceTable::builtin();
  bool stopped_ = false;
  int exit_code_ = kExitError;
  os::SystemClock clock_;
  os::SystemRandom random_;
  SandboxRole sandbox_{sandbox_memory_, clock_, options_.python_packages,
                       options_.monty};  // before the workers, which evaluate in it
  Environment environment_{
      clock_, random_, [](const std::string& name) { return std::make_unique<os::ThreadExecutor>(name); }};
  os::SpareMemory spare_memory_;
  std::optional<DataDirectory> data_;
  std::string platform_name_;  // of a platform store that is not in the data directory
  std::unique_ptr<os::ThreadExecutor> flusher_;
  platform::OpenStores platform_;
  std::unique_ptr<IdentityRole> identity_;
  std::unique_ptr<SecretsRole> secrets_;
  std::unique_ptr<grant::ToolGrants> tool_grants_;
  platform::ObservedStreams* observed_ = nullptr;  // of platform_
  std::optional<runs::RunMetrics> run_metrics_;
  std::unique_ptr<EngineRole> engine_;
  std::string grpc_;
  std::stop_source asking_;  // MCP servers, for definitions that are applied
  std::unique_ptr<Outside> outside_;
  std::unique_ptr<oidc::Login> login_;
  std::unique_ptr<otlp::Exporter> exporter_;
  std::unique_ptr<net::Server> server_;         // over TCP; where that is not served, over the socket
  std::unique_ptr<net::Server> socket_server_;  // null: none beside the other one
  std::unique_ptr<runs::DecisionLinks> links_;
  std::unique_ptr<runs::Runs> runs_;
  std::unique_ptr<runs::Forks> forks_;
  std::unique_ptr<http::Api> api_;
  std::unique_ptr<http::MetricsPage> metrics_page_;
  std::unique_ptr<DevRole> dev_;
  std::unique_ptr<WorkerRole> workers_;
  std::unique_ptr<ControlSocket> control_;
  std::shared_ptr<void> reading_;
};

}  // namespace holdfast::app
