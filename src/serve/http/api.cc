#include "http/api.h"

#include <fmt/format.h>

#include "http/api_context.h"

namespace holdfast::http {

struct Api::Impl {
  ApiContext context;
  Router router;
};

Handler ApiContext::blocking(Work work) {
  return [this, work = std::move(work)](Request request, Responder responder) {
    auto job = [this, &work, request = std::move(request), responder = std::move(responder)]() mutable {
      work(*this, request, std::move(responder));
    };
    executor().post(std::move(job));
  };
}

Handler ApiContext::answering(Answer answer) {
  return blocking([answer = std::move(answer)](ApiContext& context, Request& request, Responder responder) {
    responder.reply(answer(context, request));
  });
}

bool is_valid_id(std::string_view id) {
  if (id.empty() || id.size() > kMaxIdBytes || id.front() == '$') return false;
  if (id == "." || id == "..") return false;  // as part of a path they mean something else
  for (char c : id) {
    bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                c == '_' || c == '.' || c == ':' || c == '@';
    if (!fine) return false;
  }
  return true;
}

Api::Api(ApiDependencies dependencies, AgentContract contract) : impl_(std::make_unique<Impl>()) {
  ApiContext& context = impl_->context;
  context.deps = std::move(dependencies);
  context.contract = std::move(contract);
  for (std::size_t i = 0; i < kApiThreads; ++i) {
    context.executors.push_back(context.deps.new_executor(fmt::format("api-{}", i)));
  }
  context.engine_executor = context.deps.new_executor("api-engine");
  context.views = std::make_unique<RunViews>(*context.deps.streams);

  add_system_routes(impl_->router, context);
  add_run_routes(impl_->router, context);
  add_event_routes(impl_->router, context);
  add_approval_routes(impl_->router, context);
  add_agent_routes(impl_->router, context);
  add_page_routes(impl_->router);
}

Api::~Api() {
  stop();
  // Calls under way first, then requests, then what both use.
  if (impl_->context.engine) impl_->context.engine->close();
  impl_->context.executors.clear();
  impl_->context.tracker.reset();
  impl_->context.decisions.reset();
  impl_->context.engine_executor.reset();
}

void Api::start(ApiInfo info) {
  ApiContext& context = impl_->context;
  const ApiDependencies& deps = context.deps;
  context.engine = std::make_unique<EngineGateway>(*deps.connection, *deps.clock, *context.engine_executor,
                                                   info.namespace_name);
  RunTracker::Dependencies tracker;
  tracker.engine = context.engine.get();
  tracker.store = deps.store;
  tracker.streams = deps.streams;
  tracker.clock = deps.clock;
  tracker.executor = context.engine_executor.get();
  tracker.after = deps.after;
  tracker.log = deps.log;
  tracker.workflow_type = context.contract.workflow_type;
  tracker.task_queue = context.contract.task_queue;
  context.tracker = std::make_shared<RunTracker>(std::move(tracker));
  DecisionSender::Dependencies decisions;
  decisions.engine = context.engine.get();
  decisions.store = deps.store;
  decisions.executor = context.engine_executor.get();
  decisions.after = deps.after;
  decisions.log = deps.log;
  decisions.update_name = context.contract.decide_update;
  context.decisions = std::make_shared<DecisionSender>(std::move(decisions));
  context.info = std::move(info);
  context.started = true;
  context.tracker->recover();
  context.decisions->recover();
}

void Api::stop() {
  ApiContext& context = impl_->context;
  if (context.stopping.exchange(true)) return;
  if (context.tracker) context.tracker->stop();
  if (context.decisions) context.decisions->stop();
}

void Api::handle(Request request, Responder responder) {
  ApiContext& context = impl_->context;
  bool served_always =
      request.path == "/healthz" || request.path == "/readyz" || !request.path.starts_with("/api/");
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

Result<std::string> Api::start_run(const platform::StartIntent& intent) {
  ApiContext& context = impl_->context;
  auto started = context.store().start_run(intent);
  if (!started) return std::unexpected(started.error());
  if (started->created) {
    context.engine_executor->post([tracker = context.tracker, run = started->run] { tracker->start(run); });
  }
  return started->run.run;
}

}  // namespace holdfast::http
