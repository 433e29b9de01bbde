// The half of WorkflowRun that runs workflow code: one activation per workflow task, in this order: the first
// step of the code, signals, updates, everything else, then steps until nothing moves.

#include <algorithm>

#include <nlohmann/json.hpp>

#include "client/convert.h"
#include "client/failure_converter.h"
#include "worker/attributes_machine.h"
#include "worker/marker_machine.h"
#include "worker/terminal_machine.h"
#include "worker/workflow_run.h"

namespace holdfast::worker {
namespace {

template <typename Map>
std::vector<std::string> keys(const Map& map) {
  std::vector<std::string> out;
  for (const auto& each : map) out.push_back(each.first);
  return out;
}

// While it lives the run only looks, however the code that it guards is left.
class ReadOnly {
 public:
  explicit ReadOnly(bool& flag) : flag_(flag), before_(std::exchange(flag, true)) {}
  ~ReadOnly() { flag_ = before_; }
  ReadOnly(const ReadOnly&) = delete;
  ReadOnly& operator=(const ReadOnly&) = delete;

 private:
  bool& flag_;
  const bool before_;
};

constexpr const char* kThrewSomething =
    " threw something that is neither a Failure nor a std::exception; it may only look";

}  // namespace

void WorkflowRun::activate(const HistoryEvent& started) {
  activations_.fetch_add(1, std::memory_order_relaxed);
  now_ = client::from_proto(started.event_time());
  const auto& attributes = started.workflow_task_started_event_attributes();
  info_.history_length = started.event_id();
  info_.history_bytes = attributes.history_size_bytes();
  info_.continue_as_new_suggested = attributes.suggest_continue_as_new();

  start_code();
  const auto signals = std::exchange(new_signals_, {});
  const auto updates = std::exchange(new_updates_, {});
  const auto resolutions = std::exchange(resolutions_, {});
  if (!main_.ready()) {
    for (const auto& signal : signals) deliver_signal(signal.name, signal.arguments);
    for (const auto& update : updates) deliver_update(update);
    for (const auto& resolution : resolutions) resolution();
    scheduler_.drain();
  }
  check_not_interrupted();
  if (!main_.ready()) hear_expected(nullptr);
  finish_if_done();
}

void WorkflowRun::start_code() {
  if (started_code_) return;
  const auto* function = registry_.find_workflow(info_.workflow_type);
  if (function == nullptr) {
    throw std::runtime_error("no workflow of type \"" + info_.workflow_type +
                             "\" is registered with this worker" +
                             known_names("types", registry_.workflow_names()));
  }
  started_code_ = true;
  Task<Payload> main = (*function)(context_, std::exchange(arguments_, {}));
  main.set_main();
  main_ = holdfast::detail::spawn_on(scheduler_, scheduler_.root_scope(), std::move(main));
  scheduler_.set_over([this] {
    check_not_interrupted();
    return main_.ready();
  });
  // The code's first step registers its handlers before anything is delivered to them.
  scheduler_.drain();
}

// ---- signals

void WorkflowRun::deliver_signal(const std::string& name, SignalArguments arguments) {
  const auto found = signal_handlers_.find(name);
  if (found != signal_handlers_.end()) {
    scheduler_.adopt(run_signal_handler(name, found->second(std::move(arguments))), scheduler_.root_scope());
  } else if (dynamic_signal_handler_) {
    scheduler_.adopt(run_signal_handler(name, dynamic_signal_handler_(name, std::move(arguments))),
                     scheduler_.root_scope());
  } else {
    signals_[name].push_back(std::move(arguments));
  }
}

Task<void> WorkflowRun::run_signal_handler(std::string name, Task<void> handler) {
  ++running_handlers_;
  try {
    co_await std::move(handler);
  } catch (const PayloadError& error) {
    // The sender's mistake must not stop the workflow.
    log(workflow::LogLevel::kWarn, "signal \"" + name + "\" was dropped: " + error.what());
  } catch (const Failure& failure) {
    if (!is_canceled(failure) && !broken_) broken_ = std::current_exception();
  } catch (...) {
    if (!broken_) broken_ = std::current_exception();
  }
  --running_handlers_;
}

void WorkflowRun::set_signal_handler(const std::string& name, workflow::SignalHandler handler) {
  signal_handlers_[name] = std::move(handler);
  for (auto& arguments : std::exchange(signals_[name], {})) deliver_signal(name, std::move(arguments));
}

void WorkflowRun::set_dynamic_signal_handler(
    std::function<Task<void>(std::string, std::vector<Payload>)> handler) {
  dynamic_signal_handler_ = std::move(handler);
  // The queues themselves stay: coroutines waiting in receive_signal() refer to them.
  for (auto& [name, queue] : signals_) {
    for (auto& arguments : std::exchange(queue, {})) deliver_signal(name, std::move(arguments));
  }
}

// ---- updates

void WorkflowRun::set_update_handler(const std::string& name, workflow::UpdateHandler handler,
                                     workflow::UpdateValidator validator) {
  update_handlers_[name] = {std::move(handler), std::move(validator)};
}

const workflow::UpdateInfo& WorkflowRun::current_update() const {
  const auto found = running_updates_.find(scheduler_.current_scope().get());
  return found == running_updates_.end() ? validated_update_ : found->second;
}

bool WorkflowRun::reject_if_invalid(UpdateMachine& machine, const UpdateEntry* entry,
                                    const std::vector<Payload>& arguments) {
  const std::string& name = machine.request().request.input().name();
  const ReadOnly read_only(read_only_);
  try {
    if (entry == nullptr) {
      throw ApplicationFailure("workflow \"" + info_.workflow_type + "\" has no update \"" + name + '"' +
                                   known_names("updates", keys(update_handlers_)),
                               "UnknownUpdate");
    }
    if (entry->validator) entry->validator(arguments);
    return false;
  } catch (const Failure& failure) {
    rejections_.push_back(machine.rejection(failure));
  } catch (const std::exception& error) {
    rejections_.push_back(machine.rejection(ApplicationFailure(error.what(), "InvalidUpdate")));
  } catch (...) {
    // Also what continue_as_new() throws: a request that is only looked at must not fail the workflow task.
    rejections_.push_back(machine.rejection(
        ApplicationFailure("the validator of update \"" + name + '"' + kThrewSomething, "InvalidUpdate")));
  }
  return true;
}

void WorkflowRun::deliver_update(UpdateRequest request) {
  const std::string name = request.request.input().name();
  const auto found = update_handlers_.find(name);
  const UpdateEntry* entry = found == update_handlers_.end() ? nullptr : &found->second;
  const std::vector<Payload> arguments = client::from_proto(request.request.input().args());
  workflow::UpdateInfo info;
  info.id = request.protocol_instance_id;
  info.name = name;
  validated_update_ = info;

  auto machine = std::make_shared<UpdateMachine>(outbox(), std::move(request));
  if (!machine->request().replayed) {
    if (reject_if_invalid(*machine, entry, arguments)) return;
  } else if (entry == nullptr) {
    throw NondeterminismError(
        "[TMPRL1100] history and workflow code disagree\n  history: accepted update \"" + name +
        "\"\n  code:    has no such update");
  }
  machine->accept();
  auto scope = holdfast::detail::ScopeState::child_of(scheduler_.root_scope());
  running_updates_[scope.get()] = std::move(info);
  ++running_handlers_;
  scheduler_.adopt(run_update(machine, entry->handler(arguments), scope), scope);
}

Task<void> WorkflowRun::run_update(std::shared_ptr<UpdateMachine> machine, Task<Payload> handler,
                                   holdfast::detail::ScopePtr scope) {
  try {
    machine->complete(co_await std::move(handler));
  } catch (const Failure& failure) {
    machine->fail(failure);
  } catch (...) {
    if (!broken_) broken_ = std::current_exception();
  }
  --running_handlers_;
  running_updates_.erase(scope.get());
}

// ---- queries

void WorkflowRun::set_query_handler(const std::string& name, workflow::QueryHandler handler) {
  QueryEntry entry;
  entry.handler = std::move(handler);
  entry.owner = scheduler_.current();
  if (scheduler_.current() != nullptr) scheduler_.current()->watched = true;
  query_handlers_[name] = std::move(entry);
}

void WorkflowRun::expect_query(const std::string& key, const pb::query::v1::WorkflowQuery& query) {
  expected_queries_[key].query = query;
}

void WorkflowRun::returning(holdfast::detail::PromiseBase& promise) {
  if (!promise.is_main) return hear_expected(&promise);
  // The innermost comes first; who only stands for it has nothing more to say.
  if (std::exchange(main_returned_, true)) return;
  hear_expected(nullptr);
  scheduler_.end_others();
}

// `owner`: only the handlers that this coroutine, about to end, registered. Null: all.
void WorkflowRun::hear_expected(const holdfast::detail::PromiseBase* owner) {
  for (auto& [key, expected] : expected_queries_) {
    const auto found = query_handlers_.find(expected.query.query_type());
    const bool known = found != query_handlers_.end();
    if (!known && (owner != nullptr || !dynamic_query_handler_)) continue;
    if (known && owner != nullptr && found->second.owner != owner) continue;
    expected.last = run_query(expected.query);
  }
}

pb::query::v1::WorkflowQueryResult WorkflowRun::query(const pb::query::v1::WorkflowQuery& query,
                                                      const std::string& expected) {
  const auto heard = expected_queries_.extract(expected);
  const bool ended = started_code_ && main_.ready();
  const bool has_handler = query_handlers_.contains(query.query_type()) || dynamic_query_handler_;
  if (!ended || !has_handler) return run_query(query);
  if (!heard.empty() && heard.mapped().last) return *heard.mapped().last;
  pb::query::v1::WorkflowQueryResult result;
  result.set_result_type(enums::QUERY_RESULT_TYPE_FAILED);
  result.set_error_message("the workflow has ended, and with it what the handler of this query refers to");
  return result;
}

void WorkflowRun::set_dynamic_query_handler(
    std::function<Payload(std::string, std::vector<Payload>)> handler) {
  dynamic_query_handler_ = std::move(handler);
}

pb::query::v1::WorkflowQueryResult WorkflowRun::run_query(const pb::query::v1::WorkflowQuery& query) {
  pb::query::v1::WorkflowQueryResult result;
  const auto answer_failed = [&](const Failure& failure) {
    result.set_result_type(enums::QUERY_RESULT_TYPE_FAILED);
    result.set_error_message(failure.message());
    client::set_failure(failure, result.mutable_failure());
  };
  const std::string& name = query.query_type();
  const ReadOnly read_only(read_only_);
  try {
    const auto found = query_handlers_.find(name);
    Payload answer;
    if (found != query_handlers_.end()) {
      answer = found->second.handler(client::from_proto(query.query_args()));
    } else if (name == "__temporal_workflow_metadata") {
      answer = metadata();
    } else if (name == "__stack_trace") {
      answer = to_payload(std::to_string(scheduler_.task_count()) + " coroutines are waiting");
    } else if (dynamic_query_handler_) {
      answer = dynamic_query_handler_(name, client::from_proto(query.query_args()));
    } else {
      throw ApplicationFailure("workflow \"" + info_.workflow_type + "\" has no query \"" + name + '"' +
                                   known_names("queries", keys(query_handlers_)),
                               "UnknownQuery");
    }
    *result.mutable_answer()->add_payloads() = client::to_proto(std::move(answer));
    result.set_result_type(enums::QUERY_RESULT_TYPE_ANSWERED);
  } catch (const Failure& failure) {
    answer_failed(failure);
  } catch (const std::exception& error) {
    answer_failed(ApplicationFailure(error.what(), "QueryFailed"));
  } catch (...) {
    // Also what continue_as_new() throws. Nobody above catches on behalf of a query.
    answer_failed(
        ApplicationFailure("the handler of query \"" + name + '"' + kThrewSomething, "QueryFailed"));
  }
  return result;
}

// ---- the end

void WorkflowRun::finish_if_done() {
  if (closed_) return;
  if (broken_) {
    const auto broken = std::exchange(broken_, nullptr);
    close_with([&]() -> Payload { std::rethrow_exception(broken); });
  } else if (main_.ready()) {
    close_with([&] { return main_.get(); });
  }
}

void WorkflowRun::close_with(const std::function<Payload()>& outcome) {
  Command command;
  try {
    const Payload result = outcome();
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    auto* out = command.mutable_complete_workflow_execution_command_attributes();
    *out->mutable_result()->add_payloads() = client::to_proto(result);
    close(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, std::move(command));
  } catch (const workflow::ContinueAsNewRequest& request) {
    continue_as_new(request);
  } catch (const Failure& failure) {
    if (cancel_requested_ && is_canceled(failure)) {
      command.set_command_type(enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION);
      command.mutable_cancel_workflow_execution_command_attributes();
      close(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, std::move(command));
      return;
    }
    command.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
    client::set_failure(failure,
                        command.mutable_fail_workflow_execution_command_attributes()->mutable_failure());
    close(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, std::move(command));
  }
}

void WorkflowRun::close(enums::EventType kind, Command command) {
  closed_ = true;
  commands_.push(std::make_shared<TerminalMachine>(kind, std::move(command)), kind);
}

void WorkflowRun::continue_as_new(const workflow::ContinueAsNewRequest& request) {
  using client::set_duration;
  const ContinueAsNewOptions& options = request.options;
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);
  auto* out = command.mutable_continue_as_new_workflow_execution_command_attributes();
  out->mutable_workflow_type()->set_name(options.workflow_type().empty() ? info_.workflow_type
                                                                         : options.workflow_type());
  out->mutable_task_queue()->set_name(options.task_queue().empty() ? info_.task_queue : options.task_queue());
  client::set_payloads(request.arguments, out->mutable_input());
  const auto run_timeout = options.run_timeout() ? options.run_timeout() : info_.run_timeout;
  if (run_timeout) set_duration(*run_timeout, out->mutable_workflow_run_timeout());
  const auto task_timeout = options.task_timeout() ? options.task_timeout() : info_.task_timeout;
  if (task_timeout) set_duration(*task_timeout, out->mutable_workflow_task_timeout());
  const auto retry = options.retry() ? options.retry() : info_.retry;
  if (retry) client::set_retry_policy(*retry, out->mutable_retry_policy());
  out->set_initiator(enums::CONTINUE_AS_NEW_INITIATOR_WORKFLOW);
  client::set_map(options.memo() ? *options.memo() : info_.memo, out->mutable_memo()->mutable_fields());
  client::set_map(
      options.search_attributes() ? options.search_attributes()->values() : info_.search_attributes,
      out->mutable_search_attributes()->mutable_indexed_fields());
  close(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, std::move(command));
}

