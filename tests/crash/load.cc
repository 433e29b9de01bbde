#include "load.h"

#include <fmt/format.h>

#include <deque>
#include <random>

#include "api/messages.h"
#include "base/check.h"
#include "call.h"
#include "flow.h"

namespace holdfast::crash {
namespace {

using namespace std::chrono_literals;
using Method = api::Method;

constexpr auto kCallTimeout = 3s;
constexpr auto kPollTimeout = 5s;
// Between repeats while the server is away; a call to nobody fails at once.
constexpr auto kAwayPause = 2ms;
// An attempt after the first takes this long.
constexpr auto kWork = 15ms;
constexpr int kOpenFlowsPerClient = 10;
constexpr std::size_t kOldTokens = 64;

using Random = std::mt19937_64;
bool chance(Random& random, int percent) {
  return static_cast<int>(random() % 100) < percent;
}

pb::common::v1::WorkflowExecution execution(const std::string& flow) {
  pb::common::v1::WorkflowExecution e;
  e.set_workflow_id(flow);
  return e;
}

// Pages of a history until its end; an error when any page fails.
Result<pb::history::v1::History> read_history(api::Connection& connection, const std::string& flow) {
  pb::history::v1::History all;
  std::string token;
  do {
    auto request = std::make_unique<ws::GetWorkflowExecutionHistoryRequest>();
    request->set_namespace_(kNamespace);
    *request->mutable_execution() = execution(flow);
    request->set_maximum_page_size(20);
    request->set_next_page_token(token);
    auto page = call<ws::GetWorkflowExecutionHistoryResponse>(
        connection, Method::kGetWorkflowExecutionHistory, std::move(request), kCallTimeout);
    if (!page) return fail(page.error());
    all.MergeFrom((*page)->history());
    token = (*page)->next_page_token();
  } while (!token.empty());
  return all;
}

}  // namespace

// Starts flows and sees each one through; one flow more only when an older one is done.
class Load::Client {
 public:
  Client(Load& load, int number)
      : load_(load),
        oracle_(load.oracle_),
        connection_(*load.client_connection_),
        number_(number),
        random_(load.options_.seed * 1000 + static_cast<std::uint64_t>(number)) {}

  void run() {
    while (!load_.stopping_) {
      const bool full = flows_.size() >= kOpenFlowsPerClient;
      if (!load_.draining_ && !full && (flows_.empty() || chance(random_, 20))) {
        start_flow();
      } else if (!flows_.empty()) {
        act(random_() % flows_.size());
      } else if (load_.draining_) {
        break;
      }
    }
    --load_.clients_left_;
  }

 private:
  struct Flow {
    std::string id;
    int signals = 0;
    int updates = 0;
  };

  // Repeats until the outcome is known; none when the load is stopping.
  template <typename Response, typename Request>
  std::optional<Result<std::unique_ptr<Response>>> settle(Method method, const Request& request) {
    while (!load_.stopping_) {
      auto answer = call<Response>(connection_, method, std::make_unique<Request>(request), kCallTimeout);
      if (answer || !is_unknown_outcome(answer.error())) return answer;
      std::this_thread::sleep_for(kAwayPause);
    }
    return std::nullopt;
  }

  void unexpected(const std::string& flow, std::string_view what, const Status& status) {
    oracle_.violation(fmt::format("{}: {} was answered {}", flow, what, status.to_string()));
  }

  void start_flow() {
    const std::string id = fmt::format("flow-{}-{}", number_, ++started_);
    ws::StartWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    request.set_workflow_id(id);
    request.set_request_id("start-" + id);
    request.set_identity("crash-client");
    request.mutable_workflow_type()->set_name("crash");
    request.mutable_task_queue()->set_name(kTaskQueue);
    *request.mutable_workflow_task_timeout() = google::protobuf::util::TimeUtil::SecondsToDuration(1);
    auto answer = settle<ws::StartWorkflowExecutionResponse>(Method::kStartWorkflowExecution, request);
    if (!answer) return;
    if (!*answer) return unexpected(id, "start", answer->error());
    oracle_.started(id, (**answer)->run_id());
    if (chance(random_, 10)) {  // the same request again is the same run
      answer = settle<ws::StartWorkflowExecutionResponse>(Method::kStartWorkflowExecution, request);
      if (answer && *answer) oracle_.started(id, (**answer)->run_id());
      if (answer && !*answer) unexpected(id, "a repeated start", answer->error());
    }
    flows_.push_back({id});
  }

