#pragma once

// WorkflowRun: one run of a workflow as its worker holds it: history goes in, commands come out.
// Deterministic and without I/O; the worker, the replayer and the tests drive it alike. Used on one thread,
// but for what DeadlockWatch does.
//
// A run that reported a failure, or whose answer the engine refused, is in an unknown state: throw it away
// and replay.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/messages.h"
#include "holdfast/task.h"
#include "holdfast/worker.h"
#include "holdfast/workflow.h"
#include "worker/history_chunks.h"
#include "worker/machine.h"
#include "worker/update_machine.h"

namespace holdfast::worker {

using ProtocolMessages = google::protobuf::RepeatedPtrField<ProtocolMessage>;

// Ends code that was interrupted. Code that swallows it meets it again at its next step.
class DeadlockError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
inline constexpr const char* kPotentialDeadlock = "PotentialDeadlock";

class TaskFailure {
 public:
  TaskFailure() = default;
  enums::WorkflowTaskFailedCause cause = enums::WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED;
  pb::failure::v1::Failure failure;
};

// What a workflow task answers.
class TaskResult {
 public:
  TaskResult() = default;
  std::optional<TaskFailure> failure;  // then the rest is empty
  std::vector<Command> commands;
  std::vector<ProtocolMessage> messages;
};

class WorkflowRun : private Outbox {
 public:
  WorkflowRun(const Registry& registry, std::string namespace_name, std::string workflow_id,
              std::string run_id, LogSink log);
  ~WorkflowRun() override;

  // Applies the events beyond last_event_id(), and the messages at their end, running the workflow's code
  // wherever history shows that it ran; what it did last is the answer.
  TaskResult apply(const Events& events, const ProtocolMessages& messages);
  // Answered from where the run stands. `expected`: announced by expect_query().
  pb::query::v1::WorkflowQueryResult query(const pb::query::v1::WorkflowQuery& query,
                                           const std::string& expected = {});
  // Before apply(): this query will be asked afterwards. Its handler may refer to variables of workflow code
  // that end with the workflow, so it is heard whenever that might be the last chance.
  void expect_query(const std::string& key, const pb::query::v1::WorkflowQuery& query);

  std::int64_t last_event_id() const { return last_event_id_; }
  // After an answer that left no trace in history: forgets the workflow task that led to it.
  void forget_last_task();
  // A closing command was given.
  bool closed() const { return closed_; }
  // Commands went out whose events were not seen yet: the next event must be their WorkflowTaskCompleted.
  bool awaits_completion() const { return awaits_completion_; }
  // From any thread: how often code was given its turn; and no more of it: where it uses its Context or
  // awaits something it gets a DeadlockError.
  std::uint64_t activations() const { return activations_.load(std::memory_order_relaxed); }
  void interrupt() { interrupted_.store(true, std::memory_order_relaxed); }
  const std::string& workflow_id() const { return info_.workflow_id; }
  const std::string& run_id() const { return info_.run_id; }

  // ---- for Context
  const workflow::Info& info() const { return info_; }
  holdfast::detail::Scheduler& scheduler() { return scheduler_; }
  WallTime now() const {
    check_not_interrupted();
    return now_;
  }
  bool replaying() const { return replaying_; }
  bool read_only() const { return read_only_; }
  std::uint64_t random() {
    check_not_interrupted();
    return random_();
  }
  std::string uuid();
  void log(workflow::LogLevel level, std::string_view message) const;
  bool cancel_requested() const { return cancel_requested_; }
  const std::string& cancel_reason() const { return cancel_reason_; }
  const workflow::UpdateInfo& current_update() const;
  bool handlers_idle() const { return running_handlers_ == 0; }
  void check_not_interrupted() const;
  // Throws std::logic_error inside of validators and query handlers.
  void check_may_act(std::string_view what) const;
  Outbox& outbox() { return *this; }
  std::string next_activity_id() { return std::to_string(++activities_); }
  std::string next_timer_id() { return std::to_string(++timers_); }
  bool patched(const std::string& id, bool deprecated);
  Payload side_effect(const std::function<Payload()>& compute);
  void upsert(enums::EventType kind, std::map<std::string, Payload> values);

  using SignalArguments = std::vector<Payload>;
  // Of a name that code receives itself.
  std::deque<SignalArguments>& signal_queue(const std::string& name) {
    signal_channels_.insert(name);
    return signals_[name];
  }
  void set_signal_handler(const std::string& name, workflow::SignalHandler handler);
  void set_dynamic_signal_handler(std::function<Task<void>(std::string, std::vector<Payload>)> handler);
  void set_query_handler(const std::string& name, workflow::QueryHandler handler);
  void set_dynamic_query_handler(std::function<Payload(std::string, std::vector<Payload>)> handler);
  void set_update_handler(const std::string& name, workflow::UpdateHandler handler,
                          workflow::UpdateValidator validator);

