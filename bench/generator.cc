#include "generator.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace holdfast::bench {
namespace {

using std::chrono::milliseconds;

double ms_since(SteadyTime begun) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
}

bool server_lost(const grpc::Status& status) {
  return status.error_code() == grpc::UNAVAILABLE || status.error_code() == grpc::CANCELLED;
}

std::string new_request_id(std::uint64_t number) {
  char text[48];
  std::snprintf(text, sizeof text, "%08x-0000-4000-8000-%012llx", static_cast<unsigned>(getpid()),
                static_cast<unsigned long long>(number));
  return text;
}

// The events that a run of this type leaves, one letter each; empty: any.
// S started, wtc workflow task scheduled/started/completed, asd activity scheduled/started/done, T timer
// started, g signalled, X completed.
std::string expected_events(const std::string& type) {
  if (type == "noop") return "SwtcX";
  if (type == "timer") return "SwtcT";
  if (type == "signal") return "SwtcgwtcX";
  if (type == "held") return "SwtcasdwtcX";
  if (type.starts_with("steps-")) {
    std::string events = "Swtc";
    for (int i = std::atoi(type.c_str() + 6); i > 0; --i) events += "asdwtc";
    return events + "X";
  }
  return {};
}

char letter(enums::EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: return 'S';
    case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: return 'w';
    case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED: return 't';
    case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED: return 'c';
    case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: return 'a';
    case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED: return 's';
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED: return 'd';
    case enums::EVENT_TYPE_TIMER_STARTED: return 'T';
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: return 'g';
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: return 'X';
    default: return '?';
  }
}

}  // namespace

Generator::Generator(Wire& wire, std::string ns, std::string queue)
    : wire_(wire), ns_(std::move(ns)), queue_(std::move(queue)) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  prefix_ = "bench-" + std::to_string(std::chrono::duration_cast<milliseconds>(now).count()) + "-";
}

void Generator::start(const std::string& type, std::move_only_function<void(Flow)> started) {
  Flow flow;
  flow.type = type;
  flow.workflow_id = prefix_ + std::to_string(++next_);
  flow.begun = std::chrono::steady_clock::now();
  ws::StartWorkflowExecutionRequest request;
  request.set_namespace_(ns_);
  request.set_workflow_id(flow.workflow_id);
  request.mutable_workflow_type()->set_name(type);
  request.mutable_task_queue()->set_name(queue_);
  request.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  request.set_identity("holdfast_bench");
  request.set_request_id(new_request_id(next_));
  send_start(std::move(request), std::move(flow), std::move(started));
}

void Generator::send_start(ws::StartWorkflowExecutionRequest request, Flow flow,
                           std::move_only_function<void(Flow)> started) {
  const auto& sent = request;
  wire_.call<ws::StartWorkflowExecutionRequest, ws::StartWorkflowExecutionResponse>(
      "StartWorkflowExecution", sent,
      [this, request, flow = std::move(flow), started = std::move(started)](const grpc::Status& status,
                                                                            auto& answer) mutable {
        if (wire_.closed()) return;
        if (server_lost(status)) {
          wire_.after(milliseconds(2), [this, request = std::move(request), flow = std::move(flow),
                                        started = std::move(started)]() mutable {
            send_start(std::move(request), std::move(flow), std::move(started));
          });
          return;
        }
        if (!status.ok()) {
          if (error_.empty()) error_ = "StartWorkflowExecution: " + status.error_message();
        }
        flow.run_id = answer.run_id();
        flow.ack_ms = ms_since(flow.begun);
        started(std::move(flow));
      },
      std::chrono::seconds(30));
}

void Generator::result(Flow flow, std::move_only_function<void(Flow)> done) {
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(ns_);
  request.mutable_execution()->set_workflow_id(flow.workflow_id);
  request.mutable_execution()->set_run_id(flow.run_id);
  request.set_wait_new_event(true);
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  wire_.call<ws::GetWorkflowExecutionHistoryRequest, ws::GetWorkflowExecutionHistoryResponse>(
      "GetWorkflowExecutionHistory", request,
      [this, flow = std::move(flow), done = std::move(done)](const grpc::Status& status,
                                                             auto& answer) mutable {
        if (wire_.closed()) return;
        if (!status.ok() || answer.history().events_size() == 0) {
          if (!status.ok() && !server_lost(status) && error_.empty()) {
            error_ = "GetWorkflowExecutionHistory: " + status.error_message();
            done(std::move(flow));
            return;
          }
          wire_.after(milliseconds(status.ok() ? 0 : 2),
                      [this, flow = std::move(flow), done = std::move(done)]() mutable {
                        result(std::move(flow), std::move(done));
                      });
          return;
        }
        flow.result_ms = ms_since(flow.begun);
        done(std::move(flow));
      });
}

