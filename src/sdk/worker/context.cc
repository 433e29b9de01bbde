#include "base/check.h"
#include "holdfast/workflow.h"
#include "worker/activity_machine.h"
#include "worker/child_machine.h"
#include "worker/external_machine.h"
#include "worker/timer_machine.h"
#include "worker/workflow_run.h"

namespace holdfast::workflow {
namespace {

using holdfast::detail::FutureState;
using holdfast::detail::ScopePtr;
using holdfast::detail::ScopeState;

// Forgets a cancellation callback when its coroutine moves on or dies.
class CancelCallback {
 public:
  CancelCallback(ScopePtr scope, std::function<void()> callback)
      : scope_(std::move(scope)), registration_(scope_->on_cancel(std::move(callback))) {}
  ~CancelCallback() { scope_->forget(registration_); }
  CancelCallback(const CancelCallback&) = delete;
  CancelCallback& operator=(const CancelCallback&) = delete;

 private:
  ScopePtr scope_;
  std::uint64_t registration_;
};

// Emits the machine's command, to be canceled with the scope of the caller: a scope of its own below that.
template <typename M>
ScopePtr begin_in_scope(const std::shared_ptr<M>& machine, const ScopePtr& caller) {
  const auto cancel = [](M& each, [[maybe_unused]] const std::string& reason) {
    if constexpr (requires { each.cancel(reason); }) {
      each.cancel(reason);
    } else {
      each.cancel();
    }
  };
  auto scope = ScopeState::child_of(caller);
  machine->begin();
  if (scope->canceled()) {
    cancel(*machine, scope->reason());
    return scope;
  }
  machine->live_in(scope);
  scope->on_cancel([cancel, weak = std::weak_ptr<M>(machine), of = std::weak_ptr<ScopeState>(scope)] {
    const auto held = weak.lock();
    const auto canceled = of.lock();
    if (held) cancel(*held, canceled ? canceled->reason() : std::string());
  });
  return scope;
}

void throw_if_canceled(const ScopePtr& scope) {
  if (scope->canceled()) throw CanceledFailure(scope->reason());
}

}  // namespace

// ---- facts

WallTime Context::now() const {
  return run_->now();
}
std::uint64_t Context::random() {
  return run_->random();
}
double Context::random_double() {
  return static_cast<double>(run_->random() >> 11) * 0x1.0p-53;
}
std::string Context::uuid() {
  return run_->uuid();
}
const Info& Context::info() const {
  return run_->info();
}
bool Context::replaying() const {
  return run_->replaying();
}
void Context::log(LogLevel level, std::string_view message) const {
  run_->log(level, message);
}
holdfast::detail::Scheduler& Context::scheduler() const {
  return run_->scheduler();
}

// ---- activities

Context::RawHandle Context::start_activity_raw(const std::string& name, const ActivityOptions& options,
                                               std::vector<Payload> arguments) {
  run_->check_may_act("starting an activity");
  if (!options.start_to_close() && !options.schedule_to_close()) {
    throw std::invalid_argument("activity \"" + name + "\" needs start_to_close or schedule_to_close");
  }
  const std::string id = options.activity_id().empty() ? run_->next_activity_id() : options.activity_id();
  auto machine = std::make_shared<worker::ActivityMachine>(run_->outbox(), id, name, options,
                                                           std::move(arguments), run_->info().task_queue);
  auto scope = begin_in_scope(machine, scheduler().current_scope());
  return RawHandle(id, Future<std::string>(), machine->result(), CancelScope(scope));
}

Task<Payload> Context::run_activity(std::string name, ActivityOptions options,
                                    std::vector<Payload> arguments) {
  auto handle = start_activity_raw(name, options, std::move(arguments));
  co_return co_await handle.result;
}

// ---- time

TimerHandle Context::start_timer(Duration duration, std::string summary) {
  run_->check_may_act("starting a timer");
  if (duration <= Duration::zero()) duration = std::chrono::milliseconds(1);
  auto machine = std::make_shared<worker::TimerMachine>(run_->outbox(), run_->next_timer_id(), duration,
                                                        std::move(summary));
  auto scope = begin_in_scope(machine, scheduler().current_scope());
  return TimerHandle(machine->fired(), CancelScope(scope));
}

Task<void> Context::sleep(Duration duration, std::string summary) {
  throw_if_canceled(scheduler().current_scope());
  if (duration <= Duration::zero()) co_return;
  const TimerHandle timer = start_timer(duration, std::move(summary));
  co_await timer.fired();
}

Task<void> Context::wait_condition(std::function<bool()> condition) {
  run_->check_may_act("waiting");
  const ScopePtr scope = scheduler().current_scope();
  throw_if_canceled(scope);
  if (condition()) co_return;
  Promise<void> done;
  auto state = std::make_shared<FutureState<void>>();
  scheduler().add_condition(std::move(condition), state);
  const CancelCallback on_cancel(
      scope, [state, scope] { state->set_error(std::make_exception_ptr(CanceledFailure(scope->reason()))); });
  co_await Future<void>(state);
}

Task<bool> Context::wait_condition_for(std::function<bool()> condition, Duration timeout) {
  throw_if_canceled(scheduler().current_scope());
  if (condition()) co_return true;
  if (timeout <= Duration::zero()) co_return false;
  const TimerHandle timer = start_timer(timeout);
  std::function<bool()> either = [&] { return timer.done() || condition(); };
  co_await wait_condition(either);
  const bool in_time = condition();
  if (!timer.done()) timer.cancel();
  co_return in_time;
}

// ---- messages

const UpdateInfo& Context::current_update() const {
  return run_->current_update();
}
bool Context::idle() const {
  return run_->handlers_idle();
}
void Context::set_signal_handler(const std::string& name, SignalHandler handler) {
  run_->set_signal_handler(name, std::move(handler));
}
void Context::set_query_handler(const std::string& name, QueryHandler handler) {
  run_->set_query_handler(name, std::move(handler));
}
void Context::set_update_handler(const std::string& name, UpdateHandler handler, UpdateValidator validator) {
  run_->set_update_handler(name, std::move(handler), std::move(validator));
}
void Context::set_dynamic_signal_handler(
    std::function<Task<void>(std::string, std::vector<Payload>)> handler) {
  run_->set_dynamic_signal_handler(std::move(handler));
}
void Context::set_dynamic_query_handler(std::function<Payload(std::string, std::vector<Payload>)> handler) {
  run_->set_dynamic_query_handler(std::move(handler));
}

Task<std::vector<Payload>> Context::receive_signal(std::string name) {
  auto& queue = run_->signal_queue(name);
  // Another receiver of the same channel may have been faster.
  while (queue.empty()) {
    std::function<bool()> arrived = [&queue] { return !queue.empty(); };
    co_await wait_condition(arrived);
  }
  std::vector<Payload> arguments = std::move(queue.front());
  queue.pop_front();
  co_return arguments;
}

std::optional<std::vector<Payload>> Context::try_receive_signal(const std::string& name) {
  auto& queue = run_->signal_queue(name);
  if (queue.empty()) return std::nullopt;
  std::vector<Payload> arguments = std::move(queue.front());
  queue.pop_front();
  return arguments;
}

std::size_t Context::waiting_signals(const std::string& name) const {
  return run_->signal_queue(name).size();
}

// ---- other workflows

Task<Context::RawHandle> Context::start_child_raw(std::string type, ChildOptions options,
                                                  std::vector<Payload> arguments) {
  run_->check_may_act("starting a child workflow");
  if (options.workflow_id().empty()) options.workflow_id(run_->uuid());
  auto machine = std::make_shared<worker::ChildMachine>(run_->outbox(), std::move(type), options,
                                                        std::move(arguments), run_->info().task_queue);
  auto scope = begin_in_scope(machine, scheduler().current_scope());
  RawHandle handle(machine->workflow_id(), machine->started(), machine->result(), CancelScope(scope));
  co_await handle.started;
  co_return handle;
}

Task<Payload> Context::run_child(std::string type, ChildOptions options, std::vector<Payload> arguments) {
  auto starting = start_child_raw(std::move(type), std::move(options), std::move(arguments));
  const RawHandle handle = co_await std::move(starting);
  co_return co_await handle.result;
}

Task<void> Context::signal_external_raw(std::string workflow_id, std::string run_id, std::string signal,
                                        std::vector<Payload> arguments, bool child_only) {
  run_->check_may_act("signaling a workflow");
  const ScopePtr scope = scheduler().current_scope();
  throw_if_canceled(scope);
  worker::ExternalTarget target;
  target.workflow_id = std::move(workflow_id);
  target.run_id = std::move(run_id);
  target.child_only = child_only;
  auto machine = std::make_shared<worker::ExternalSignalMachine>(run_->outbox(), std::move(target),
                                                                 std::move(signal), std::move(arguments));
  machine->begin();
  const CancelCallback on_cancel(scope, [machine] { machine->cancel(); });
  co_await machine->delivered();
}

Task<void> Context::cancel_external(std::string workflow_id, std::string run_id, std::string reason) {
  run_->check_may_act("canceling a workflow");
  worker::ExternalTarget target;
  target.workflow_id = std::move(workflow_id);
  target.run_id = std::move(run_id);
  auto machine =
      std::make_shared<worker::ExternalCancelMachine>(run_->outbox(), std::move(target), std::move(reason));
  machine->begin();
  co_await machine->delivered();
}

// ---- cancellation

bool Context::cancelled() const {
  return scheduler().current_scope()->canceled();
}
bool Context::workflow_cancelled() const {
  return run_->cancel_requested();
}
std::string Context::cancel_reason() const {
  return run_->cancel_reason();
}
CancelScope Context::scope() {
  return CancelScope(ScopeState::child_of(scheduler().current_scope()));
}
ScopePtr Context::shield() {
  return ScopeState::child_of(nullptr);
}

// ---- versions and state

bool Context::patched(const std::string& id) {
  return run_->patched(id, false);
}
void Context::deprecate_patch(const std::string& id) {
  run_->patched(id, true);
}
Payload Context::side_effect_raw(const std::function<Payload()>& compute) {
  return run_->side_effect(compute);
}
void Context::upsert_search_attributes(const SearchAttributes& attributes) {
  run_->upsert(enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, attributes.values());
}
void Context::upsert_memo(const Memo& memo) {
  run_->upsert(enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED, memo);
}

}  // namespace holdfast::workflow