// ---- facts and versions

void WorkflowRun::check_not_interrupted() const {
  if (interrupted_.load(std::memory_order_relaxed)) {
    throw DeadlockError("the code of workflow type \"" + info_.workflow_type + "\" did not yield");
  }
}

void WorkflowRun::check_may_act(std::string_view what) const {
  check_not_interrupted();
  if (!read_only_) return;
  throw std::logic_error(std::string(what) + " is not allowed here: validators and query handlers only look");
}

std::string WorkflowRun::uuid() {
  check_not_interrupted();
  // Version 4, from the run's own generator.
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  std::uint64_t bits = 0;
  for (int i = 0; i < 32; ++i) {
    if (i % 16 == 0) bits = random_();
    if (i == 8 || i == 12 || i == 16 || i == 20) out.push_back('-');
    std::uint64_t digit = bits & 0xf;
    bits >>= 4;
    if (i == 12) digit = 4;
    if (i == 16) digit = 8 | (digit & 3);
    out.push_back(kHex[digit]);
  }
  return out;
}

void WorkflowRun::log(workflow::LogLevel level, std::string_view message) const {
  if (!replaying_ && log_) {
    log_(level, "workflow " + info_.workflow_id + " run " + info_.run_id + ": " + std::string(message));
  }
}

bool WorkflowRun::patched(const std::string& id, bool deprecated) {
  check_may_act("patched()");
  const auto [answer, first] = patch_answers_.try_emplace(id, false);
  if (!first) return answer->second;
  const bool recorded = recorded_patches_.contains(id);
  answer->second = deprecated || !replaying_ || recorded;
  // Old runs pass a deprecated patch that they never recorded without a trace.
  if (answer->second && (recorded || !replaying_)) {
    recorded_patches_.insert(id);
    commands_.push(MarkerMachine::patch(id, deprecated), enums::EVENT_TYPE_MARKER_RECORDED);
    std::vector<std::string> taken;
    for (const auto& [each, yes] : patch_answers_) {
      if (yes) taken.push_back(each);
    }
    SearchAttributes versions;
    versions.keyword_list(kVersionAttribute, taken);
    upsert(enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, versions.values());
  }
  return answer->second;
}

