#pragma once

// The inside of EngineCore, shared by the files that implement it:
//   core.cc            calls in, outputs out, time
//   core_open.cc       opening and recovery
//   core_store.cc      cache of executions, pages, batches, wake index
//   core_dispatch.cc   tasks meet polls
//   core_start.cc, core_workflow_task.cc, core_activity.cc, core_execution.cc, core_query.cc, core_update.cc,
//   core_history.cc, core_namespace.cc    the methods
//   core_outbox.cc     what crosses executions

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "engine/core.h"
#include "engine/errors.h"
#include "engine/run.h"
#include "history/commands.h"
#include "history/lifecycle.h"
#include "matching/task_queues.h"

namespace holdfast::engine {

// From where on a history is read, and how.
struct HistoryRead {
  std::int64_t next_event_id = 1;
  std::int64_t page_events = 0;
  bool close_only = false;
  bool wait = false;    // for news, if there is none
  bool waited = false;  // an earlier page of this read did
};

// A poll, and who it is that polls.
struct Poller {
  Call call;
  std::string identity;
  std::string worker_instance_key;
};

// A call that waits.
struct Parked {
  enum class Kind : std::uint8_t { kWorkflowPoll, kActivityPoll, kHistory, kUpdate, kQuery } kind{};
  Call call;
  Ns deadline_ns = 0;
  RunKey run;                       // not for polls
  std::string identity;             // polls
  std::string worker_instance_key;  // polls
  HistoryRead history;
  std::string update_id;
  enums::UpdateWorkflowExecutionLifecycleStage stage{};
  std::string query_id;
};

// A message from one execution to another; dedup at the receiver, acknowledged to the sender.
struct Internal {
  std::function<void()> run;
};

class EngineCore::Impl {
 public:
  Impl(CoreOptions options, const Clock& clock, Random& random, const store::KvStore& store);

  // --- core.cc
  CallId submit(Call call);
  void cancel(CallId id);
  void tick();
  Ns next_deadline() const;
  bool has_output() const;
  Output take_output();
  void committed(std::uint64_t sequence);
  void close();
  void visibility_applied(std::uint64_t sequence);
  void set_now();
  void reply(Call& call, api::MessagePtr response);
  void reply(Call& call, Status status);
  void reply_result(Call& call, Result<api::MessagePtr> result);
  void unpark(CallId id, std::function<void(Parked&)> with);
  CallId park(Parked parked);
  Ns call_deadline(const Call& call, Ns fallback) const;
  void settle();  // internal messages until there are none

  // --- core_open.cc
  Status open(std::uint64_t feed_applied);
  Status load_meta();
  Status load_namespaces();
  void recover(const RunKey& key);

  // --- core_store.cc
  Run* find(const RunKey& key);  // cache, then store; null: no such run
  Result<Run*> resolve(const std::string& namespace_id, const RunName& name);
  std::optional<stored::CurrentRun> current(const std::string& namespace_id, const std::string& workflow_id);
  void set_current(const std::string& namespace_id, const std::string& workflow_id, stored::CurrentRun row);
  Run& create(std::unique_ptr<MutableState> ms, bool make_current);
  void touch(Run& run);   // goes into the next batch; re-arms its deadline
  void finish(Run& run);  // ends a transition: effects, waiters
  void evict();
  void flush(Run& run, std::map<std::string, std::optional<std::string>>& changes, Output& output);
  void arm(const RunKey& key, Ns at);
  // Events [from, to) up to the limits; returns the id behind the last one.
  std::int64_t read_events(Run& run, std::int64_t from, std::int64_t to, std::int64_t max_events,
                           History* out);
  std::int64_t read_events_before(Run& run, std::int64_t end, std::int64_t max_events, History* newest_first);
  std::optional<Event> read_event(Run& run, std::int64_t id);
  const Event* find_cached_event(Run& run, std::int64_t id);
  void visit_event(Run& run, std::int64_t id, const std::function<void(const Event&)>& with);
  std::optional<std::string> get(const std::string& key);
  void put(std::string key, std::string value) { changes_[std::move(key)] = std::move(value); }
  void erase(std::string key) { changes_[std::move(key)] = std::nullopt; }

