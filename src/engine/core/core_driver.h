#pragma once

// Drives an EngineCore in tests, one thread, a clock that stands still until told, a real RocksDB underneath.
// Every call is submitted and, unless said otherwise, its batch committed and its answers released.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/enum_name.h"
#include "api/messages.h"
#include "engine/core.h"
#include "engine/new_identity.h"
#include "engine/stored_law.h"
#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "history/stored.h"
#include "store/keys.h"
#include "store/rocks_store.h"

namespace holdfast::engine::testing {

using fixture::CountingRandom;
using fixture::ManualClock;

// An answer that is there, or is not yet.
struct Pending {
  std::optional<Result<api::MessagePtr>> result;
  CallId id = 0;
  bool done() const { return result.has_value(); }
};

class Driver {
 public:
  explicit Driver(CoreOptions core_options = {}) : options(std::move(core_options)) {
    open_store();
    start_core();
  }
  ~Driver() {
    core.reset();
    store_.reset();
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // The process dies: what was not committed is gone.
  void crash() {
    core.reset();
    start_core();
  }

  // A new process finds the store as builds left it that did not sign tokens.
  void crash_before_tokens_were_signed() {
    history::stored::StoreMeta meta;
    ASSERT_TRUE(meta.ParseFromString(**store_->get(store::keys::store_meta())));
    meta.clear_token_key();
    meta.clear_token_key_ns();
    store::WriteBatch batch;
    batch.put(store::keys::store_meta(), history::serialize(meta));
    core.reset();
    ASSERT_TRUE(store_->commit(batch).ok());
    clock.ns += history::kSecond;
    start_core();
  }

  // A new process finds the store as a restore leaves it.
  void become_a_copy() {
    core.reset();
    ASSERT_TRUE(give_new_identity(*store_, clock, random).ok());
    start_core();
  }

  // Something else stands where the store had a row; a new process reads it.
  void damage(const std::string& key, std::string bytes) {
    store::WriteBatch batch;
    batch.put(key, std::move(bytes));
    core.reset();
    ASSERT_TRUE(store_->commit(batch).ok());
    start_core();
  }

  template <typename Request>
  std::shared_ptr<Pending> send(api::Method method, Request request, bool inside = false) {
    auto pending = std::make_shared<Pending>();
    Call call;
    call.method = method;
    call.request = std::make_unique<Request>(std::move(request));
    call.options.in_process_workflow_worker = inside;
    call.done = [pending](Result<api::MessagePtr> result) { pending->result = std::move(result); };
    pending->id = core->submit(std::move(call));
    after_work();
    return pending;
  }

  // Sends, and demands an answer.
  template <typename Response, typename Request>
  Response call(api::Method method, Request request, bool inside = false) {
    auto pending = send(method, std::move(request), inside);
    if (!pending->done()) {
      ADD_FAILURE() << api::method_name(method) << " was parked";
      return Response();
    }
    if (!*pending->result) {
      ADD_FAILURE() << api::method_name(method) << ": " << pending->result->error().to_string();
      return Response();
    }
    return std::move(static_cast<Response&>(***pending->result));
  }

  template <typename Request>
  Status error(api::Method method, Request request) {
    auto pending = send(method, std::move(request));
    if (!pending->done() || *pending->result) {
      ADD_FAILURE() << api::method_name(method) << " did not fail";
      return Status();
    }
    return pending->result->error();
  }

  template <typename Response>
  static Response take(const std::shared_ptr<Pending>& pending) {
    if (!pending->done() || !*pending->result) {
      ADD_FAILURE() << "no answer"
                    << (pending->done() ? ": " + pending->result->error().to_string() : std::string());
      return Response();
    }
    return std::move(static_cast<Response&>(***pending->result));
  }

  store::RocksStore& store() { return *store_; }

  void commit() {
    while (core->has_output()) {
      Output output = core->take_output();
      if (!output.batch.empty()) {
        ASSERT_TRUE(store_->commit(output.batch).ok());
        for (const std::string& wrong : law_->look(output.batch)) ADD_FAILURE() << wrong;
        ++commits;
        for (const auto& change : output.batch.changes())
          bytes_written += change.key.size() + (change.value ? change.value->size() : 0);
      }
      core->committed(output.sequence);
      for (auto& release : output.releases) release.run();
    }
  }

  void advance(std::int64_t ns) {
    clock.ns += ns;
    core->tick();
    after_work();
  }
  void after_work() {
    if (auto_settle) return settle();
    for (auto& release : core->take_early()) release.run();
    if (auto_commit) commit();
  }

  // All that is to be done at this moment.
  void settle() {
    for (auto& release : core->take_early()) release.run();
    if (auto_commit) commit();
    while (to_do()) {
      core->tick();
      for (auto& release : core->take_early()) release.run();
      if (auto_commit) commit();
    }
  }
  bool to_do() const {
    const std::int64_t next = core->next_deadline();
    return next != 0 && next <= clock.ns;
  }

  // --- the usual requests
  ws::StartWorkflowExecutionResponse start(
      const std::string& id, const std::function<void(ws::StartWorkflowExecutionRequest&)>& edit = {}) {
    return call<ws::StartWorkflowExecutionResponse>(api::Method::kStartWorkflowExecution,
                                                    start_request(id, edit));
  }
  static ws::StartWorkflowExecutionRequest start_request(
      const std::string& id, const std::function<void(ws::StartWorkflowExecutionRequest&)>& edit = {}) {
    ws::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id(id);
    request.mutable_workflow_type()->set_name("order");
    request.mutable_task_queue()->set_name("q");
    request.set_identity("client");
    request.set_request_id("request-" + id);
    if (edit) edit(request);
    return request;
  }
  std::shared_ptr<Pending> poll_workflow(const std::string& queue = "q", bool inside = false) {
    ws::PollWorkflowTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name(queue);
    request.set_identity("worker");
    return send(api::Method::kPollWorkflowTaskQueue, request, inside);
  }
  ws::PollWorkflowTaskQueueResponse workflow_task(const std::string& queue = "q") {
    return take<ws::PollWorkflowTaskQueueResponse>(poll_workflow(queue));
  }
  std::shared_ptr<Pending> poll_activity(bool inside = false) {
    ws::PollActivityTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name("q");
    request.set_identity("worker");
    return send(api::Method::kPollActivityTaskQueue, request, inside);
  }
  ws::PollActivityTaskQueueResponse activity_task() {
    return take<ws::PollActivityTaskQueueResponse>(poll_activity());
  }
  using Commands = std::vector<pb::command::v1::Command>;
  static ws::RespondWorkflowTaskCompletedRequest completion(const std::string& token, Commands commands) {
    ws::RespondWorkflowTaskCompletedRequest request;
    request.set_namespace_("default");
    request.set_task_token(token);
    request.set_identity("worker");
    for (auto& command : commands) *request.add_commands() = std::move(command);
    return request;
  }
  ws::RespondWorkflowTaskCompletedResponse complete(const std::string& token, Commands commands) {
    return call<ws::RespondWorkflowTaskCompletedResponse>(api::Method::kRespondWorkflowTaskCompleted,
                                                          completion(token, std::move(commands)));
  }
  void complete_activity(const std::string& token, const std::string& result) {
    ws::RespondActivityTaskCompletedRequest request;
    request.set_namespace_("default");
    request.set_task_token(token);
    request.set_identity("worker");
    request.mutable_result()->add_payloads()->set_data(result);
    call<ws::RespondActivityTaskCompletedResponse>(api::Method::kRespondActivityTaskCompleted, request);
  }
  static pb::command::v1::Command schedule_activity(const std::string& id, std::int64_t seconds = 60) {
    pb::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
    attributes.set_activity_id(id);
    attributes.mutable_activity_type()->set_name("charge");
    attributes.mutable_task_queue()->set_name("q");
    attributes.mutable_start_to_close_timeout()->set_seconds(seconds);
    attributes.mutable_input()->add_payloads()->set_data("input-" + id);
    return command;
  }
  static pb::command::v1::Command start_timer(const std::string& id, std::int64_t seconds) {
    pb::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_START_TIMER);
    auto& attributes = *command.mutable_start_timer_command_attributes();
    attributes.set_timer_id(id);
    attributes.mutable_start_to_fire_timeout()->set_seconds(seconds);
    return command;
  }
  static pb::command::v1::Command complete_workflow(const std::string& result = "done") {
    pb::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    command.mutable_complete_workflow_execution_command_attributes()
        ->mutable_result()
        ->add_payloads()
        ->set_data(result);
    return command;
  }
  pb::history::v1::History history(const std::string& id, const std::string& run_id = "") {
    ws::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id);
    request.mutable_execution()->set_run_id(run_id);
    pb::history::v1::History all;
    do {
      auto page =
          call<ws::GetWorkflowExecutionHistoryResponse>(api::Method::kGetWorkflowExecutionHistory, request);
      all.MergeFrom(page.history());
      request.set_next_page_token(page.next_page_token());
    } while (!request.next_page_token().empty());
    return all;
  }
  // "1 WorkflowExecutionStarted", ...; ids are checked to be gapless.
  std::vector<std::string> events(const std::string& id, const std::string& run_id = "") {
    std::vector<std::string> names;
    std::int64_t expected = 1;
    for (const auto& event : history(id, run_id).events()) {
      EXPECT_EQ(event.event_id(), expected++);
      names.push_back(short_name(event.event_type()));
    }
    return names;
  }
  static std::string short_name(enums::EventType type) {
    return api::enum_name(*enums::EventType_descriptor(), type, "EVENT_TYPE_");
  }
  void signal(const std::string& id, const std::string& name, const std::string& request_id = "") {
    ws::SignalWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.set_signal_name(name);
    request.set_request_id(request_id);
    call<ws::SignalWorkflowExecutionResponse>(api::Method::kSignalWorkflowExecution, request);
  }

