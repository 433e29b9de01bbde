// Agents behind the field's protocols: /mcp, /ag-ui, /ai-sdk, /a2a. What is said there is the business of the
// room `interop`.

#include "http/interop_api.h"

#include "http/api_context.h"
#include "http/problems.h"
#include "interop/a2a.h"
#include "interop/ag_ui.h"
#include "interop/mcp_server.h"
#include "interop/ui_stream.h"

namespace holdfast::http {

namespace {

interop::Host host_of(ApiContext& context) {
  interop::Host host;
  host.runs = context.deps.runs;
  host.store = context.deps.store;
  host.gate = context.deps.gate;
  host.namespace_name = context.deps.namespace_name;
  host.environment = context.deps.environment;
  host.streams = context.stream_workers.get();
  host.stopping = [&context] { return context.stopping.load(); };
  host.page = [&context] {
    const ApiInfo& info = context.info;
    return info.public_url.empty() ? info.http_address : info.public_url;
  };
  host.build = [&context] { return context.info.version; };
  host.problem_of = problem_of;
  return host;
}

// None of these addresses begins with /api/, which alone is refused while the server starts and ends.
template <typename Serve>
Handler when_ready(ApiContext& context, Serve serve) {
  return context.blocking([serve = std::move(serve)](ApiContext& c, Request& request, Responder responder) {
    if (c.started && !c.stopping) return serve(c, request, std::move(responder));
    responder.reply(Problem(503, "not_ready", "the server is starting or stopping")
                        .hint("try again in a moment")
                        .header("Retry-After", "1")
                        .response());
  });
}

}  // namespace

void add_interop_routes(Router& router, ApiContext& context) {
  const auto host = std::make_shared<const interop::Host>(host_of(context));
  router.add("POST", "/mcp", Permission::kRun,
             when_ready(context, [host](ApiContext&, Request& request, Responder responder) {
               interop::McpServer(*host).post(request, std::move(responder));
             }));
  router.add("GET", "/mcp", Permission::kRun,
             when_ready(context, [host](ApiContext&, Request& request, Responder responder) {
               interop::McpServer(*host).get(request, std::move(responder));
             }));
  router.add("POST", "/ag-ui/{agent}", Permission::kRun,
             when_ready(context, [host](ApiContext&, Request& request, Responder responder) {
               auto input =
                   json_body(request, {"threadId", "runId", "protocolVersion", "parentRunId", "state",
                                       "messages", "tools", "context", "forwardedProps", "resume"});
               if (!input) return responder.reply(input.error().response());
               interop::run_ag_ui(*host, request, *input, std::move(responder));
             }));
  router.add("POST", "/ai-sdk/{agent}", Permission::kRun,
             when_ready(context, [host](ApiContext&, Request& request, Responder responder) {
               auto body = json_body(request, {"id", "messages", "trigger", "messageId", "context"});
               if (!body) return responder.reply(body.error().response());
               interop::chat_ui_stream(*host, request, *body, std::move(responder));
             }));
  router.add("GET", "/ai-sdk/{agent}/{chat}/stream", Permission::kRead,
             when_ready(context, [host](ApiContext&, Request& request, Responder responder) {
               interop::resume_ui_stream(*host, request, std::move(responder));
             }));
  router.add("POST", "/a2a", Permission::kRun,
             when_ready(context, [host](ApiContext&, Request& request, Responder responder) {
               interop::serve_a2a(*host, request, "", std::move(responder));
             }));
  router.add("POST", "/a2a/{agent}", Permission::kRun,
             when_ready(context, [host](ApiContext&, Request& request, Responder responder) {
               interop::serve_a2a(*host, request, request.param("agent"), std::move(responder));
             }));
  router.add("GET", "/.well-known/agent-card.json", Permission::kRead,
             when_ready(context, [host](ApiContext&, Request&, Responder responder) {
               responder.reply(interop::agent_card(*host, ""));
             }));
  router.add("GET", "/a2a/{agent}/.well-known/agent-card.json", Permission::kRead,
             when_ready(context, [host](ApiContext&, Request& request, Responder responder) {
               responder.reply(interop::agent_card(*host, request.param("agent")));
             }));
}

}  // namespace holdfast::http
