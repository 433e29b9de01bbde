#include "engine/task_queue_handlers.h"

#include <algorithm>
#include <set>

#include "engine/core_clock.h"
#include "engine/errors.h"
#include "engine/offers.h"
#include "engine/parked_calls.h"
#include "engine/replies.h"
#include "engine/task_dispatch.h"
#include "engine/transitions.h"
#include "engine/unserved.h"
#include "history/priority.h"
#include "history/workflow_task.h"
#include "matching/task_queues.h"

namespace holdfast::engine {

namespace wt = history::workflow_task;
using matching::QueueKey;
using matching::QueueType;
using matching::TaskQueues;

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

Status TaskQueueHandlers::check_poll_nexus(const ws::PollNexusTaskQueueRequest& request) {
  return unserved::in_poll(request);
}

void TaskQueueHandlers::poll_nexus(Call& call, const ws::PollNexusTaskQueueRequest& request,
                                   const stored::NamespaceRecord& record) {
  dispatch_.poll({.call = std::move(call),
                  .identity = request.identity(),
                  .worker_instance_key = request.worker_instance_key()},
                 record, request.task_queue().name(), QueueType::kNexus);
}

namespace {

constexpr Ns kPollersShown = 5 * history::kMinute;
constexpr double kNoRate = 100'000;  // what Temporal shows of pollers that set none
// What tells clients that no worker version has been made the current one: there are none to choose from.
constexpr const char* kUnversioned = "__unversioned__";

QueueType queue_type(enums::TaskQueueType type) {
  switch (type) {
    case enums::TASK_QUEUE_TYPE_ACTIVITY: return QueueType::kActivity;
    case enums::TASK_QUEUE_TYPE_NEXUS: return QueueType::kNexus;
    default: return QueueType::kWorkflow;
  }
}

}  // namespace

void TaskQueueHandlers::add_pollers(
    const QueueKey& key, google::protobuf::RepeatedPtrField<pb::taskqueue::v1::PollerInfo>* out) const {
  for (const auto& seen : queues_.pollers(key)) {
    if (seen.last_access_ns < clock_.now() - kPollersShown) continue;
    auto& poller = *out->Add();
    poller.set_identity(seen.identity);
    poller.set_rate_per_second(queues_.rate(key).value_or(kNoRate));
    history::set_time(poller.mutable_last_access_time(), seen.last_access_ns);
  }
}

void TaskQueueHandlers::fill_stats(const TaskQueues::Waits& waits,
                                   pb::taskqueue::v1::TaskQueueStats* out) const {
  out->set_approximate_backlog_count(static_cast<std::int64_t>(waits.tasks));
  history::set_duration(out->mutable_approximate_backlog_age(),
                        waits.tasks == 0 ? 0 : clock_.now() - waits.oldest_ns);
}

TaskQueues::Waits TaskQueueHandlers::all_waits(const QueueKey& key) const {
  TaskQueues::Waits all;
  for (const auto& [priority, waits] : queues_.waits_by_priority(key)) {
    all.oldest_ns = all.tasks == 0 ? waits.oldest_ns : std::min(all.oldest_ns, waits.oldest_ns);
    all.tasks += waits.tasks;
  }
  return all;
}

// The enhanced mode: by build, of which there is one, without a name, and by type of task.
void TaskQueueHandlers::describe_types(const ws::DescribeTaskQueueRequest& request,
                                       const std::string& namespace_id,
                                       ws::DescribeTaskQueueResponse* response) const {
  const auto& builds = request.versions().build_ids();
  const bool asked = !request.has_versions() || request.versions().unversioned() ||
                     request.versions().all_active() ||
                     std::find(builds.begin(), builds.end(), "") != builds.end();
  if (!asked) return;
  std::set<enums::TaskQueueType> types;
  for (const int type : request.task_queue_types()) types.insert(static_cast<enums::TaskQueueType>(type));
  if (types.empty()) types = {enums::TASK_QUEUE_TYPE_WORKFLOW, enums::TASK_QUEUE_TYPE_ACTIVITY};
  auto& version = (*response->mutable_versions_info())[""];
  // Every new task goes to whoever polls, and no worker has a build to be told apart by.
  if (request.report_task_reachability())
    version.set_task_reachability(enums::BUILD_ID_TASK_REACHABILITY_REACHABLE);
  for (const auto type : types) {
    const QueueKey key{namespace_id, request.task_queue().name(), queue_type(type)};
    auto& info = (*version.mutable_types_info())[type];
    if (request.report_pollers()) add_pollers(key, info.mutable_pollers());
    if (request.report_stats()) fill_stats(all_waits(key), info.mutable_stats());
  }
}

void TaskQueueHandlers::describe(Call& call, const ws::DescribeTaskQueueRequest& request,
                                 const stored::NamespaceRecord& record) {
  if (request.task_queue().name().empty())
    return replies_.send(call, errors::invalid("taskQueue is not set"));
  auto response = std::make_unique<ws::DescribeTaskQueueResponse>();
  if (request.api_mode() == enums::DESCRIBE_TASK_QUEUE_MODE_ENHANCED) {
    describe_types(request, record.id(), response.get());
    return replies_.send(call, std::move(response));
  }
  const QueueKey key{record.id(), request.task_queue().name(), queue_type(request.task_queue_type())};
  add_pollers(key, response->mutable_pollers());
  response->mutable_versioning_info()->set_current_version(kUnversioned);
  if (request.include_task_queue_status()) {
    response->mutable_task_queue_status()->set_backlog_count_hint(
        static_cast<std::int64_t>(queues_.backlog(key)));
  }
  if (request.report_stats()) {
    fill_stats(all_waits(key), response->mutable_stats());
    auto& by_priority = *response->mutable_stats_by_priority_key();
    fill_stats({}, &by_priority[history::priority::kDefaultLevel]);  // there, also when nothing waits
    for (const auto& [priority, waits] : queues_.waits_by_priority(key))
      fill_stats(waits, &by_priority[priority]);
  }
  if (const auto rate = queues_.rate(key)) {
    auto& limit = *response->mutable_effective_rate_limit();
    limit.set_requests_per_second(static_cast<float>(*rate));
    limit.set_rate_limit_source(enums::RATE_LIMIT_SOURCE_WORKER);
  }
  replies_.send(call, std::move(response));
}

}  // namespace holdfast::engine