  // --- core_dispatch.cc
  void dispatch_workflow_task(Run& run);
  void dispatch_activity(Run& run, std::int64_t scheduled_event_id);
  void dispatch_query(Run& run, const std::string& query_id);
  void add_task(const matching::QueueKey& queue, matching::Task task);
  void poll(Poller poller, const stored::NamespaceRecord& record, const std::string& queue,
            matching::QueueType type);
  bool deliver(const matching::Task& task, const matching::QueueKey& queue, Poller& poller);
  bool deliver_workflow_task(Run& run, Poller& poller);
  bool deliver_query(Run& run, const std::string& query_id, const matching::QueueKey& queue, Call& call);
  bool deliver_activity(Run& run, const matching::Task& task, Poller& poller);
  std::unique_ptr<ws::PollWorkflowTaskQueueResponse> workflow_task_response(Run& run, bool sticky);
  std::unique_ptr<ws::PollActivityTaskQueueResponse> activity_response(Run& run,
                                                                       const stored::ActivityInfo& info);
  void add_history(Run& run, std::int64_t from, ws::PollWorkflowTaskQueueResponse* response);
  void empty_poll(Parked& parked);
  void task_came_back(Run& run);
  void leave_queue(const matching::QueueKey& sticky);

  // --- deadlines (core.cc)
  void fire(const RunKey& key);
  bool fire_one(Run& run, const history::Deadline& deadline);
  void workflow_task_deadline(Run& run);

  // --- what the method table asks of its host
  static constexpr auto method_table();
  const stored::NamespaceRecord* find_namespace(const std::string& name) const {
    return namespace_by_name(name);
  }
  void refuse(Call& call, Status status) { reply(call, std::move(status)); }
  Impl& part(std::type_identity<Impl>) { return *this; }

  // --- methods
  void get_system_info(Call& call, ws::GetSystemInfoRequest&);
  void get_cluster_info(Call& call, ws::GetClusterInfoRequest&);
  void register_namespace(Call& call, const ws::RegisterNamespaceRequest& request);
  void describe_namespace(Call& call, const ws::DescribeNamespaceRequest& request);
  void list_namespaces(Call& call, const ws::ListNamespacesRequest& request);
  void start_workflow(Call& call, ws::StartWorkflowExecutionRequest& request,
                      const stored::NamespaceRecord& record);
  void signal_with_start(Call& call, ws::SignalWithStartWorkflowExecutionRequest& request,
                         const stored::NamespaceRecord& record);
  void signal(Call& call, const ws::SignalWorkflowExecutionRequest& request, const stored::NamespaceRecord&,
              Run& run);
  void request_cancel(Call& call, const ws::RequestCancelWorkflowExecutionRequest& request,
                      const stored::NamespaceRecord&, Run& run);
  void terminate(Call& call, ws::TerminateWorkflowExecutionRequest& request, const stored::NamespaceRecord&,
                 Run& run);
  void describe(Call& call, const ws::DescribeWorkflowExecutionRequest&, const stored::NamespaceRecord&,
                Run& run);
  void list(Call& call, const ws::ListWorkflowExecutionsRequest&, const stored::NamespaceRecord& record);
  void count(Call& call, const ws::CountWorkflowExecutionsRequest&, const stored::NamespaceRecord& record);
  void query(Call& call, const ws::QueryWorkflowRequest& request, const stored::NamespaceRecord&, Run& run);
  void query_completed(Call& call, ws::RespondQueryTaskCompletedRequest& request);
  void update(Call& call, ws::UpdateWorkflowExecutionRequest& request, const stored::NamespaceRecord&,
              Run& run);
  void poll_update(Call& call, const ws::PollWorkflowExecutionUpdateRequest& request,
                   const stored::NamespaceRecord&, Run& run);
  void multi_operation(Call& call, ws::ExecuteMultiOperationRequest& request,
                       const stored::NamespaceRecord& record);
  void get_history(Call& call, const ws::GetWorkflowExecutionHistoryRequest& request,
                   const stored::NamespaceRecord& record);
  void get_history_reverse(Call& call, const ws::GetWorkflowExecutionHistoryReverseRequest& request,
                           const stored::NamespaceRecord& record);
  void poll_workflow_task(Call& call, const ws::PollWorkflowTaskQueueRequest& request,
                          const stored::NamespaceRecord& record);
  void workflow_task_completed(Call& call, ws::RespondWorkflowTaskCompletedRequest& request);
  void workflow_task_failed(Call& call, const ws::RespondWorkflowTaskFailedRequest& request);
  void reset_sticky(Call& call, const ws::ResetStickyTaskQueueRequest&, const stored::NamespaceRecord&,
                    Run& run);
  void shutdown_worker(Call& call, const ws::ShutdownWorkerRequest& request,
                       const stored::NamespaceRecord& record);
  void describe_task_queue(Call& call, const ws::DescribeTaskQueueRequest& request,
                           const stored::NamespaceRecord& record);
  void poll_activity(Call& call, const ws::PollActivityTaskQueueRequest& request,
                     const stored::NamespaceRecord& record);
  void heartbeat(Call& call, ws::RecordActivityTaskHeartbeatRequest& request);
  void heartbeat_by_id(Call& call, ws::RecordActivityTaskHeartbeatByIdRequest& request,
                       const stored::NamespaceRecord&, Run& run);
  void activity_completed(Call& call, ws::RespondActivityTaskCompletedRequest& request);
  void activity_completed_by_id(Call& call, ws::RespondActivityTaskCompletedByIdRequest& request,
                                const stored::NamespaceRecord&, Run& run);
  void activity_failed(Call& call, ws::RespondActivityTaskFailedRequest& request);
  void activity_failed_by_id(Call& call, ws::RespondActivityTaskFailedByIdRequest& request,
                             const stored::NamespaceRecord&, Run& run);
  void activity_canceled(Call& call, ws::RespondActivityTaskCanceledRequest& request);
  void activity_canceled_by_id(Call& call, ws::RespondActivityTaskCanceledByIdRequest& request,
                               const stored::NamespaceRecord&, Run& run);

