#pragma once

// What the API's handlers share. Internal to the module; constant after construction except where it says
// otherwise.

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "base/work_pool.h"
#include "http/api.h"
#include "http/json_reply.h"
#include "http/router.h"
#include "http/run_waits.h"

namespace holdfast::http {

inline constexpr std::size_t kApiThreads = 4;
// Requests with large bodies have workers of their own, which stand back: a few of them would otherwise be
// all that the others do.
inline constexpr std::size_t kLargeThreads = 2;
inline constexpr std::size_t kLargeBodyBytes = 64 * 1024;

// Pages of event streams too: hundreds of readers that have much to catch up with are no reason for a short
// request to wait.
inline constexpr std::size_t kStreamThreads = 2;

struct ApiContext {
  ApiDependencies deps;
  ApiInfo info;  // set by start()
  std::atomic<bool> started = false;
  std::atomic<bool> stopping = false;
  std::atomic<bool> ending = false;  // no connection is left: what still waits for a worker is for nobody

  std::unique_ptr<WorkPool> workers;  // of requests, which block
  std::unique_ptr<WorkPool> large_workers;
  std::unique_ptr<WorkPool> stream_workers;
  RunWaits waits;
  runs::Runs& runs() { return *deps.runs; }
  platform::Store& store() { return *deps.store; }

  // A handler for the router that does its work on one of the workers. What it throws is an answer of 500.
  using Work = std::function<void(ApiContext&, Request&, Responder)>;
  Handler blocking(Work work);
  // The same for handlers that simply return their response.
  using Respond = std::function<Response(ApiContext&, Request&)>;
  Handler answering(Respond respond);
  // The same for what never waits: on the server's thread, also while every worker is busy.
  Handler at_once(Respond respond);
  // Of a handler whose request was short and whose answer is long: it is made by a worker that stands back,
  // and not at all for a client that has gone; `respond` asks between two pieces of it.
  using Gone = std::function<bool()>;
  void standing_back(std::string what, std::function<Response(const Gone& gone)> respond, Responder responder);
};

// None: the caller is an admin of every namespace, as who changes who may do what, or reads what everybody did.
std::optional<Problem> not_everywhere(ApiContext& context, const Request& request);

void add_run_routes(Router& router, ApiContext& context);
void add_steering_routes(Router& router, ApiContext& context);
void add_fork_routes(Router& router, ApiContext& context);
void add_completion_routes(Router& router, ApiContext& context);
void add_conversation_routes(Router& router, ApiContext& context);
void add_session_routes(Router& router, ApiContext& context);
void add_event_routes(Router& router, ApiContext& context);
void add_approval_routes(Router& router, ApiContext& context);
void add_link_routes(Router& router, ApiContext& context);
void add_channel_routes(Router& router, ApiContext& context);
void add_agent_routes(Router& router, ApiContext& context);
void add_version_routes(Router& router, ApiContext& context);
void add_label_routes(Router& router, ApiContext& context);
void add_list_routes(Router& router, ApiContext& context);
void add_usage_routes(Router& router, ApiContext& context);
void add_output_routes(Router& router, ApiContext& context);
void add_memory_routes(Router& router, ApiContext& context);
void add_schedule_routes(Router& router, ApiContext& context);
void add_system_routes(Router& router, ApiContext& context);
void add_identity_routes(Router& router, ApiContext& context);
void add_audit_routes(Router& router, ApiContext& context);
void add_audit_message_routes(Router& router, ApiContext& context);
void add_oidc_routes(Router& router, ApiContext& context);
void add_secret_routes(Router& router, ApiContext& context);
void add_grant_routes(Router& router, ApiContext& context);
// Under /v1: docs/guide/openai-clients.md.
void add_openai_model_routes(Router& router, ApiContext& context);
void add_openai_chat_routes(Router& router, ApiContext& context);
void add_openai_response_routes(Router& router, ApiContext& context);
void add_page_routes(Router& router);

// All of them.
void add_routes(Router& router, ApiContext& context);

}  // namespace holdfast::http
