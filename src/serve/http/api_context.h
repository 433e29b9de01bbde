#pragma once

// What the API's handlers share. Internal to the module; constant after construction except where it says
// otherwise.

#include <atomic>
#include <memory>
#include <vector>

#include "http/api.h"
#include "http/json_reply.h"
#include "runs/decision_sender.h"
#include "runs/engine_gateway.h"
#include "runs/run_tracker.h"
#include "runs/run_view.h"

namespace holdfast::http {

using runs::DecisionSender;
using runs::EngineGateway;
using runs::is_closed;
using runs::kRunsFeed;
using runs::run_status_by_name;
using runs::run_status_name;
using runs::RunOutcome;
using runs::RunState;
using runs::RunStatus;
using runs::RunTracker;
using runs::RunViews;

inline constexpr std::size_t kApiThreads = 4;
inline constexpr std::size_t kMaxIdBytes = 200;
inline constexpr std::size_t kMaxPageRows = 200;

struct ApiContext {
  ApiDependencies deps;
  AgentContract contract;
  ApiInfo info;  // set by start()
  std::atomic<bool> started = false;
  std::atomic<bool> stopping = false;

  std::vector<std::unique_ptr<Executor>> executors;  // of requests; each blocks
  std::unique_ptr<Executor> engine_executor;         // of answers from the engine
  std::atomic<std::size_t> next_executor = 0;
  std::unique_ptr<EngineGateway> engine;
  std::shared_ptr<RunTracker> tracker;
  std::shared_ptr<DecisionSender> decisions;
  std::unique_ptr<RunViews> views;

  platform::Store& store() { return *deps.store; }
  Executor& executor() { return *executors[next_executor++ % executors.size()]; }

  // A handler for the router that does its work on one of the executors.
  using Work = std::function<void(ApiContext&, Request&, Responder)>;
  Handler blocking(Work work);
  // The same for handlers that simply return their answer.
  using Answer = std::function<Response(ApiContext&, Request&)>;
  Handler answering(Answer answer);
};

void add_run_routes(Router& router, ApiContext& context);
void add_event_routes(Router& router, ApiContext& context);
void add_approval_routes(Router& router, ApiContext& context);
void add_agent_routes(Router& router, ApiContext& context);
void add_system_routes(Router& router, ApiContext& context);
void add_page_routes(Router& router);

Json approval_json(const platform::Approval& approval);
std::string_view approval_status_name(platform::ApprovalStatus status);

// Run ids and names travel in URLs and logs; "$" begins names of our own.
bool is_valid_id(std::string_view id);

}  // namespace holdfast::http