  ManualClock clock;
  CountingRandom random;
  CoreOptions options;
  bool auto_commit = true;
  bool auto_settle = true;  // after each call, all that is to be done at its moment
  int commits = 0;
  std::size_t bytes_written = 0;
  std::unique_ptr<EngineCore> core;

 private:
  void open_store() {
    store::RocksOptions rocks;
    rocks.dir = directory_.path().string();
    auto opened = store::RocksStore::open(rocks);
    if (!opened) {
      ADD_FAILURE() << opened.error().to_string();
      std::abort();
    }
    store_ = std::move(*opened);
    law_.emplace(*store_);
  }
  void start_core() {
    core = std::make_unique<EngineCore>(options, clock, random, *store_);
    const Status opened = core->open();
    if (!opened.ok()) ADD_FAILURE() << opened.to_string();
    commit();
    if (auto_settle) settle();
  }

  fixture::TemporaryDirectory directory_;
  std::unique_ptr<store::RocksStore> store_;
  std::optional<StoredLaw> law_;
};

// --- requests and commands of more than one file of tests
inline ws::RespondWorkflowTaskCompletedRequest sticky(ws::RespondWorkflowTaskCompletedRequest request) {
  auto& attributes = *request.mutable_sticky_attributes();
  attributes.mutable_worker_task_queue()->set_name("sticky");
  attributes.mutable_worker_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
  attributes.mutable_worker_task_queue()->set_normal_name("q");
  attributes.mutable_schedule_to_start_timeout()->set_seconds(10);
  return request;
}

