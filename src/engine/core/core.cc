#include "engine/core.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "engine/core_impl.h"
#include "engine/method_table.h"
#include "history/activity.h"
#include "history/lifecycle.h"
#include "history/timer.h"
#include "history/workflow_task.h"
#include "store/keys.h"

namespace holdfast::engine {

namespace wt = history::workflow_task;

void Release::run() {
  if (!done) return;
  if (executor == nullptr) {
    done(std::move(result));
    return;
  }
  executor->post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

EngineCore::Impl::Impl(CoreOptions options, const Clock& clock, Random& random, const store::KvStore& store)
    : options_(std::move(options)), clock_(clock), random_(random), store_(store) {}

void EngineCore::Impl::set_now() {
  // Time never runs backwards for the core, whatever the machine's clock does.
  now_ = std::max<Ns>(now_, clock_.now().time_since_epoch().count());
}

// In a function of its own: what is wrong with a handler is said with its name.
constexpr auto EngineCore::Impl::method_table() {
  using M = api::Method;
  MethodTable<Impl> table;
  table.on<M::kGetSystemInfo, &Impl::get_system_info>();
  table.on<M::kGetClusterInfo, &Impl::get_cluster_info>();
  table.on<M::kRegisterNamespace, &Impl::register_namespace>();
  table.on<M::kDescribeNamespace, &Impl::describe_namespace>();
  table.on<M::kListNamespaces, &Impl::list_namespaces>();
  table.on<M::kStartWorkflowExecution, &Impl::start_workflow>();
  table.on<M::kExecuteMultiOperation, &Impl::multi_operation>();
  table.on<M::kSignalWorkflowExecution, &Impl::signal, &Impl::check_signal>();
  table.on<M::kSignalWithStartWorkflowExecution, &Impl::signal_with_start>();
  table.on<M::kRequestCancelWorkflowExecution, &Impl::request_cancel>();
  table.on<M::kTerminateWorkflowExecution, &Impl::terminate>();
  table.on<M::kQueryWorkflow, &Impl::query, &Impl::check_query>();
  table.on<M::kUpdateWorkflowExecution, &Impl::update, &Impl::check_update>();
  table.on<M::kPollWorkflowExecutionUpdate, &Impl::poll_update, &Impl::check_poll_update>();
  table.on<M::kGetWorkflowExecutionHistory, &Impl::get_history>();
  table.on<M::kGetWorkflowExecutionHistoryReverse, &Impl::get_history_reverse>();
  table.on<M::kDescribeWorkflowExecution, &Impl::describe>();
  table.on<M::kListWorkflowExecutions, &Impl::list>();
  table.on<M::kCountWorkflowExecutions, &Impl::count>();
  table.on<M::kPollWorkflowTaskQueue, &Impl::poll_workflow_task>();
  table.on<M::kRespondWorkflowTaskCompleted, &Impl::workflow_task_completed>();
  table.on<M::kRespondWorkflowTaskFailed, &Impl::workflow_task_failed>();
  table.on<M::kRespondQueryTaskCompleted, &Impl::query_completed>();
  table.on<M::kResetStickyTaskQueue, &Impl::reset_sticky>();
  table.on<M::kShutdownWorker, &Impl::shutdown_worker>();
  table.on<M::kDescribeTaskQueue, &Impl::describe_task_queue>();
  table.on<M::kPollActivityTaskQueue, &Impl::poll_activity>();
  table.on<M::kRecordActivityTaskHeartbeat, &Impl::heartbeat>();
  table.on<M::kRecordActivityTaskHeartbeatById, &Impl::heartbeat_by_id,
           &Impl::check_activity_id<ws::RecordActivityTaskHeartbeatByIdRequest>>();
  table.on<M::kRespondActivityTaskCompleted, &Impl::activity_completed>();
  table.on<M::kRespondActivityTaskCompletedById, &Impl::activity_completed_by_id,
           &Impl::check_activity_id<ws::RespondActivityTaskCompletedByIdRequest>>();
  table.on<M::kRespondActivityTaskFailed, &Impl::activity_failed>();
  table.on<M::kRespondActivityTaskFailedById, &Impl::activity_failed_by_id,
           &Impl::check_activity_id<ws::RespondActivityTaskFailedByIdRequest>>();
  table.on<M::kRespondActivityTaskCanceled, &Impl::activity_canceled>();
  table.on<M::kRespondActivityTaskCanceledById, &Impl::activity_canceled_by_id,
           &Impl::check_activity_id<ws::RespondActivityTaskCanceledByIdRequest>>();
  return table;
}

CallId EngineCore::Impl::submit(Call call) {
  static constexpr MethodTable<Impl> kMethods = method_table();
#define HOLDFAST_METHOD(name) static_assert(kMethods.has(api::Method::k##name), #name " has no handler");
  HOLDFAST_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD
  set_now();
  const CallId id = next_call_++;
  call.id = id;
  HF_CHECK(call.request != nullptr);
  kMethods.call(*this, call);
  settle();
  return id;
}

void EngineCore::Impl::settle() {
  while (!internal_.empty()) {
    Internal message = std::move(internal_.front());
    internal_.pop_front();
    message.run();
  }
}

void EngineCore::Impl::reply(Call& call, api::MessagePtr response) {
  Release release;
  release.done = std::move(call.done);
  release.executor = call.options.executor;
  release.result = std::move(response);
  release.method = call.method;
  releases_.push_back(std::move(release));
}

void EngineCore::Impl::reply_result(Call& call, Result<api::MessagePtr> result) {
  if (result) {
    reply(call, std::move(*result));
  } else {
    reply(call, std::move(result.error()));
  }
}

void EngineCore::Impl::reply(Call& call, Status status) {
  Release release;
  release.done = std::move(call.done);
  release.executor = call.options.executor;
  release.result = fail(std::move(status));
  release.method = call.method;
  releases_.push_back(std::move(release));
}

Ns EngineCore::Impl::call_deadline(const Call& call, Ns fallback) const {
  Ns left = fallback;
  if (call.options.deadline) {
    left = std::chrono::duration_cast<std::chrono::nanoseconds>(*call.options.deadline - clock_.monotonic())
               .count();
    // The answer has to be there before the caller gives up.
    left -= std::min<Ns>(history::kSecond, left / 10);
    left = std::min(left, std::max(fallback, Ns{1}));
  }
  return now_ + std::max<Ns>(left, 1);
}

CallId EngineCore::Impl::park(Parked parked) {
  const CallId id = parked.call.id;
  HF_CHECK(!parked_.contains(id));
  parked_deadlines_.emplace(parked.deadline_ns, id);
  parked_.emplace(id, std::move(parked));
  return id;
}

void EngineCore::Impl::unpark(CallId id, std::function<void(Parked&)> with) {
  const auto found = parked_.find(id);
  if (found == parked_.end()) return;
  Parked parked = std::move(found->second);
  parked_.erase(found);
  parked_deadlines_.erase({parked.deadline_ns, id});
  if (parked.kind == Parked::Kind::kWorkflowPoll || parked.kind == Parked::Kind::kActivityPoll) {
    matching_.remove_poll(id);
  } else if (Run* run = find(parked.run)) {
    run->history_waiters.erase(id);
    run->update_waiters.erase(id);
    if (parked.kind == Parked::Kind::kQuery) run->queries.erase(parked.query_id);
  }
  with(parked);
}

void EngineCore::Impl::cancel(CallId id) {
  set_now();
  unpark(id, [this](Parked& parked) { reply(parked.call, Status(Code::kCancelled, "The caller gave up.")); });
}

void EngineCore::Impl::close() {
  while (!parked_.empty()) {
    unpark(parked_.begin()->first, [this](Parked& parked) {
      reply(parked.call, Status(Code::kUnavailable, "The server is shutting down; try again."));
    });
  }
}

Ns EngineCore::Impl::next_deadline() const {
  Ns next = 0;
  if (!wakes_.empty()) next = wakes_.begin()->first;
  if (!parked_deadlines_.empty() && (next == 0 || parked_deadlines_.begin()->first < next)) {
    next = parked_deadlines_.begin()->first;
  }
  return next;
}

void EngineCore::Impl::tick() {
  set_now();
  while (!wakes_.empty() && wakes_.begin()->first <= now_) {
    const RunKey key = wakes_.begin()->second;
    fire(key);
    settle();
  }
  while (!parked_deadlines_.empty() && parked_deadlines_.begin()->first <= now_) {
    const CallId id = parked_deadlines_.begin()->second;
    unpark(id, [this](Parked& parked) { empty_poll(parked); });
  }
  if (now_ - last_cleanup_ > 10 * history::kMinute) {
    last_cleanup_ = now_;
    matching_.forget_idle(now_ - 10 * history::kMinute);
  }
}

// A deadline of the execution has come, or several.
void EngineCore::Impl::fire(const RunKey& key) {
  Run* run = find(key);
  if (run == nullptr || !run->ms->running()) {
    arm(key, 0);
    return;
  }
  bool changed = false;
  bool fired = false;
  // Bounded: each step removes or moves a deadline.
  for (int i = 0; i < 10'000 && run->ms->running(); ++i) {
    const auto deadline = run->ms->next_deadline();
    if (deadline.at == 0 || deadline.at > now_) break;
    fired = fired || deadline.kind == history::DeadlineKind::kTimer;
    changed = fire_one(*run, deadline) || changed;
  }
  if (fired) wt::schedule(*run->ms, now_);  // one task for all timers of this moment
  if (changed) {
    finish(*run);
  } else {
    arm(key, run->ms->next_deadline().at);
  }
}

bool EngineCore::Impl::fire_one(Run& run, const history::Deadline& deadline) {
  MutableState& ms = *run.ms;
  switch (deadline.kind) {
    case history::DeadlineKind::kExecutionTimeout:
    case history::DeadlineKind::kRunTimeout: {
      auto holder = std::make_shared<Event>();
      history::lifecycle::CloseContext context;
      if (history::lifecycle::may_be_followed(ms.s())) {
        context.new_run_id = new_id();
        context.first_event = first_event_of(run, holder)();
      }
      history::lifecycle::time_out(ms, options_.limits.execution, now_, context);
      return true;
    }
    case history::DeadlineKind::kFirstTask: history::lifecycle::first_task_due(ms, now_); return true;
    case history::DeadlineKind::kWorkflowTask: workflow_task_deadline(run); return true;
    case history::DeadlineKind::kActivity:
      history::activity::on_deadline(ms, options_.limits.execution, now_, deadline.id);
      return true;
    case history::DeadlineKind::kTimer: history::timer::fire(ms, now_, deadline.id); return true;
  }
  return false;
}

void EngineCore::Impl::workflow_task_deadline(Run& run) {
  MutableState& ms = *run.ms;
  task_came_back(run);
  if (ms.workflow_task_started()) {
    wt::time_out(ms, now_, enums::TIMEOUT_TYPE_START_TO_CLOSE);
    queries_at_end_of_task(run);
    wt::schedule_again(ms, now_);
  } else if (ms.speculative() && !ms.s().workflow_task().sticky()) {
    // Nobody polls: the updates wait in an ordinary task, which survives a crash of the queue, if not of the
    // updates.
    wt::offer_as_ordinary(ms);
  } else {
    wt::time_out(ms, now_, enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
    wt::schedule(ms, now_);
  }
}

bool EngineCore::Impl::has_output() const {
  return !dirty_.empty() || !changes_.empty() || !releases_.empty() || !visibility_calls_.empty();
}

Output EngineCore::Impl::take_output() {
  Output output;
  output.sequence = next_sequence_++;
  output.feed_begin = next_feed_;
  auto changes = std::move(changes_);
  changes_.clear();
  for (Run* run : dirty_) flush(*run, changes, output);
  dirty_.clear();
  output.feed_end = next_feed_;
  for (const auto& [key, value] : changes) {
    if (!value) {
      output.batch.erase(key);
    } else {
      output.batch.put(key, *value);
    }
  }
  if (!changes.empty()) in_flight_.emplace_back(output.sequence, std::move(changes));
  output.releases = std::move(releases_);
  releases_.clear();
  output.visibility_calls = std::move(visibility_calls_);
  visibility_calls_.clear();
  return output;
}

void EngineCore::Impl::committed(std::uint64_t sequence) {
  committed_ = std::max(committed_, sequence);
  while (!in_flight_.empty() && in_flight_.front().first <= committed_) in_flight_.pop_front();
  evict();
}

void EngineCore::Impl::visibility_applied(std::uint64_t sequence) {
  for (; feed_erased_ < sequence && feed_erased_ + 1 < next_feed_; ++feed_erased_) {
    erase(store::keys::visibility_feed(static_cast<std::int64_t>(feed_erased_ + 1)));
  }
}

EngineCore::EngineCore(CoreOptions options, const Clock& clock, Random& random, const store::KvStore& store)
    : impl_(std::make_unique<Impl>(std::move(options), clock, random, store)) {}
EngineCore::~EngineCore() = default;
Status EngineCore::open(std::uint64_t feed_applied) {
  return impl_->open(feed_applied);
}
CallId EngineCore::submit(Call call) {
  return impl_->submit(std::move(call));
}
void EngineCore::cancel(CallId id) {
  impl_->cancel(id);
}
void EngineCore::tick() {
  impl_->tick();
}
std::int64_t EngineCore::next_deadline() const {
  return impl_->next_deadline();
}
bool EngineCore::has_output() const {
  return impl_->has_output();
}
Output EngineCore::take_output() {
  return impl_->take_output();
}
void EngineCore::committed(std::uint64_t sequence) {
  impl_->committed(sequence);
}
std::vector<Release> EngineCore::take_early() {
  return std::exchange(impl_->early_, {});
}
std::size_t EngineCore::early_tasks_out() const {
  return impl_->early_out_;
}
void EngineCore::close() {
  impl_->close();
}
void EngineCore::visibility_applied(std::uint64_t sequence) {
  impl_->visibility_applied(sequence);
}
std::int64_t EngineCore::epoch() const {
  return impl_->meta_.epoch();
}
std::size_t EngineCore::cached_executions() const {
  return impl_->runs_.size();
}

}  // namespace holdfast::engine