  void act(std::size_t index) {
    Flow& flow = flows_[index];
    if (chance(random_, 15)) {
      if (const auto history = read_history(connection_, flow.id)) oracle_.history_read(flow.id, *history);
    } else if (flow.signals < kSignals) {
      signal(flow);
    } else if (flow.updates < kUpdates) {
      update(flow);
    } else if (is_closed(flow)) {
      flows_.erase(flows_.begin() + static_cast<std::ptrdiff_t>(index));
    }
  }

  void signal(Flow& flow) {
    const std::string name = fmt::format("{}/signal-{}", flow.id, ++flow.signals);
    ws::SignalWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    *request.mutable_workflow_execution() = execution(flow.id);
    request.set_signal_name("note");
    request.set_request_id(name);
    request.set_identity("crash-client");
    set_text(*request.mutable_input(), name);
    add_ballast(*request.mutable_input(), name);
    const auto answer =
        settle<ws::SignalWorkflowExecutionResponse>(Method::kSignalWorkflowExecution, request);
    if (!answer) return;
    if (*answer) return oracle_.signalled(flow.id, name);
    // A repeat may find the flow closed by the signal's first delivery.
    if (answer->error().code() != Code::kNotFound) unexpected(flow.id, "a signal", answer->error());
  }

  void update(Flow& flow) {
    const std::string id = fmt::format("{}/update-{}", flow.id, flow.updates + 1);
    ws::UpdateWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    *request.mutable_workflow_execution() = execution(flow.id);
    request.mutable_wait_policy()->set_lifecycle_stage(
        enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
    request.mutable_request()->mutable_meta()->set_update_id(id);
    request.mutable_request()->mutable_meta()->set_identity("crash-client");
    request.mutable_request()->mutable_input()->set_name("change");
    set_text(*request.mutable_request()->mutable_input()->mutable_args(), id);
    const auto answer =
        settle<ws::UpdateWorkflowExecutionResponse>(Method::kUpdateWorkflowExecution, request);
    if (!answer) return;
    if (!*answer) {
      ++flow.updates;
      if (answer->error().code() != Code::kNotFound) unexpected(flow.id, "an update", answer->error());
      return;
    }
    if (!(**answer)->has_outcome()) return;  // still waiting: ask again
    ++flow.updates;
    const auto& outcome = (**answer)->outcome();
    if (!outcome.has_success())
      return unexpected(flow.id, "an update", Status(Code::kInternal, outcome.ShortDebugString()));
    oracle_.updated(flow.id, id, get_text(outcome.success()));
  }

  bool is_closed(const Flow& flow) {
    auto request = std::make_unique<ws::DescribeWorkflowExecutionRequest>();
    request->set_namespace_(kNamespace);
    *request->mutable_execution() = execution(flow.id);
    const auto answer = call<ws::DescribeWorkflowExecutionResponse>(
        connection_, Method::kDescribeWorkflowExecution, std::move(request), kCallTimeout);
    std::this_thread::sleep_for(kAwayPause);
    if (answer) {
      return (*answer)->workflow_execution_info().status() != enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
    }
    if (is_unknown_outcome(answer.error())) return false;
    unexpected(flow.id, "describing it", answer.error());
    return true;  // it is lost; nothing more to do for it
  }

  Load& load_;
  Oracle& oracle_;
  api::Connection& connection_;
  const int number_;
  Random random_;
  int started_ = 0;
  std::vector<Flow> flows_;
};

class Load::WorkflowWorker {
 public:
  WorkflowWorker(Load& load, int number)
      : load_(load),
        connection_(*load.worker_connection_),
        random_(load.options_.seed * 2000 + static_cast<std::uint64_t>(number)) {}

  void run() {
    while (!load_.stopping_) {
      auto request = std::make_unique<ws::PollWorkflowTaskQueueRequest>();
      request->set_namespace_(kNamespace);
      request->set_identity("crash-worker");
      request->mutable_task_queue()->set_name(kTaskQueue);
      auto task = call<ws::PollWorkflowTaskQueueResponse>(connection_, Method::kPollWorkflowTaskQueue,
                                                          std::move(request), kPollTimeout);
      if (!task) {
        std::this_thread::sleep_for(kAwayPause);
      } else if (!(*task)->task_token().empty()) {
        work(**task);
      }
    }
  }

