#include "app/queue_metrics.h"

#include <chrono>
#include <future>
#include <memory>
#include <vector>

#include "api/messages.h"
#include "protocol/names.h"

namespace holdfast::app {

namespace {

constexpr std::chrono::seconds kPatience{1};

struct Asked {
  const char* queue = nullptr;
  const char* type = nullptr;
  std::shared_ptr<api::CallHandle> call;
  std::future<Result<api::MessagePtr>> answer;
};

Asked ask(api::Connection& connection, const std::string& namespace_name, const char* queue, bool workflow) {
  auto request = std::make_unique<ws::DescribeTaskQueueRequest>();
  request->set_namespace_(namespace_name);
  request->mutable_task_queue()->set_name(queue);
  request->set_task_queue_type(workflow ? enums::TASK_QUEUE_TYPE_WORKFLOW : enums::TASK_QUEUE_TYPE_ACTIVITY);
  request->set_report_stats(true);
  auto promise = std::make_shared<std::promise<Result<api::MessagePtr>>>();
  Asked out{queue, workflow ? "workflow" : "activity", nullptr, promise->get_future()};
  out.call =
      connection.start(api::Method::kDescribeTaskQueue, std::move(request), {},
                       [promise](Result<api::MessagePtr> result) { promise->set_value(std::move(result)); });
  return out;
}

}  // namespace

void read_queues(metrics::Reading& out, api::Connection& connection, const std::string& namespace_name) {
  std::vector<Asked> all;
  all.push_back(ask(connection, namespace_name, protocol::kAgentQueue, true));
  for (const char* queue : {protocol::kAgentQueue, protocol::kModelQueue, protocol::kToolQueue})
    all.push_back(ask(connection, namespace_name, queue, false));
  const auto end = std::chrono::steady_clock::now() + kPatience;
  std::vector<metrics::Series> backlog;
  std::vector<metrics::Series> age;
  std::vector<metrics::Series> pollers;
  for (Asked& one : all) {
    if (one.answer.wait_until(end) != std::future_status::ready) {
      if (one.call) one.call->cancel();
      continue;
    }
    const auto answer = one.answer.get();
    if (!answer) continue;
    const auto& said = static_cast<const ws::DescribeTaskQueueResponse&>(**answer);
    const std::vector<std::string> labels{one.queue, one.type};
    backlog.push_back({labels, static_cast<double>(said.stats().approximate_backlog_count())});
    const auto& waited = said.stats().approximate_backlog_age();
    age.push_back(
        {labels, static_cast<double>(waited.seconds()) + static_cast<double>(waited.nanos()) / 1e9});
    pollers.push_back({labels, static_cast<double>(said.pollers_size())});
  }
  out.gauge({"holdfast_task_queue_backlog", "Tasks that wait for one of our workers.", "", {"queue", "type"}},
            backlog);
  out.gauge({"holdfast_task_queue_backlog_age_seconds",
             "For how long the oldest of them has waited.",
             "seconds",
             {"queue", "type"}},
            age);
  out.gauge({"holdfast_task_queue_pollers", "Workers that polled lately.", "", {"queue", "type"}}, pollers);
}

}  // namespace holdfast::app