inline void complete_sticky(Driver& d, const std::string& token, Driver::Commands commands) {
  d.call<ws::RespondWorkflowTaskCompletedResponse>(api::Method::kRespondWorkflowTaskCompleted,
                                                   sticky(Driver::completion(token, std::move(commands))));
}

inline ws::QueryWorkflowRequest ask(const std::string& id) {
  ws::QueryWorkflowRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id(id);
  request.mutable_query()->set_query_type("state");
  return request;
}

inline ws::UpdateWorkflowExecutionRequest change(const std::string& update_id) {
  ws::UpdateWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("w");
  request.mutable_wait_policy()->set_lifecycle_stage(
      enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
  request.mutable_request()->mutable_meta()->set_update_id(update_id);
  request.mutable_request()->mutable_input()->set_name("approve");
  return request;
}

template <typename Body>
void add_message(ws::RespondWorkflowTaskCompletedRequest& request, const std::string& update_id,
                 const std::string& message_id, const Body& body) {
  auto& message = *request.add_messages();
  message.set_id(message_id);
  message.set_protocol_instance_id(update_id);
  message.mutable_body()->PackFrom(body);
}

inline void add_command(ws::RespondWorkflowTaskCompletedRequest& request, const std::string& message_id) {
  auto& command = *request.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
  command.mutable_protocol_message_command_attributes()->set_message_id(message_id);
}

inline pb::command::v1::Command continue_as_new() {
  pb::command::v1::Command command;
  command.set_command_type(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);
  auto& attributes = *command.mutable_continue_as_new_workflow_execution_command_attributes();
  attributes.mutable_workflow_type()->set_name("order");
  attributes.mutable_input()->add_payloads()->set_data("next");
  return command;
}

}  // namespace holdfast::engine::testing
