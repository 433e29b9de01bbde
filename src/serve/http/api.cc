#include "http/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "http/api_context.h"
#include "http/flows_api.h"
#include "http/interop_api.h"
#include "identity/secret.h"
#include "openai/errors.h"
#include "os/thread_executor.h"

namespace holdfast::http {

struct Api::Impl {
  ApiContext context;
  Router router;  // once the gate is known
};

namespace {

// Without what opens something to whoever reads it.
std::string_view path_for_logs(std::string_view path) {
  for (const std::string_view secret : {runs::kLinkPath, std::string_view("/api/v1/completions/")}) {
    if (path.starts_with(secret)) return secret;
  }
  return path;
}

}  // namespace

Handler ApiContext::blocking(Work work) {
  return [this, work = std::move(work)](Request request, Responder responder) {
    WorkPool& pool = request.body.size() > kLargeBodyBytes ? *large_workers : *workers;
    auto job = [this, &work, request = std::move(request), responder = std::move(responder)]() mutable {
      if (ending) return;
      try {
        work(*this, request, std::move(responder));
      } catch (const std::exception& error) {  // the responder, dropped, has answered 500
        fmt::print(stderr, "holdfast: {} {} failed: {}\n", request.method, path_for_logs(request.path),
                   error.what());
      }
    };
    pool.post(std::move(job));
  };
}

void ApiContext::standing_back(std::string what, std::function<Response(const Gone&)> respond,
                               Responder responder) {
  auto job = [this, what = std::move(what), respond = std::move(respond),
              responder = std::move(responder)]() mutable {
    const Gone gone = [&] { return ending || responder.gone(); };
    if (gone()) return responder.drop();
    try {
      responder.reply(respond(gone));
    } catch (const std::exception& error) {  // as above
      fmt::print(stderr, "holdfast: {} failed: {}\n", what, error.what());
    }
  };
  large_workers->post(std::move(job));
}

Handler ApiContext::answering(Respond respond) {
  return blocking([respond = std::move(respond)](ApiContext& context, Request& request, Responder responder) {
    responder.reply(respond(context, request));
  });
}

Handler ApiContext::at_once(Respond respond) {
  return [this, respond = std::move(respond)](Request request, Responder responder) {
    responder.reply(respond(*this, request));
  };
}

void add_routes(Router& router, ApiContext& context) {
  add_system_routes(router, context);
  add_run_routes(router, context);
  add_steering_routes(router, context);
  add_fork_routes(router, context);
  add_completion_routes(router, context);
  add_conversation_routes(router, context);
  add_session_routes(router, context);
  add_event_routes(router, context);
  add_approval_routes(router, context);
  add_link_routes(router, context);
  add_channel_routes(router, context);
  add_agent_routes(router, context);
  add_flow_routes(router, context);
  add_version_routes(router, context);
  add_label_routes(router, context);
  add_list_routes(router, context);
  add_usage_routes(router, context);
  add_output_routes(router, context);
  add_memory_routes(router, context);
  add_schedule_routes(router, context);
  add_identity_routes(router, context);
  add_audit_routes(router, context);
  add_oidc_routes(router, context);
  add_audit_message_routes(router, context);
  add_secret_routes(router, context);
  add_grant_routes(router, context);
  add_openai_model_routes(router, context);
  add_openai_chat_routes(router, context);
  add_openai_response_routes(router, context);
  add_interop_routes(router, context);
  add_page_routes(router);
}

Api::Api(ApiDependencies dependencies) : impl_(std::make_unique<Impl>()) {
  ApiContext& context = impl_->context;
  context.deps = std::move(dependencies);
  const auto pool_of = [&context](std::string_view name, std::size_t count) {
    std::vector<std::unique_ptr<Executor>> threads;
    for (std::size_t i = 0; i < count; ++i)
      threads.push_back(context.deps.environment->new_executor(fmt::format("{}-{}", name, i)));
    return threads;
  };
  context.workers = std::make_unique<WorkPool>(pool_of("api", kApiThreads));
  auto large = pool_of("api-large", kLargeThreads);
  for (const auto& thread : large) thread->post([] { os::stand_back(os::kFarBack); });
  context.large_workers = std::make_unique<WorkPool>(std::move(large));
  // Many readers of a long run are much work, too; who calls goes before who looks on.
  auto streams = pool_of("api-stream", kStreamThreads);
  for (const auto& thread : streams) thread->post([] { os::stand_back(os::kOneStepBack); });
  context.stream_workers = std::make_unique<WorkPool>(std::move(streams));
  context.waits.open(context.deps.runs, context.stream_workers.get(), context.deps.after);
  impl_->router = Router(context.deps.gate, context.deps.namespace_name);
  add_routes(impl_->router, context);
}

Api::~Api() {
  stop();
  impl_->context.ending = true;
  impl_->context.stream_workers.reset();
  impl_->context.large_workers.reset();
  impl_->context.workers.reset();
}

void Api::start(ApiInfo info) {
  impl_->context.info = std::move(info);
  impl_->context.started = true;
}

void Api::stop() {
  impl_->context.stopping = true;
  impl_->context.waits.stop();
}

namespace {

// Clients of OpenAI's API always send a key. Where everybody is let in, one that is none of ours is none.
void drop_placeholder(const identity::Gate* gate, Request& request) {
  if (gate == nullptr || !gate->is_open()) return;
  const std::string_view shown = request.header("authorization");
  const std::string_view key = shown.substr(std::min(shown.find(' '), shown.size() - 1) + 1);
  const auto is_ours = [key](std::string_view prefix) {
    return key.starts_with(prefix) && key.substr(prefix.size()).starts_with('_');
  };
  if (shown.empty() || is_ours(identity::kKeyPrefix) || is_ours(identity::kLocalPrefix)) return;
  std::erase_if(request.headers, [](const Header& header) { return header.name == "authorization"; });
}

}  // namespace

void Api::handle(Request request, Responder answered) {
  ApiContext& context = impl_->context;
  const bool is_openai = request.path.starts_with("/v1/");
  if (is_openai) drop_placeholder(context.deps.gate, request);
  Responder responder =
      is_openai ? openai::with_openai_errors(std::move(answered)) : Responder(std::move(answered));
  const bool of_runs =
      is_openai || request.path.starts_with("/api/") || request.path.starts_with(runs::kLinkPath);
  bool served_always = request.path == "/healthz" || request.path == "/readyz" || !of_runs;
  if (!served_always && (!context.started || context.stopping)) {
    responder.reply(
        Problem(503, "not_ready", context.stopping ? "the server is stopping" : "the server is starting")
            .hint("try again in a moment")
            .header("Retry-After", "1")
            .response());
    return;
  }
  impl_->router.handle(std::move(request), std::move(responder));
}

}  // namespace holdfast::http