 private:
  void work(ws::PollWorkflowTaskQueueResponse& task) {
    const std::string& flow = task.workflow_execution().workflow_id();
    if (!fetch_rest(task)) return;
    if (chance(random_, 2)) return;  // this worker died
    auto answer = call<ws::RespondWorkflowTaskCompletedResponse>(
        connection_, Method::kRespondWorkflowTaskCompleted,
        std::make_unique<ws::RespondWorkflowTaskCompletedRequest>(decide(task)), kCallTimeout);
    if (answer) return load_.oracle_.task_completed(flow, task.started_event_id());
    // NotFound: it timed out meanwhile. InvalidArgument: a signal came in between and the end has to wait.
    const Code code = answer.error().code();
    if (!is_unknown_outcome(answer.error()) && code != Code::kNotFound && code != Code::kInvalidArgument) {
      load_.oracle_.violation(
          fmt::format("{}: a workflow task's completion was answered {}", flow, answer.error().to_string()));
    }
  }

  bool fetch_rest(ws::PollWorkflowTaskQueueResponse& task) {
    std::string token = task.next_page_token();
    while (!token.empty()) {
      auto request = std::make_unique<ws::GetWorkflowExecutionHistoryRequest>();
      request->set_namespace_(kNamespace);
      *request->mutable_execution() = task.workflow_execution();
      request->set_next_page_token(token);
      auto page = call<ws::GetWorkflowExecutionHistoryResponse>(
          connection_, Method::kGetWorkflowExecutionHistory, std::move(request), kCallTimeout);
      if (!page) return false;
      task.mutable_history()->MergeFrom((*page)->history());
      token = (*page)->next_page_token();
    }
    return true;
  }

  Load& load_;
  api::Connection& connection_;
  Random random_;
};

class Load::ActivityWorker {
 public:
  ActivityWorker(Load& load, int number)
      : load_(load),
        oracle_(load.oracle_),
        connection_(*load.worker_connection_),
        number_(number),
        random_(load.options_.seed * 3000 + static_cast<std::uint64_t>(number)) {}

  void run() {
    while (!load_.stopping_) {
      auto request = std::make_unique<ws::PollActivityTaskQueueRequest>();
      request->set_namespace_(kNamespace);
      request->set_identity("crash-worker");
      request->mutable_task_queue()->set_name(kTaskQueue);
      auto task = call<ws::PollActivityTaskQueueResponse>(connection_, Method::kPollActivityTaskQueue,
                                                          std::move(request), kPollTimeout);
      if (!task) {
        std::this_thread::sleep_for(kAwayPause);
      } else if (!(*task)->task_token().empty()) {
        work(**task);
      }
      if (!old_.empty() && chance(random_, 10)) complete_again(old_[random_() % old_.size()]);
      if (!failed_.empty()) {  // while the next attempt runs somewhere
        complete_again(failed_.back());
        if (chance(random_, 20)) failed_.pop_back();
      }
    }
  }

 private:
  // The token of an attempt that is over.
  struct Dead {
    std::string flow;
    std::string activity;
    std::string token;
  };

  Result<std::unique_ptr<ws::RespondActivityTaskCompletedResponse>> respond(const std::string& token,
                                                                            const std::string& result) {
    auto request = std::make_unique<ws::RespondActivityTaskCompletedRequest>();
    request->set_namespace_(kNamespace);
    request->set_identity("crash-worker");
    request->set_task_token(token);
    set_text(*request->mutable_result(), result);
    return call<ws::RespondActivityTaskCompletedResponse>(connection_, Method::kRespondActivityTaskCompleted,
                                                          std::move(request), kCallTimeout);
  }

