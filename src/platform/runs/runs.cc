#include "runs/runs.h"

#include <fmt/format.h>

#include "base/json.h"
#include "platform/audit_rules.h"
#include "platform/find_version.h"
#include "protocol/agent_reference.h"
#include "protocol/flow_run.h"
#include "runs/runs_impl.h"

namespace holdfast::runs {

namespace {

constexpr const char* kIdentity = "holdfast-api";  // in histories

ClientOptions client_options(const RunsDependencies& deps, Executor& callbacks) {
  ClientOptions options;
  // Retries are ours: a request wants to know at once that the engine is busy.
  options.namespace_name(deps.namespace_name).identity(kIdentity).fail_fast(true).callbacks(&callbacks);
  return options;
}

}  // namespace

bool is_valid_run_id(std::string_view id) {
  if (id.empty() || id.size() > kMaxIdBytes || id.front() == '$') return false;
  if (id == "." || id == "..") return false;  // as part of a path they mean something else
  for (char c : id) {
    bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                c == '_' || c == '.' || c == ':' || c == '@';
    if (!fine) return false;
  }
  return true;
}

Status check_run_id(std::string_view id) {
  if (is_valid_run_id(id)) return {};
  return with_fault(Code::kInvalidArgument, RunFault::kInvalidRunId,
                    "a run id has 1 to 200 letters, digits, and - _ . : @, and is not . or ..");
}

// ---- life

Runs::Impl::Impl(RunsDependencies dependencies)
    : deps(std::move(dependencies)),
      engine_executor(deps.environment->new_executor("runs-engine")),
      client(*deps.connection, *deps.environment, client_options(deps, *engine_executor)),
      schedules(client, *deps.store, deps.environment->clock(),
                [this](const platform::Definition& definition, const platform::StartIntent& intent) {
                  return may_begin(definition, intent);
                }),
      views(*deps.streams) {
  const Background background{.client = &client,
                              .store = deps.store,
                              .streams = deps.streams,
                              .clock = &deps.environment->clock(),
                              .executor = engine_executor.get(),
                              .after = deps.after,
                              .sign = deps.sign,
                              .log = deps.log};
  decisions = std::make_shared<DecisionSender>(background);
  sweep = std::make_shared<HistorySweep>(background);
  unkept = std::make_shared<UnkeptRuns>(background, sweep);
  tracker = std::make_shared<RunTracker>(background, [weak = std::weak_ptr(unkept)](const std::string& run) {
    if (const auto there = weak.lock()) there->closed(run);
  });
  steering = std::make_shared<SteeringSender>(background);
  completions = std::make_shared<CompletionSender>(background);
  std::vector<std::unique_ptr<Executor>> threads;
  for (std::size_t i = 0; i < kStarters; ++i) {
    threads.push_back(deps.environment->new_executor(fmt::format("runs-start-{}", i)));
  }
  starters = std::make_unique<WorkPool>(std::move(threads));
}

// Calls under way first, then what makes new ones.
Runs::Impl::~Impl() {
  tracker->stop();
  decisions->stop();
  sweep->stop();
  unkept->stop();
  steering->stop();
  completions->stop();
  client.close();
  starters.reset();
  tracker.reset();
  decisions.reset();
  unkept.reset();
  sweep.reset();
  steering.reset();
  completions.reset();
  engine_executor.reset();
}

void Runs::Impl::begin(const platform::RunRecord& run) {
  if (starting.fetch_add(1) >= kMaxStarting) {
    tracker->start(run);
    --starting;
    return;
  }
  starters->post([this, run] {
    tracker->start(run);
    --starting;
  });
}

Runs::Runs(RunsDependencies dependencies) : impl_(std::make_unique<Impl>(std::move(dependencies))) {}
Runs::~Runs() = default;

void Runs::recover() {
  impl_->tracker->recover();
  impl_->decisions->recover();
  impl_->completions->recover();
  impl_->sweep->begin();
  impl_->unkept->recover();
}

void Runs::stop() {
  impl_->tracker->stop();
  impl_->decisions->stop();
  impl_->sweep->stop();
  impl_->unkept->stop();
  impl_->steering->stop();
  impl_->completions->stop();
}

void Runs::history_deleted(const std::string& run) {
  impl_->sweep->news(run);
}

std::shared_ptr<Telling> Runs::tell(const std::string& run) {
  return impl_->unkept->tell(run);
}

Schedules& Runs::schedules() {
  return impl_->schedules;
}

Result<std::string> Runs::engine_version() {
  return impl_->client.server_version();
}

const std::string& Runs::namespace_name() const {
  return impl_->client.namespace_name();
}

// ---- start and stop

namespace {

// "refund@production" says agent and version in one.
Status name_version(platform::StartIntent& intent) {
  Result<protocol::AgentReference> reference = protocol::parse_agent_reference(intent.agent);
  if (!reference) return reference.error();
  if (reference->version.empty()) return {};
  if (!intent.definition_hash.empty()) {
    return {Code::kInvalidArgument, fmt::format("'{}' names a version, and so does '{}': give one of them",
                                                intent.agent, intent.definition_hash)};
  }
  intent.agent = std::move(reference->agent);
  intent.definition_hash = std::move(reference->version);
  return {};
}

Result<platform::Definition> definition_of(platform::Store& store, const platform::StartIntent& intent) {
  auto found = platform::find_version(store, intent.agent, intent.definition_hash);
  if (found || found.error().code() != Code::kNotFound) return found;
  if (!intent.definition_hash.empty() && store.current_definition(intent.agent)) {
    return fail(with_fault(
        Code::kNotFound, RunFault::kVersionNotFound,
        fmt::format("agent '{}' has no version or label '{}'", intent.agent, intent.definition_hash)));
  }
  if (protocol::is_flow(intent.agent)) {
    return fail(
        with_fault(Code::kNotFound, RunFault::kAgentNotFound,
                   fmt::format("there is no flow '{}'", intent.agent.substr(protocol::kFlowPrefix.size()))));
  }
  return fail(with_fault(Code::kNotFound, RunFault::kAgentNotFound,
                         fmt::format("there is no agent '{}'", intent.agent)));
}

Status check_input_text(const RunsDependencies& deps, const std::string& input) {
  if (!deps.check_message) return {};
  const auto json = parse_json(input);
  return deps.check_message(json.is_string() ? json.get<std::string>() : input);
}

Status check_settings(const RunsDependencies& deps, const platform::Definition& definition,
                      std::string_view settings) {
  if (!deps.check_settings) return {};
  Status status = deps.check_settings(definition, settings);
  switch (status.code()) {
    case Code::kInvalidArgument:
      return with_fault(status.code(), RunFault::kInvalidSettings, std::string(status.message()));
    case Code::kFailedPrecondition:
      return with_fault(status.code(), RunFault::kContextMissing, std::string(status.message()));
    default: return status;
  }
}

// A flow has none.
Status check_conversation(const platform::StartIntent& intent) {
  if (intent.conversation.empty() || !protocol::is_flow(intent.agent)) return {};
  return with_fault(Code::kInvalidArgument, RunFault::kInvalidConversation,
                    "a flow has no conversation: it is given what it needs as input");
}

}  // namespace

Status Runs::Impl::may_begin(const platform::Definition& definition,
                             const platform::StartIntent& intent) const {
  if (Status status = check_conversation(intent); !status.ok()) return status;
  if (Status status = check_settings(deps, definition, intent.settings); !status.ok()) return status;
  if (deps.flow_of) {
    if (auto flow = deps.flow_of(definition, intent); !flow) return flow.error();
  }
  return check_input(intent);
}

// Nobody is there any more then who could say it in another way.
Status Runs::Impl::check_input(const platform::StartIntent& intent) const {
  return protocol::is_flow(intent.agent) ? Status() : check_input_text(deps, intent.input);
}

Status Runs::check_input(const std::string& input) const {
  return check_input_text(impl_->deps, input);
}

Status Runs::check_message(const std::string& text) const {
  return impl_->deps.check_message ? impl_->deps.check_message(text) : Status();
}

Result<StartedRun> Runs::start(platform::StartIntent intent) {
  if (!intent.run.empty()) {
    if (Status valid = check_run_id(intent.run); !valid.ok()) return fail(std::move(valid));
  }
  if (Status named = name_version(intent); !named.ok()) return fail(std::move(named));
  if (!intent.conversation.empty() && !is_valid_run_id(intent.conversation)) {
    return fail(with_fault(Code::kInvalidArgument, RunFault::kInvalidConversation,
                           "the name of a conversation is like a run's id: 1 to 200 letters, digits, and - _ "
                           ". : @, and not . or .."));
  }
  if (Status status = check_conversation(intent); !status.ok()) return fail(std::move(status));
  if (protocol::is_label(intent.definition_hash)) intent.environment = intent.definition_hash;
  auto definition = definition_of(impl_->store(), intent);
  if (!definition) return fail(definition.error());
  intent.definition_hash = definition->hash;
  Status fits = check_settings(impl_->deps, *definition, intent.settings);
  if (fits.ok()) fits = impl_->check_input(intent);
  if (!fits.ok()) {
    // The same request may have been here before, when the agent's current version took it.
    if (intent.run.empty() || !impl_->store().run(intent.run)) return fail(std::move(fits));
  }
  if (intent.idempotency_key.size() > kMaxIdBytes) {
    return fail(with_fault(Code::kInvalidArgument, RunFault::kInvalidKey,
                           fmt::format("the idempotency key is longer than {} bytes", kMaxIdBytes)));
  }
  if (impl_->deps.flow_of) {
    auto flow = impl_->deps.flow_of(*definition, intent);
    if (!flow) return fail(flow.error());
    intent.flow = *std::move(flow);
  }
  if (!intent.keep && intent.flow && intent.flow->rules.batch > 0) {
    return fail(with_fault(Code::kInvalidArgument, RunFault::kIsKept,
                           fmt::format("agent '{}' does the work of several runs in one, so that what one of "
                                       "them says is kept with the others",
                                       intent.agent)));
  }
  return impl_->accept(intent);
}

StartedRun Runs::Impl::same_again(platform::RunRecord run) {
  StartedRun same;
  same.status = standing_of(run).status;
  same.run = std::move(run);
  return same;
}

Result<StartedRun> Runs::Impl::accept(const platform::StartIntent& intent) {
  auto stored = store().start_run(intent);
  if (!stored && !platform::flow_refusal(stored.error()).empty())
    return fail(with_fault(Code::kResourceExhausted, RunFault::kFlowLimited, stored.error().message()));
  if (!stored) {
    if (stored.error().code() != Code::kAlreadyExists) return fail(stored.error());
    return fail(with_fault(Code::kAlreadyExists, RunFault::kRunExists, stored.error().message()));
  }
  // Before it can be over.
  auto telling = intent.keep ? nullptr : unkept->tell(stored->run.run);
  if (!stored->created) {
    StartedRun same = same_again(std::move(stored->run));
    same.telling = std::move(telling);
    return same;
  }
  begin(stored->run);
  StartedRun started;
  started.telling = std::move(telling);
  started.created = true;
  started.run = std::move(stored->run);
  return started;
}

namespace {

// `ask` asks the engine.
template <typename Ask>
Result<RunStatus> stop_run(Runs& runs, Runs::Impl& impl, std::string_view action, const StopRequest& request,
                           const Ask& ask) {
  auto run = runs.find(request.run);
  if (!run) return fail(run.error());
  const RunStatus status = impl.standing_of(*run).status;
  if (is_closed(status)) return status;
  const Status recorded =
      impl.store().audit(platform::rules::audit_of_request(action, request.run, request.by, request.reason));
  if (!recorded.ok()) return fail(recorded);
  const Status asked = ask(impl.client.workflow(request.run));
  if (asked.ok()) return status;
  if (asked.code() != Code::kNotFound) return fail(asked);
  return fail(with_fault(Code::kFailedPrecondition, RunFault::kRunNotStarted,
                         "the engine has not started this run, or it just ended"));
}

}  // namespace

Result<RunStatus> Runs::cancel(const StopRequest& request) {
  return stop_run(*this, *impl_, platform::kRunCancel, request, [&](const WorkflowHandle& workflow) {
    return workflow.cancel(request.reason, "cancel-" + request.run);  // to ask twice changes nothing
  });
}

Result<RunStatus> Runs::terminate(const StopRequest& request) {
  return stop_run(*this, *impl_, platform::kRunTerminate, request,
                  [&](const WorkflowHandle& workflow) { return workflow.terminate(request.reason); });
}

Result<RunStatus> Runs::erase(const StopRequest& request) {
  auto run = find(request.run);
  if (!run) return fail(run.error());
  const Standing standing = impl_->standing_of(*run);
  if (standing.history_deleted) return standing.status;
  const Status recorded = impl_->store().audit(
      platform::rules::audit_of_request(platform::kRunDelete, request.run, request.by, request.reason));
  if (!recorded.ok()) return fail(recorded);
  const Status asked = impl_->client.workflow(request.run).delete_history();
  if (asked.ok() || is_gone(asked)) return standing.status;
  return fail(asked);
}

// ---- events

bool Runs::has_log(const std::string& run) {
  if (run.starts_with('$')) return false;
  if (impl_->store().run(run)) return true;
  auto page = impl_->deps.streams->read(run, "", 1);
  return page && !page->events.empty();
}

Result<platform::EventPage> Runs::events(const std::string& run, std::string_view cursor,
                                         std::uint32_t limit) {
  return impl_->deps.streams->read(run, cursor, limit);
}

Result<bool> Runs::is_read_to_its_end(const std::string& run, std::string_view cursor) {
  if (cursor.empty()) return false;
  auto page = impl_->deps.streams->read(run, cursor, 1);
  if (!page) return fail(page.error());
  if (page->reset || !page->events.empty()) return false;
  auto closing = impl_->deps.streams->find(run, platform::kClosingKey);
  if (!closing) return fail(closing.error());
  return closing->has_value();
}

Result<std::unique_ptr<RunWatch>> Runs::watch(const std::vector<std::string>& logs,
                                              const std::optional<RunWatch::Place>& from,
                                              platform::Deltas deltas,
                                              const std::function<void()>& on_ready) {
  return RunWatch::open(*impl_->deps.streams, logs, from, deltas, on_ready);
}

}  // namespace holdfast::runs