  // --- helpers of the methods
  const stored::NamespaceRecord* namespace_by_name(const std::string& name) const;
  const stored::NamespaceRecord* namespace_by_id(const std::string& id) const;
  void fill_namespace(const stored::NamespaceRecord& record, ws::DescribeNamespaceResponse* response) const;
  std::string new_id() { return new_uuid_v7(random_, now_ / history::kMillisecond); }

  struct StartOutcome {
    Run* run = nullptr;
    std::string run_id;
    std::string first_run_id;
    bool started = false;
    bool deduplicated = false;
    enums::WorkflowExecutionStatus status = enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
  };
  Result<std::optional<StartOutcome>> meet_existing(const stored::NamespaceRecord& record,
                                                    const ws::StartWorkflowExecutionRequest& request,
                                                    const stored::CurrentRun& row);
  history::lifecycle::StartInput start_input(const stored::NamespaceRecord& record,
                                             ws::StartWorkflowExecutionRequest* request);
  // With an eager request the first workflow task stays for the caller to hand out.
  Result<StartOutcome> start_execution(const stored::NamespaceRecord& record,
                                       ws::StartWorkflowExecutionRequest* request,
                                       const std::function<void(MutableState&)>& before_task = {});
  static pb::history::v1::WorkflowExecutionSignaledEventAttributes signal_attributes(
      const ws::SignalWorkflowExecutionRequest& request);
  Status check_start(const ws::StartWorkflowExecutionRequest& request) const;
  void terminate_run(Run& run, const std::string& reason, pb::common::v1::Payloads* details,
                     const std::string& identity);
  Status check_signal(const ws::SignalWorkflowExecutionRequest& request) const;
  Status check_signal_count(const Run& run) const;
  void signal_run(Run& run, const ws::SignalWorkflowExecutionRequest& request);
  std::function<const Event*()> first_event_of(Run& run, std::shared_ptr<Event> holder);

  std::string task_token(const Run& run) const;
  Result<Run*> run_of_token(const std::string& bytes, stored::TaskToken* token, Status missing);
  Result<Run*> run_of_workflow_task(const std::string& token);  // whose started task the token names
  // An activity of a request.
  struct Activity {
    Run& run;
    const stored::ActivityInfo& info;
  };
  Result<Activity> activity_of_token(const std::string& bytes);
  static Result<Activity> activity_of_id(Run& run, const std::string& activity_id);
  static Result<Activity> started(Result<Activity> activity);
  template <typename Request>
  Status check_activity_id(const Request& request) {
    return request.activity_id().empty() ? errors::invalid("ActivityID is not set on request.") : Status();
  }
  template <typename Response, typename Request>
  void record_heartbeat(Call& call, Request& request, Result<Activity> found);
  template <typename Response, typename Request>
  void complete(Call& call, Request& request, Result<Activity> found);
  template <typename Response, typename Request>
  void fail_attempt(Call& call, Request& request, Result<Activity> found);
  template <typename Response, typename Request>
  void cancel_attempt(Call& call, Request& request, Result<Activity> found);