  void work(const ws::PollActivityTaskQueueResponse& task) {
    const std::string& flow = task.workflow_execution().workflow_id();
    oracle_.dispatched(flow, task.activity_id(), task.attempt());
    const int dice = static_cast<int>(random_() % 100);
    if (dice < 3) return;  // this worker died
    if (dice < 10) return fail_task(task);
    if (task.attempt() > 1)
      std::this_thread::sleep_for(kWork);  // long enough for an earlier attempt to come back
    const std::string result =
        fmt::format("{}/{} by worker {}, call {}", flow, task.activity_id(), number_, ++calls_);
    while (!load_.stopping_) {
      const auto answer = respond(task.task_token(), result);
      if (answer) {
        oracle_.activity_completed(flow, task.activity_id(), task.attempt(), result);
        old_.push_back({flow, task.activity_id(), task.task_token()});
        if (old_.size() > kOldTokens) old_.pop_front();
        if (chance(random_, 20)) complete_again(old_.back());
        return;
      }
      // NotFound: timed out meanwhile, or this very completion was taken and only its answer lost.
      if (answer.error().code() == Code::kNotFound) return;
      if (!is_unknown_outcome(answer.error())) {
        return oracle_.violation(fmt::format("{}: the completion of activity {} was answered {}", flow,
                                             task.activity_id(), answer.error().to_string()));
      }
      std::this_thread::sleep_for(kAwayPause);
    }
  }

  void fail_task(const ws::PollActivityTaskQueueResponse& task) {
    auto request = std::make_unique<ws::RespondActivityTaskFailedRequest>();
    request->set_namespace_(kNamespace);
    request->set_task_token(task.task_token());
    request->mutable_failure()->set_message("try again");
    request->mutable_failure()->mutable_application_failure_info()->set_type("Flaky");
    const auto answer = call<ws::RespondActivityTaskFailedResponse>(
        connection_, Method::kRespondActivityTaskFailed, std::move(request), kCallTimeout);
    if (answer)
      failed_.push_back({task.workflow_execution().workflow_id(), task.activity_id(), task.task_token()});
  }

  // Also after restarts: the token of an attempt that has completed or failed is worth nothing any more.
  void complete_again(const Dead& dead) {
    const auto answer = respond(dead.token, "again");
    if (answer) {
      oracle_.completed_again(dead.flow, dead.activity, Status());
    } else if (!is_unknown_outcome(answer.error())) {
      oracle_.completed_again(dead.flow, dead.activity, answer.error());
    }
  }

  Load& load_;
  Oracle& oracle_;
  api::Connection& connection_;
  const int number_;
  Random random_;
  int calls_ = 0;
  std::deque<Dead> old_;
  std::vector<Dead> failed_;
};

Load::Load(const LoadOptions& options, Oracle& oracle) : options_(options), oracle_(oracle) {
  auto clients = rpc::GrpcConnection::open(options.address);
  auto workers = rpc::GrpcConnection::open(options.address);
  HF_CHECK(clients && workers);
  client_connection_ = std::move(*clients);
  worker_connection_ = std::move(*workers);
  clients_left_ = options.clients;
  for (int i = 0; i < options.clients; ++i) threads_.emplace_back([this, i] { Client(*this, i).run(); });
  for (int i = 0; i < options.workflow_workers; ++i)
    threads_.emplace_back([this, i] { WorkflowWorker(*this, i).run(); });
  for (int i = 0; i < options.activity_workers; ++i)
    threads_.emplace_back([this, i] { ActivityWorker(*this, i).run(); });
}

Load::~Load() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
}

bool Load::drain(std::chrono::milliseconds patience) {
  draining_ = true;
  const auto until = std::chrono::steady_clock::now() + patience;
  while (clients_left_ > 0) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(kAwayPause);
  }
  return true;
}

void Load::check_histories() {
  for (const std::string& flow : oracle_.flows()) {
    const auto history = read_history(*client_connection_, flow);
    if (history) {
      oracle_.check_final(flow, *history);
    } else {
      oracle_.violation(
          fmt::format("{}: reading its history was answered {}", flow, history.error().to_string()));
    }
  }
}

Result<std::uint64_t> Load::completed_by_visibility() {
  auto request = std::make_unique<ws::CountWorkflowExecutionsRequest>();
  request->set_namespace_(kNamespace);
  request->set_query("WorkflowId STARTS_WITH 'flow-' AND ExecutionStatus = 'Completed'");
  auto answer = call<ws::CountWorkflowExecutionsResponse>(
      *client_connection_, Method::kCountWorkflowExecutions, std::move(request), 10s);
  if (!answer) return fail(answer.error());
  return static_cast<std::uint64_t>((*answer)->count());
}

}  // namespace holdfast::crash
