#include "engine/task_queue_handlers.h"

#include "engine/core_clock.h"
#include "engine/errors.h"
#include "engine/offers.h"
#include "engine/parked_calls.h"
#include "engine/replies.h"
#include "engine/task_dispatch.h"
#include "engine/transitions.h"
#include "history/workflow_task.h"
#include "matching/task_queues.h"

namespace holdfast::engine {

namespace wt = history::workflow_task;
using matching::QueueKey;
using matching::QueueType;

void TaskQueueHandlers::reset_sticky(Call& call, const ws::ResetStickyTaskQueueRequest&,
                                     const stored::NamespaceRecord&, Run& run) {
  MutableState& ms = *run.ms;
  if (!ms.running()) return replies_.send(call, errors::already_completed());
  if (!ms.s().sticky_queue().empty()) {
    wt::clear_sticky(ms);
    if (ms.workflow_task_pending() && !ms.workflow_task_started() && ms.s().workflow_task().sticky()) {
      wt::leave_sticky_queue(ms);
    }
    transitions_.finish(run);
  }
  replies_.send(call, std::make_unique<ws::ResetStickyTaskQueueResponse>());
}

void TaskQueueHandlers::shutdown_worker(Call& call, const ws::ShutdownWorkerRequest& request,
                                        const stored::NamespaceRecord& record) {
  for (CallId id : queues_.remove_polls_of_worker(record.id(), request.worker_instance_key())) {
    if (auto parked = parked_.take(id)) dispatch_.empty_poll(*parked);
  }
  if (!request.sticky_task_queue().empty()) {
    offers_.again(dispatch_.leave_queue({record.id(), request.sticky_task_queue(), QueueType::kWorkflow}));
  }
  replies_.send(call, std::make_unique<ws::ShutdownWorkerResponse>());
}

void TaskQueueHandlers::describe(Call& call, const ws::DescribeTaskQueueRequest& request,
                                 const stored::NamespaceRecord& record) {
  if (request.task_queue().name().empty())
    return replies_.send(call, errors::invalid("TaskQueue is not set on request."));
  const QueueKey key{record.id(), request.task_queue().name(),
                     request.task_queue_type() == enums::TASK_QUEUE_TYPE_ACTIVITY ? QueueType::kActivity
                                                                                  : QueueType::kWorkflow};
  auto response = std::make_unique<ws::DescribeTaskQueueResponse>();
  for (const auto& seen : queues_.pollers(key)) {
    if (seen.last_access_ns < clock_.now() - 5 * history::kMinute) continue;
    auto& poller = *response->add_pollers();
    poller.set_identity(seen.identity);
    poller.set_rate_per_second(100000);
    history::set_time(poller.mutable_last_access_time(), seen.last_access_ns);
  }
  const auto backlog = static_cast<std::int64_t>(queues_.backlog(key));
  response->mutable_task_queue_status()->set_backlog_count_hint(backlog);
  auto& stats = *response->mutable_stats();
  stats.set_approximate_backlog_count(backlog);
  if (const Ns oldest = queues_.oldest_task_ns(key)) {
    history::set_duration(stats.mutable_approximate_backlog_age(), clock_.now() - oldest);
  }
  replies_.send(call, std::move(response));
}

}  // namespace holdfast::engine
