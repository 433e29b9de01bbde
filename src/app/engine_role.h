#pragma once

// The engine of this process: the embedded one on the data directory, or a connection to a Temporal server.
// Everything above sees a Connection and cannot tell which.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "api/connection.h"
#include "app/memory_plan.h"
#include "app/storage.h"
#include "base/memory_budget.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "identity/gate.h"
#include "metrics/registry.h"
#include "tls/files.h"

namespace holdfast::store {
class RocksStore;
}

namespace holdfast::app {

class EngineRole {
 public:
  struct Embedded {
    std::string store_path;
    std::string visibility_path;
    Storage storage;
    MemoryPlan memory;
    MemoryBudget* budget = nullptr;        // of the process; outlives the engine
    metrics::Registry* metrics = nullptr;  // outlives the engine
    std::chrono::milliseconds shortest_retention{std::chrono::hours(1)};
  };

  // Clock and random must outlive it.
  static Result<std::unique_ptr<EngineRole>> open_embedded(const Embedded& options, const Clock& clock,
                                                           Random& random);
  // "temporal://HOST:PORT", or temporals:// for TLS. Anything else is INVALID_ARGUMENT.
  static Status check_target(const std::string& target);
  // Fails when nobody answers there, and as CANCELLED soon after `give_up` says so.
  static Result<std::unique_ptr<EngineRole>> connect(const std::string& target,
                                                     const std::function<bool()>& give_up);
  ~EngineRole();
  EngineRole(const EngineRole&) = delete;
  EngineRole& operator=(const EngineRole&) = delete;

  // Told from now on which runs the embedded engine has deleted, on a thread that must not be blocked; empty:
  // nobody is told any more. A Temporal server tells nobody.
  using Deleted = std::function<void(const std::string& namespace_name, const std::string& workflow_id)>;
  void on_deleted(Deleted tell);

  api::Connection& connection();
  bool embedded() const;
  // Null without the embedded engine. For backups alone.
  store::RocksStore* store() const;

  // Serves the connection over gRPC. `address` with port 0 picks a free one; the bound address comes back.
  // `memory` is what calls draw on, and outlives the serving.
  // `gate` says who may call what, and outlives it too; without `tls` it is served in the clear.
  // May be called again, for another address.
  struct GrpcPlace {
    std::string address;
    bool socket_for_every_user = false;  // of unix:PATH
    std::shared_ptr<tls::Files> tls{};
  };
  Result<std::string> serve_grpc(const GrpcPlace& place, MemoryBudget& memory, const MemoryPlan& plan,
                                 const identity::Gate& gate);
  void stop_grpc();

 private:
  struct Impl;
  explicit EngineRole(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::app