  void fail_workflow_task(Run& run, enums::WorkflowTaskFailedCause cause, const std::string& message,
                          const pb::failure::v1::Failure* failure, const std::string& identity);
  void end_heartbeats(Run& run, Call& call);
  void discard_workflow_task(Run& run, Call& call, ws::RespondWorkflowTaskCompletedRequest& request);
  void refuse_commands(Run& run, Call& call, const std::string& identity, const history::CommandError& wrong,
                       std::int32_t attempt);
  static void take_sticky(MutableState& ms, const ws::RespondWorkflowTaskCompletedRequest& request);
  void complete_workflow_task(MutableState& ms, const ws::RespondWorkflowTaskCompletedRequest& request,
                              history::CommandContext& context);
  bool schedule_next(Run& run, const Call& call, const ws::RespondWorkflowTaskCompletedRequest& request,
                     bool had_buffered, bool heartbeat, Ns original_scheduled);
  void start_eager(Run& run, const Call& call, const std::string& identity,
                   const std::vector<std::int64_t>& eager,
                   ws::RespondWorkflowTaskCompletedResponse* response);
  void answer_queries(Run& run, ws::RespondWorkflowTaskCompletedRequest* request);
  void dispatch_buffered_queries(Run& run);
  void answer_history_waiters(Run& run);
  void answer_update_waiters(Run& run);
  void answer_history(Call& call, Run& run, const HistoryRead& read);
  std::int64_t page_events(std::int32_t wanted) const;  // of one answer, which may be asked to have fewer
  void visibility(Call& call, const stored::NamespaceRecord& record);
  Status check_query(const ws::QueryWorkflowRequest& request) const;
  Status check_poll_update(const ws::PollWorkflowExecutionUpdateRequest& request) const;
  bool answer_update(Parked& parked, Run& run, bool deadline);
  Status check_update(ws::UpdateWorkflowExecutionRequest& request);
  Status admit_update(Run& run, const ws::UpdateWorkflowExecutionRequest& request);
  void wait_for_update(Call& call, Run& run, const std::string& update_id,
                       enums::UpdateWorkflowExecutionLifecycleStage stage);
  void end_query(Run& run, const std::string& query_id, Result<api::MessagePtr> result);
  void queries_at_end_of_task(Run& run);
  void check_buffered(Run& run);
  void check_history_limits(Run& run);

  // --- core_outbox.cc
  void send_outbox(Run& run);
  void send_child_start(const RunKey& from, std::int64_t initiated_event_id);
  std::string start_child(const stored::NamespaceRecord& record, Run& parent, const stored::ChildInfo& info,
                          const pb::history::v1::StartChildWorkflowExecutionInitiatedEventAttributes& from,
                          const pb::sdk::v1::UserMetadata* metadata);
  void send_external_signal(const RunKey& from, std::int64_t initiated_event_id);
  void send_external_cancel(const RunKey& from, std::int64_t initiated_event_id);
  void send_close_to_parent(const RunKey& from);
  void send_parent_close(const RunKey& from, stored::ChildInfo child);

  CoreOptions options_;
  const Clock& clock_;
  Random& random_;
  const store::KvStore& store_;
  stored::StoreMeta meta_;
  Ns now_ = 0;

  std::map<std::string, stored::NamespaceRecord> namespaces_;  // by name
  std::map<std::string, std::string> namespace_names_;         // id -> name

  std::map<RunKey, std::unique_ptr<Run>> runs_;
  std::list<Run*> lru_;  // most recent first
  std::size_t cached_page_bytes_ = 0;
  std::map<std::pair<std::string, std::string>, stored::CurrentRun> currents_;  // of cached runs
  std::vector<Run*> dirty_;

  std::set<std::pair<Ns, RunKey>> wakes_;
  std::map<RunKey, Ns> armed_;

  matching::TaskQueues matching_;
  std::unordered_map<CallId, Parked> parked_;
  std::set<std::pair<Ns, CallId>> parked_deadlines_;
  CallId next_call_ = 1;

  std::deque<Internal> internal_;
  std::map<std::string, std::optional<std::string>> changes_;  // rows that belong to no cached run
  std::deque<std::pair<std::uint64_t, std::map<std::string, std::optional<std::string>>>> in_flight_;
  std::vector<Release> releases_;
  std::vector<Release> early_;
  std::vector<Output::VisibilityCall> visibility_calls_;
  std::size_t early_out_ = 0;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t committed_ = 0;
  std::uint64_t next_feed_ = 1;
  std::uint64_t feed_erased_ = 0;
  Ns last_cleanup_ = 0;
};

}  // namespace holdfast::engine
