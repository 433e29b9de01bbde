// The parts of the core and how they are put together. Each part says in its header what it does and what it
// needs; only this file knows all of them.

#include "engine/core.h"

#include <algorithm>
#include <type_traits>

#include "base/check.h"
#include "engine/activity_handlers.h"
#include "engine/batches.h"
#include "engine/core_clock.h"
#include "engine/deletions.h"
#include "engine/due_runs.h"
#include "engine/duties.h"
#include "engine/execution_handlers.h"
#include "engine/history_handlers.h"
#include "engine/history_reader.h"
#include "engine/history_waiters.h"
#include "engine/large_rows.h"
#include "engine/method_table.h"
#include "engine/namespace_handlers.h"
#include "engine/namespaces.h"
#include "engine/new_ids.h"
#include "engine/offers.h"
#include "engine/outbox.h"
#include "engine/outbox_delivery.h"
#include "engine/parked_calls.h"
#include "engine/queries.h"
#include "engine/query_handlers.h"
#include "engine/recovery.h"
#include "engine/replies.h"
#include "engine/rows.h"
#include "engine/run_cache.h"
#include "engine/search_attribute_handlers.h"
#include "engine/start_handlers.h"
#include "engine/starter.h"
#include "engine/task_dispatch.h"
#include "engine/task_queue_handlers.h"
#include "engine/task_responses.h"
#include "engine/task_tokens.h"
#include "engine/transitions.h"
#include "engine/undelivered.h"
#include "engine/update_handlers.h"
#include "engine/update_waiters.h"
#include "engine/visibility_handlers.h"
#include "engine/wake_times.h"
#include "engine/workflow_task_handlers.h"
#include "matching/task_queues.h"

