#pragma once

// The REST API under /api/v1, its event streams, the health checks and the page: docs/guide/http-api.md.
//
// Owner: app. Threads: requests are handed to a few executors of its own, because stores and engine calls
// block; the server's thread never does. Everything the API promises is in the platform store before it is
// answered; what an engine has not confirmed yet is repeated, also after a restart (RunTracker,
// DecisionSender).

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/connection.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "http/message.h"
#include "platform/store.h"
#include "platform/streams.h"

namespace holdfast::http {

// What the API must know about the agent workflow; the agent module has the values (protocol/names.h).
struct AgentContract {
  std::string workflow_type;
  std::string task_queue;
  std::string decide_update;
};

// A definition as somebody sent it.
struct DefinitionText {
  std::string_view text;
  std::string_view source;  // names it in errors
  // Another name in it is FAILED_PRECONDITION and changes nothing. Empty: any.
  std::string_view expected_name = {};
  // Absolute; where relative paths in it start. Empty: a relative path is INVALID_ARGUMENT.
  std::string_view base_directory = {};
};

struct DeployedAgent {
  std::string name;
  std::string version;
  bool created = false;
};

struct ApiInfo {
  std::string version;
  std::string engine;  // "embedded", or the address of a Temporal server
  std::string grpc_address;
  std::string http_address;
  std::string namespace_name = "default";
  bool dev = false;
};

// Everything outlives the API.
struct ApiDependencies {
  api::Connection* connection = nullptr;
  platform::Store* store = nullptr;
  platform::Streams* streams = nullptr;
  const Clock* clock = nullptr;
  Random* random = nullptr;
  std::function<std::unique_ptr<Executor>(const std::string& name)> new_executor;
  // Runs a short job later, on a thread that must not block.
  std::function<void(std::chrono::milliseconds delay, std::move_only_function<void()> job)> after;
  // Checks a definition and makes it the current version of its agent.
  std::function<Result<DeployedAgent>(const DefinitionText& definition)> deploy;
  std::function<void(std::string_view message)> log;
};

class Api {
 public:
  Api(ApiDependencies dependencies, AgentContract contract);
  // Waits for requests under way. The server must be stopped before.
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Thread-safe; never blocks.
  void handle(Request request, Responder responder);

  // Begins to finish what an earlier process left unconfirmed and to watch open runs. Before it: /readyz is
  // 503.
  void start(ApiInfo info);
  // Ends watches and retries; requests are refused from now on.
  void stop();

  // Starts a run as POST /api/v1/runs does, for the process itself.
  Result<std::string> start_run(const platform::StartIntent& intent);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::http