 private:
  struct UpdateEntry {
    workflow::UpdateHandler handler;
    workflow::UpdateValidator validator;
  };

  CommandQueue& commands() override { return commands_; }
  void route(std::int64_t event_id, MachinePtr machine) override { routes_[event_id] = std::move(machine); }

  // events (workflow_run.cc)
  void apply_chunk(const Chunk& chunk, const Chunk* next, const ProtocolMessages& messages);
  void look_ahead(const Chunk& next);
  void apply_event(const HistoryEvent& event);
  bool skip_deprecated_patch(const HistoryEvent& event);
  void check_all_recorded(const HistoryEvent* before);
  void apply_reference(const HistoryEvent& event);
  std::string known_names(const char* what, const std::vector<std::string>& names) const;
  void begin(const HistoryEvent& event);
  void read_messages(const ProtocolMessages& messages);
  TaskResult answer();

  // code (activation.cc)
  void activate(const HistoryEvent& started);
  void start_code();
  void deliver_signal(const std::string& name, SignalArguments arguments);
  void deliver_update(UpdateRequest request);
  bool reject_if_invalid(UpdateMachine& machine, const UpdateEntry* entry,
                         const std::vector<Payload>& arguments);
  Task<void> run_update(std::shared_ptr<UpdateMachine> machine, Task<Payload> handler,
                        holdfast::detail::ScopePtr scope);
  Task<void> run_signal_handler(std::string name, Task<void> handler);
  pb::query::v1::WorkflowQueryResult run_query(const pb::query::v1::WorkflowQuery& query);
  Payload metadata() const;  // run_metadata.cc
  void returning(holdfast::detail::PromiseBase& promise);
  void hear_expected(const holdfast::detail::PromiseBase* owner);
  void finish_if_done();
  void close_with(const std::function<Payload()>& outcome);
  void close(enums::EventType kind, Command command);
  void continue_as_new(const workflow::ContinueAsNewRequest& request);

  const Registry& registry_;
  workflow::Info info_;
  LogSink log_;
  workflow::Context context_;
  std::vector<Payload> arguments_;

  CommandQueue commands_;
  std::unordered_map<std::int64_t, MachinePtr> routes_;
  std::int64_t last_event_id_ = 0;
  bool awaits_completion_ = false;
  std::int64_t last_scheduled_event_id_ = 0;  // of the last workflow task that ran code
  // Of the chunk being applied.
  bool saw_completion_ = false;
  bool keep_events_ = false;  // no activation follows: what is kept of its events is copied
  bool skip_version_upsert_ = false;

  // Collected by events, consumed by the next activation.
  struct Signal {
    std::string name;
    SignalArguments arguments;
  };
  std::vector<Signal> new_signals_;
  std::vector<UpdateRequest> new_updates_;
  std::vector<std::function<void()>> resolutions_;
  std::vector<ProtocolMessage> rejections_;

  WallTime now_{};
  bool replaying_ = false;
  bool read_only_ = false;
  bool started_code_ = false;
  bool main_returned_ = false;
  bool closed_ = false;
  bool cancel_requested_ = false;
  std::string cancel_reason_;
  std::atomic<std::uint64_t> activations_ = 0;
  std::atomic<bool> interrupted_ = false;
  std::mt19937_64 random_;
  std::uint64_t activities_ = 0;
  std::uint64_t timers_ = 0;
  std::uint64_t side_effects_ = 0;

  std::set<std::string> recorded_patches_;     // in history, or about to be
  std::map<std::string, bool> patch_answers_;  // what patched() said first
  std::map<std::string, Payload> recorded_effects_;

  std::map<std::string, std::deque<SignalArguments>> signals_;
  std::map<std::string, workflow::SignalHandler> signal_handlers_;
  std::set<std::string> signal_channels_;  // that were asked for
  std::function<Task<void>(std::string, std::vector<Payload>)> dynamic_signal_handler_;
  struct QueryEntry {
    workflow::QueryHandler handler;
    const holdfast::detail::PromiseBase* owner = nullptr;  // the coroutine that registered it
  };
  struct ExpectedQuery {
    pb::query::v1::WorkflowQuery query;
    std::optional<pb::query::v1::WorkflowQueryResult> last;
  };
  std::map<std::string, QueryEntry> query_handlers_;
  std::map<std::string, ExpectedQuery> expected_queries_;
  std::function<Payload(std::string, std::vector<Payload>)> dynamic_query_handler_;
  std::map<std::string, UpdateEntry> update_handlers_;
  workflow::UpdateInfo validated_update_;
  std::map<const holdfast::detail::ScopeState*, workflow::UpdateInfo> running_updates_;  // by their scopes
  std::size_t running_handlers_ = 0;

  Future<Payload> main_;
  std::exception_ptr broken_;  // thrown by code beside the main coroutine: a bug, or the workflow's failure
  // Last: its coroutines refer to everything above.
  holdfast::detail::Scheduler scheduler_;
};

}  // namespace holdfast::worker