Payload WorkflowRun::side_effect(const std::function<Payload()>& compute) {
  check_may_act("side_effect()");
  const std::string id = std::to_string(++side_effects_);
  const auto recorded = recorded_effects_.find(id);
  if (recorded == recorded_effects_.end() && replaying_) {
    throw NondeterminismError(
        "[TMPRL1100] history and workflow code disagree after event " + std::to_string(last_event_id_) +
        "\n  history: no side effect \"" + id + "\"\n  code:    " +
        MarkerMachine::side_effect(id, Payload())->describe(enums::EVENT_TYPE_MARKER_RECORDED));
  }
  Payload value = recorded == recorded_effects_.end() ? compute() : recorded->second;
  commands_.push(MarkerMachine::side_effect(id, value), enums::EVENT_TYPE_MARKER_RECORDED);
  return value;
}

void WorkflowRun::upsert(enums::EventType kind, std::map<std::string, Payload> values) {
  check_may_act("changing attributes");
  auto& current =
      kind == enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES ? info_.search_attributes : info_.memo;
  for (const auto& [name, value] : values) {
    if (is_null(value)) {
      current.erase(name);
    } else {
      current[name] = value;
    }
  }
  commands_.push(std::make_shared<AttributesMachine>(kind, std::move(values)), kind);
}

}  // namespace holdfast::worker
