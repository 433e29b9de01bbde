#pragma once

// The load: workflow workers, activity workers and clients, written against the protocol itself. Every flow
// is the same small workflow (flow.h); clients start it, signal and update it, read its history; everything
// acknowledged goes to the oracle. Requests whose outcome is unknown are repeated under the same id, as an
// SDK does.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "connect/grpc_connection.h"
#include "oracle.h"

namespace holdfast::crash {

struct LoadOptions {
  std::string address;
  std::uint64_t seed = 1;
  int clients = 4;
  int workflow_workers = 2;
  int activity_workers = 4;
};

class Load {
 public:
  Load(const LoadOptions& options, Oracle& oracle);
  ~Load();

  // Clients start no new flows and finish what is open; false when that is not done within the time.
  bool drain(std::chrono::milliseconds patience);
  // What the oracle's flows look like now, checked against it. The server must be up.
  void check_histories();
  // How many flows visibility counts as completed.
  Result<std::uint64_t> completed_by_visibility();

 private:
  class Client;
  class WorkflowWorker;
  class ActivityWorker;

  const LoadOptions options_;
  Oracle& oracle_;
  std::atomic<bool> draining_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> clients_left_ = 0;
  std::unique_ptr<rpc::GrpcConnection> client_connection_;
  std::unique_ptr<rpc::GrpcConnection> worker_connection_;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::crash