void Generator::signal(const Flow& flow) {
  ws::SignalWorkflowExecutionRequest request;
  request.set_namespace_(ns_);
  request.mutable_workflow_execution()->set_workflow_id(flow.workflow_id);
  request.mutable_workflow_execution()->set_run_id(flow.run_id);
  request.set_signal_name("go");
  request.set_identity("holdfast_bench");
  request.set_request_id(new_request_id(++next_));
  wire_.call<ws::SignalWorkflowExecutionRequest, ws::SignalWorkflowExecutionResponse>(
      "SignalWorkflowExecution", request, [this](const grpc::Status& status, auto&) {
        if (!status.ok() && !wire_.closed() && error_.empty()) error_ = "Signal: " + status.error_message();
      });
}

void Generator::begin(const Load& load, LoadResult& result, int& started, int& open, SteadyTime deadline) {
  while (open < load.in_flight && started < load.count && error_.empty() &&
         (started == 0 || std::chrono::steady_clock::now() < deadline)) {
    ++started;
    ++open;
    auto finished = [this, &load, &result, &started, &open, deadline](Flow flow) {
      result.flows.push_back(std::move(flow));
      --open;
      begin(load, result, started, open, deadline);
    };
    start(load.type, [this, &load, finished](Flow flow) mutable {
      if (load.wait_for_results && error_.empty()) {
        this->result(std::move(flow), finished);
      } else {
        finished(std::move(flow));
      }
    });
  }
}

LoadResult Generator::run(const Load& load) {
  LoadResult result;
  int started = 0;
  int open = 0;
  const auto begun = std::chrono::steady_clock::now();
  const auto deadline = begun + load.at_most;
  begin(load, result, started, open, deadline);
  const bool done = wire_.run(
      [&] {
        return open == 0 &&
               (started == load.count || std::chrono::steady_clock::now() >= deadline || !error_.empty());
      },
      load.at_most + std::chrono::minutes(2));
  result.seconds = ms_since(begun) / 1000;
  if (!done && error_.empty())
    error_ = std::to_string(open) + " runs of type " + load.type + " did not finish";
  return result;
}

bool Generator::wait_for_events(const Flow& flow, int events) {
  int seen = 0;
  std::string token;
  bool waiting = false;
  const auto ask = [&] {
    waiting = true;
    ws::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_(ns_);
    request.mutable_execution()->set_workflow_id(flow.workflow_id);
    request.mutable_execution()->set_run_id(flow.run_id);
    request.set_wait_new_event(true);
    request.set_next_page_token(token);
    wire_.call<ws::GetWorkflowExecutionHistoryRequest, ws::GetWorkflowExecutionHistoryResponse>(
        "GetWorkflowExecutionHistory", request, [&](const grpc::Status& status, auto& answer) {
          waiting = false;
          if (!status.ok() && error_.empty())
            error_ = "GetWorkflowExecutionHistory: " + status.error_message();
          seen += answer.history().events_size();
          token = answer.next_page_token();
        });
  };
  while (seen < events && error_.empty()) {
    ask();
    wire_.run([&] { return !waiting; }, std::chrono::seconds(75));
    if (seen < events && token.empty()) return false;
  }
  return error_.empty();
}

std::string Generator::check(const std::vector<Flow>& flows) {
  std::string wrong;
  std::size_t asked = 0;
  std::size_t answered = 0;
  std::function<void()> ask = [&] {
    if (asked == flows.size() || !wrong.empty()) return;
    const Flow& flow = flows[asked++];
    ws::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_(ns_);
    request.mutable_execution()->set_workflow_id(flow.workflow_id);
    request.mutable_execution()->set_run_id(flow.run_id);
    wire_.call<ws::GetWorkflowExecutionHistoryRequest, ws::GetWorkflowExecutionHistoryResponse>(
        "GetWorkflowExecutionHistory", request, [&](const grpc::Status& status, auto& answer) {
          ++answered;
          std::string events;
          for (const auto& event : answer.history().events()) {
            events += letter(event.event_type());
            if (event.event_id() != static_cast<std::int64_t>(events.size())) events += '!';
          }
          const std::string expected = expected_events(flow.type);
          if (!status.ok())
            wrong = "history of " + flow.workflow_id + ": " + status.error_message();
          else if (!expected.empty() && events != expected)
            wrong = "history of " + flow.workflow_id + " (" + flow.type + "): " + events;
          ask();
        });
  };
  for (int i = 0; i < 16; ++i) ask();
  wire_.run([&] { return answered == asked && (asked == flows.size() || !wrong.empty()); },
            std::chrono::minutes(2));
  if (wrong.empty() && answered != flows.size()) wrong = "histories were not answered";
  return wrong;
}

}  // namespace holdfast::bench