namespace holdfast::engine {

void Release::run() {
  if (!done) return;
  if (executor == nullptr) {
    done(std::move(result));
    return;
  }
  executor->post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

// In the order of their needs: a part is made of those above it.
struct EngineCore::Impl {
  Impl(CoreOptions core_options, const Clock& machine_clock, Random& random, const store::KvStore& kv_store)
      : options(std::move(core_options)), store(kv_store), clock(machine_clock), ids(random, clock) {}

  CallId submit(Call call);
  void cancel(CallId id);
  void undelivered(api::Method method, const api::Message& answer);
  void close();
  void tick();
  Ns next_deadline() const;
  bool has_output() const;
  bool output_is_awaited() const;
  Output take_output();
  void committed(std::uint64_t sequence);

  void leave(CallId id, const Parked& parked);
  void time_out(Parked& parked);

  // What the method table asks of its host.
  static constexpr auto method_table();
  const stored::NamespaceRecord* find_namespace(const std::string& name) const {
    return namespaces.find(name);
  }
  Result<Run*> resolve(const std::string& namespace_id, const RunName& name) {
    return cache.resolve(namespace_id, name);
  }
  void refuse(Call& call, Status status) { replies.send(call, std::move(status)); }
  NamespaceHandlers& part(std::type_identity<NamespaceHandlers>) { return namespace_handlers; }
  SearchAttributeHandlers& part(std::type_identity<SearchAttributeHandlers>) {
    return search_attribute_handlers;
  }
  StartHandlers& part(std::type_identity<StartHandlers>) { return start_handlers; }
  ExecutionHandlers& part(std::type_identity<ExecutionHandlers>) { return execution_handlers; }
  UpdateHandlers& part(std::type_identity<UpdateHandlers>) { return update_handlers; }
  QueryHandlers& part(std::type_identity<QueryHandlers>) { return query_handlers; }
  HistoryHandlers& part(std::type_identity<HistoryHandlers>) { return history_handlers; }
  VisibilityHandlers& part(std::type_identity<VisibilityHandlers>) { return visibility_handlers; }
  WorkflowTaskHandlers& part(std::type_identity<WorkflowTaskHandlers>) { return workflow_task_handlers; }
  ActivityHandlers& part(std::type_identity<ActivityHandlers>) { return activity_handlers; }
  TaskQueueHandlers& part(std::type_identity<TaskQueueHandlers>) { return task_queue_handlers; }
  Deletions& part(std::type_identity<Deletions>) { return deletions; }

  const CoreOptions options;
  const store::KvStore& store;
  stored::StoreMeta meta;
  CoreClock clock;
  NewIds ids;
  Replies replies;
  ParkedCalls parked{options.limits.parked_polls, options.limits.parked_waits};
  matching::TaskQueues queues;
  WakeTimes wakes;
  Outbox outbox;
  Rows rows{store};
  Namespaces namespaces{rows};
  RunCache cache{options.limits, rows, wakes};
  LargeRows large{rows, meta};
  Batches batches{options.feed, rows, cache, large};
  HistoryReader reader{store, options.limits};
  TaskTokens tokens{meta, namespaces, cache};
  TaskResponses responses{options.limits, namespaces, reader, tokens};
  HistoryWaiters history_waiters{options.limits, clock, parked, replies, reader};
  UpdateWaiters update_waiters{options.limits, clock, parked, replies, reader};
  TaskDispatch dispatch{options.limits, clock, ids,    queues,    parked,
                        replies,        cache, tokens, responses, history_waiters};
  Queries queries{options.limits, parked, replies, dispatch};
  Offers offers{cache, dispatch};
  Transitions transitions{options.limits,  clock,          cache,  dispatch, queries,
                          history_waiters, update_waiters, offers, outbox};
  OutboxDelivery delivery{options.limits, clock, ids, namespaces, cache, reader, outbox, transitions};
  Undelivered undelivered_answers{clock, tokens, dispatch, transitions};
  DueRuns due_runs{options.limits, clock, ids, wakes, cache, reader, dispatch, queries, transitions};
  Starter starter{options.limits, clock, ids, cache, wakes, queues, transitions};
  Recovery recovery{options.limits, clock, ids,     store, rows,   meta,
                    namespaces,     wakes, batches, cache, outbox, transitions};
  Duties duties{clock,  wakes,           due_runs,       parked, [this](Parked& call) { time_out(call); },
                cache,  history_waiters, update_waiters, outbox, delivery,
                offers, dispatch,        recovery,       batches};

  NamespaceHandlers namespace_handlers{options, meta, ids, namespaces, replies};
  SearchAttributeHandlers search_attribute_handlers{options.limits, namespaces, replies};
  StartHandlers start_handlers{options.limits, clock,       ids,     cache,  tokens,
                               responses,      transitions, starter, replies};
  ExecutionHandlers execution_handlers{options.limits, clock, transitions, replies};
  UpdateHandlers update_handlers{options.limits, ids, cache, starter, update_waiters, transitions, replies};
  QueryHandlers query_handlers{options.limits, clock, ids, parked, tokens, dispatch, queries, replies};
  HistoryHandlers history_handlers{cache, reader, history_waiters, replies};
  VisibilityHandlers visibility_handlers{options.feed, replies};
  WorkflowTaskHandlers workflow_task_handlers{options.limits, clock,    ids,     namespaces,  reader, tokens,
                                              responses,      dispatch, queries, transitions, replies};
  ActivityHandlers activity_handlers{options.limits, clock, cache, tokens, dispatch, transitions, replies};
  TaskQueueHandlers task_queue_handlers{clock, queues, parked, dispatch, offers, transitions, replies};
  Deletions deletions{clock, namespaces, rows, cache, batches, large, transitions, replies};

  CallId next_call = 1;
  Ns last_cleanup = 0;
};

// In a function of its own: what is wrong with a handler is said with its name.
constexpr auto EngineCore::Impl::method_table() {
  using M = api::Method;
  MethodTable<Impl> table;
  table.on<M::kGetSystemInfo, &NamespaceHandlers::get_system_info>();
  table.on<M::kGetClusterInfo, &NamespaceHandlers::get_cluster_info>();
  table.on<M::kRegisterNamespace, &NamespaceHandlers::add>();
  table.on<M::kDescribeNamespace, &NamespaceHandlers::describe>();
  table.on<M::kListNamespaces, &NamespaceHandlers::list>();
  table.on<M::kUpdateNamespace, &NamespaceHandlers::update>();
  table.on<M::kStartWorkflowExecution, &StartHandlers::start>();
  table.on<M::kExecuteMultiOperation, &UpdateHandlers::multi_operation>();
  table.on<M::kSignalWorkflowExecution, &ExecutionHandlers::signal, &ExecutionHandlers::check_signal>();
  table.on<M::kSignalWithStartWorkflowExecution, &StartHandlers::signal_with_start>();
  table.on<M::kRequestCancelWorkflowExecution, &ExecutionHandlers::request_cancel,
           &ExecutionHandlers::check_cancel>();
  table.on<M::kTerminateWorkflowExecution, &ExecutionHandlers::terminate,
           &ExecutionHandlers::check_terminate>();
  table.on<M::kDeleteWorkflowExecution, &Deletions::erase>();
  table.on<M::kQueryWorkflow, &QueryHandlers::query, &QueryHandlers::check>();
  table.on<M::kUpdateWorkflowExecution, &UpdateHandlers::update, &UpdateHandlers::check>();
  table.on<M::kPollWorkflowExecutionUpdate, &UpdateHandlers::poll, &UpdateHandlers::check_poll>();
  table.on<M::kGetWorkflowExecutionHistory, &HistoryHandlers::get>();
  table.on<M::kGetWorkflowExecutionHistoryReverse, &HistoryHandlers::get_reverse>();
  table.on<M::kDescribeWorkflowExecution, &ExecutionHandlers::describe>();
  table.on<M::kListWorkflowExecutions, &VisibilityHandlers::list>();
  table.on<M::kCountWorkflowExecutions, &VisibilityHandlers::count>();
  table.on<M::kScanWorkflowExecutions, &VisibilityHandlers::scan>();
  table.on<M::kListOpenWorkflowExecutions, &VisibilityHandlers::list_open>();
  table.on<M::kListClosedWorkflowExecutions, &VisibilityHandlers::list_closed>();
  table.on<M::kListArchivedWorkflowExecutions, &VisibilityHandlers::list_archived>();
  table.on<M::kPollWorkflowTaskQueue, &WorkflowTaskHandlers::poll, &WorkflowTaskHandlers::check_poll>();
  table.on<M::kRespondWorkflowTaskCompleted, &WorkflowTaskHandlers::completed>();
  table.on<M::kRespondWorkflowTaskFailed, &WorkflowTaskHandlers::failed>();
  table.on<M::kRespondQueryTaskCompleted, &QueryHandlers::completed>();
  table.on<M::kResetStickyTaskQueue, &TaskQueueHandlers::reset_sticky>();
  table.on<M::kShutdownWorker, &TaskQueueHandlers::shutdown_worker>();
  table.on<M::kDescribeTaskQueue, &TaskQueueHandlers::describe>();
  table.on<M::kPollActivityTaskQueue, &ActivityHandlers::poll, &ActivityHandlers::check_poll>();
  table.on<M::kPollNexusTaskQueue, &TaskQueueHandlers::poll_nexus, &TaskQueueHandlers::check_poll_nexus>();
  table.on<M::kRecordActivityTaskHeartbeat, &ActivityHandlers::heartbeat>();
  table.on<M::kRecordActivityTaskHeartbeatById, &ActivityHandlers::heartbeat_by_id,
           &ActivityHandlers::check_id<api::RequestOf<M::kRecordActivityTaskHeartbeatById>>>();
  table.on<M::kRespondActivityTaskCompleted, &ActivityHandlers::completed>();
  table.on<M::kRespondActivityTaskCompletedById, &ActivityHandlers::completed_by_id,
           &ActivityHandlers::check_id<api::RequestOf<M::kRespondActivityTaskCompletedById>>>();
  table.on<M::kRespondActivityTaskFailed, &ActivityHandlers::failed>();
  table.on<M::kRespondActivityTaskFailedById, &ActivityHandlers::failed_by_id,
           &ActivityHandlers::check_id<api::RequestOf<M::kRespondActivityTaskFailedById>>>();
  table.on<M::kRespondActivityTaskCanceled, &ActivityHandlers::canceled>();
  table.on<M::kRespondActivityTaskCanceledById, &ActivityHandlers::canceled_by_id,
           &ActivityHandlers::check_id<api::RequestOf<M::kRespondActivityTaskCanceledById>>>();
  table.on<M::kGetSearchAttributes, &SearchAttributeHandlers::keys>();
  table.on<M::kAddSearchAttributes, &SearchAttributeHandlers::add>();
  table.on<M::kListSearchAttributes, &SearchAttributeHandlers::list>();
  table.on<M::kRemoveSearchAttributes, &SearchAttributeHandlers::remove>();
  return table;
}

CallId EngineCore::Impl::submit(Call call) {
  static constexpr MethodTable<Impl> kMethods = method_table();
#define HOLDFAST_METHOD(name) static_assert(kMethods.has(api::Method::k##name), #name " has no handler");
  HOLDFAST_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD
  clock.advance();
  const CallId id = next_call++;
  call.id = id;
  if (call.large) large.expect();
  HF_CHECK(call.request != nullptr);
  kMethods.call(*this, call);
  duties.after_call();
  return id;
}

// Whom a call waited for hears that it is gone.
void EngineCore::Impl::leave(CallId id, const Parked& call) {
  if (call.poll()) {
    queues.remove_poll(id);
  } else if (Run* run = cache.find(call.run)) {
    run->history_waiters.erase({call.history.awaited_event_id(), id});
    run->update_waiters.erase(id);
    if (call.kind == Parked::Kind::kQuery) {
      dispatch.query_ended(call.run, call.query_id);
      run->queries.erase(call.query_id);
    }
  }
}

void EngineCore::Impl::cancel(CallId id) {
  clock.advance();
  auto call = parked.take(id);
  if (!call) return;
  leave(id, *call);
  replies.send(call->call, Status(Code::kCancelled, "The caller gave up."));
}

void EngineCore::Impl::undelivered(api::Method method, const api::Message& answer) {
  clock.advance();
  undelivered_answers.take_back(method, answer);
  duties.after_call();
}

void EngineCore::Impl::close() {
  while (auto call = parked.take_any()) {
    leave(call->call.id, *call);
    replies.send(call->call, Status(Code::kUnavailable, "The server is shutting down; try again."));
  }
}

Ns EngineCore::Impl::next_deadline() const {
  if (duties.batch_is_full() && has_output()) return 0;
  if (duties.owes()) return clock.now();
  Ns first = 0;
  for (const Ns next : {wakes.next(), parked.next_deadline(), dispatch.next_due()}) {
    if (next != 0 && (first == 0 || next < first)) first = next;
  }
  return first;
}

void EngineCore::Impl::tick() {
  clock.advance();
  if (!has_output()) duties.batch_taken();
  duties.slice();
  if (clock.now() - last_cleanup > history::kMinute) {
    last_cleanup = clock.now();
    queues.forget_idle(clock.now() - 5 * history::kMinute);
  }
}

void EngineCore::Impl::time_out(Parked& call) {
  leave(call.call.id, call);
  using Kind = Parked::Kind;
  switch (call.kind) {
    case Kind::kWorkflowPoll:
    case Kind::kActivityPoll:
    case Kind::kNexusPoll: return dispatch.empty_poll(call);
    case Kind::kQuery: return queries.timed_out(call);
    case Kind::kHistory: return history_waiters.timed_out(call);
    case Kind::kUpdate:
      if (Run* run = cache.find(call.run)) return update_waiters.timed_out(call, *run);
      return replies.send(call.call, errors::already_completed());
  }
}

bool EngineCore::Impl::has_output() const {
  return !batches.empty() || !replies.empty() || !visibility_handlers.empty() || deletions.pending();
}

bool EngineCore::Impl::output_is_awaited() const {
  // What is due waits for a batch with room.
  return replies.awaited() || !visibility_handlers.empty() || deletions.pending() || duties.batch_is_full();
}

Output EngineCore::Impl::take_output() {
  Output output;
  duties.batch_taken();
  batches.take(output);
  output.releases = replies.take();
  output.visibility_calls = visibility_handlers.take();
  deletions.take(output);
  dispatch.batch_taken();
  return output;
}

void EngineCore::Impl::committed(std::uint64_t sequence) {
  rows.committed(sequence);
  cache.committed(sequence);
}

EngineCore::EngineCore(CoreOptions options, const Clock& clock, Random& random, const store::KvStore& store)
    : impl_(std::make_unique<Impl>(std::move(options), clock, random, store)) {}
EngineCore::~EngineCore() = default;
Status EngineCore::open(std::uint64_t feed_applied,
                        const std::function<Result<UsedSearchAttributes>()>& used) {
  impl_->clock.advance();
  return impl_->recovery.open(feed_applied, used);
}
CallId EngineCore::submit(Call call) {
  return impl_->submit(std::move(call));
}
void EngineCore::cancel(CallId id) {
  impl_->cancel(id);
}
void EngineCore::undelivered(api::Method method, const api::Message& answer) {
  impl_->undelivered(method, answer);
}
void EngineCore::tick() {
  impl_->tick();
}
const Status& EngineCore::broken() const {
  return impl_->recovery.broken();
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
  return impl_->replies.take_early();
}
std::size_t EngineCore::early_tasks_out() const {
  return impl_->dispatch.early_tasks_out();
}
bool EngineCore::output_is_awaited() const {
  return impl_->output_is_awaited();
}
void EngineCore::sweep(SweepSlice slice) {
  impl_->clock.advance();
  impl_->deletions.sweep(std::move(slice));
}
void EngineCore::close() {
  impl_->close();
}
void EngineCore::visibility_applied(std::uint64_t sequence) {
  impl_->batches.visibility_applied(sequence);
}
std::int64_t EngineCore::epoch() const {
  return impl_->meta.epoch();
}
bool EngineCore::has_large_payloads() const {
  return impl_->large.expected();
}
std::string EngineCore::slot_key() const {
  return LargeRows::key_of(impl_->meta);
}
std::size_t EngineCore::cached_executions() const {
  return impl_->cache.size();
}
void EngineCore::age() {
  impl_->cache.age();
}
bool EngineCore::let_idle_go() {
  constexpr std::size_t kSlice = 64;  // about a millisecond
  return impl_->cache.let_idle_go(kSlice);
}

}  // namespace holdfast::engine
