#include "sim/workers.h"

#include <memory>
#include <utility>

namespace holdfast::sim {
namespace {

constexpr std::int64_t kPollTimeout = 20 * kSec;

}  // namespace

Worker::Worker(World& world, Network& network, Server* host, int number)
    : world_(world),
      network_(network),
      host_(host),
      number_(number),
      sticky_queue_("sticky-" + std::to_string(number)) {}

void Worker::die() {
  ++life_;
  cache_.clear();
}

void Worker::after(std::int64_t delay_ns, World::Job job) {
  world_.after(delay_ns, [this, life = life_, job = std::move(job)]() mutable {
    if (life == life_) job();
  });
}

void Worker::call(api::Method method, const api::Message& request, std::int64_t timeout_ns,
                  Network::Done done) {
  auto guarded = [this, life = life_, done = std::move(done)](Result<api::MessagePtr> result) mutable {
    if (life == life_) done(std::move(result));
  };
  if (host_ == nullptr) {
    network_.call(method, request, timeout_ns, std::move(guarded));
    return;
  }
  api::MessagePtr copy(request.New());
  copy->CopyFrom(request);
  after(world_.random().between(1'000, 50'000),
        [this, method, copy = std::move(copy), guarded = std::move(guarded)]() mutable {
          auto answer = [this, guarded = std::move(guarded)](Result<api::MessagePtr> result) mutable {
            after(1'000, [result = std::move(result), guarded = std::move(guarded)]() mutable {
              guarded(std::move(result));
            });
          };
          host_->receive(method, std::move(copy), std::move(answer), true);
        });
}

void Worker::call_until_answered(api::Method method, std::shared_ptr<const api::Message> request) {
  if (host_ == nullptr) {
    network_.call_until_answered(method, std::move(request), [](auto) {});
  } else {
    call(method, *request, 2 * kSec, [](auto) {});
  }
}

std::string Worker::new_identity(const char* kind) {
  return std::string(kind) + std::to_string(number_) + "-" + std::to_string(++polls_);
}

void Worker::start() {
  for (int i = 0; i < 2; ++i) {
    poll_workflow(false);
    poll_activity();
  }
  poll_workflow(true);
}

// Workflow tasks

void Worker::poll_workflow(bool sticky) {
  ws::PollWorkflowTaskQueueRequest request;
  request.set_namespace_(kNamespace);
  request.mutable_task_queue()->set_name(sticky ? sticky_queue_ : kQueue);
  request.mutable_task_queue()->set_kind(sticky ? enums::TASK_QUEUE_KIND_STICKY
                                                : enums::TASK_QUEUE_KIND_NORMAL);
  if (sticky) request.mutable_task_queue()->set_normal_name(kQueue);
  std::string identity = new_identity("w");
  request.set_identity(identity);
  call(api::Method::kPollWorkflowTaskQueue, request, kPollTimeout,
       [this, sticky, identity = std::move(identity)](Result<api::MessagePtr> result) {
         std::int64_t pause = 0;
         if (!result.has_value()) {
           pause = world_.random().between(5 * kMs, 100 * kMs);
         } else {
           const auto& task = static_cast<const ws::PollWorkflowTaskQueueResponse&>(**result);
           if (!task.task_token().empty()) workflow_task(identity, task);
         }
         after(pause, [this, sticky] { poll_workflow(sticky); });
       });
}

void Worker::workflow_task(const std::string& identity, const ws::PollWorkflowTaskQueueResponse& response) {
  Task task;
  task.identity = identity;
  task.token = response.task_token();
  task.run_id = response.workflow_execution().run_id();
  task.workflow_id = response.workflow_execution().workflow_id();
  task.started_event_id = response.started_event_id();
  task.messages.assign(response.messages().begin(), response.messages().end());
  Events fresh(response.history().events().begin(), response.history().events().end());
  const std::int64_t first = fresh.empty() ? 0 : fresh.front().event_id();
  auto cached = cache_.find(task.run_id);
  if (response.next_page_token().empty() && first == 1) {
    complete(task, std::move(fresh));
  } else if (response.next_page_token().empty() && cached != cache_.end() &&
             first == static_cast<std::int64_t>(cached->second.size()) + 1) {
    Events events = cached->second;
    for (auto& event : fresh) events.push_back(std::move(event));
    complete(task, std::move(events));
  } else {
    // Not cached here: it needs the whole history.
    auto request = std::make_shared<ws::GetWorkflowExecutionHistoryRequest>();
    request->set_namespace_(kNamespace);
    *request->mutable_execution() = response.workflow_execution();
    call(api::Method::kGetWorkflowExecutionHistory, *request, 2 * kSec,
         [this, task = std::move(task)](Result<api::MessagePtr> result) {
           if (!result.has_value()) return;  // the task times out
           const auto& history =
               static_cast<const ws::GetWorkflowExecutionHistoryResponse&>(**result).history();
           complete(task, Events(history.events().begin(), history.events().end()));
         });
  }
}

void Worker::answer_updates(const Task& task, ws::RespondWorkflowTaskCompletedRequest& request) const {
  for (const auto& message : task.messages) {
    pb::update::v1::Request update;
    if (!message.body().UnpackTo(&update)) continue;
    const auto add = [&](const std::string& id, const google::protobuf::Message& body) {
      auto& out = *request.add_messages();
      out.set_id(id);
      out.set_protocol_instance_id(message.protocol_instance_id());
      out.mutable_body()->PackFrom(body);
      auto& command = *request.add_commands();
      command.set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
      command.mutable_protocol_message_command_attributes()->set_message_id(id);
    };
    pb::update::v1::Acceptance acceptance;
    acceptance.set_accepted_request_message_id(message.id());
    acceptance.set_accepted_request_sequencing_event_id(message.event_id());
    *acceptance.mutable_accepted_request() = update;
    add(message.protocol_instance_id() + "/accept", acceptance);
    pb::update::v1::Response response;
    *response.mutable_meta() = update.meta();
    *response.mutable_outcome()->mutable_success() =
        payloads_of(update.meta().update_id() + " by " + task.identity);
    add(message.protocol_instance_id() + "/complete", response);
  }
}

void Worker::complete(const Task& task, Events events) {
  // Of what the history shows beyond this task nothing is known to last.
  while (!events.empty() && events.back().event_id() > task.started_event_id) events.pop_back();
  auto request = std::make_shared<ws::RespondWorkflowTaskCompletedRequest>();
  request->set_namespace_(kNamespace);
  request->set_identity(task.identity);
  request->set_task_token(task.token);
  answer_updates(task, *request);
  decide(events, task.workflow_id, task.messages.size(), *request);
  SimRandom& random = world_.random();
  if (random.percent(60)) {
    auto& sticky = *request->mutable_sticky_attributes();
    sticky.mutable_worker_task_queue()->set_name(sticky_queue_);
    sticky.mutable_worker_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    sticky.mutable_worker_task_queue()->set_normal_name(kQueue);
    sticky.mutable_schedule_to_start_timeout()->set_seconds(5);
  }
  std::int64_t delay = random.between(kMs, 20 * kMs);
  if (!behaving_) {
    if (random.percent(3)) return;                                   // killed with the task in hand
    if (random.percent(5)) delay = random.between(kSec, 12 * kSec);  // paused, past the task's time
  }
  cache_.erase(task.run_id);
  after(delay, [this, request, task, events = std::move(events)]() mutable {
    call(api::Method::kRespondWorkflowTaskCompleted, *request, 2 * kSec,
         [this, task, events = std::move(events)](Result<api::MessagePtr> result) mutable {
           if (!result.has_value()) return;
           const auto& answer = static_cast<const ws::RespondWorkflowTaskCompletedResponse&>(**result);
           if (answer.reset_history_event_id() == 0) cache_[task.run_id] = std::move(events);
         });
  });
}

// Activities

void Worker::poll_activity() {
  ws::PollActivityTaskQueueRequest request;
  request.set_namespace_(kNamespace);
  request.mutable_task_queue()->set_name(kQueue);
  std::string identity = new_identity("a");
  request.set_identity(identity);
  call(api::Method::kPollActivityTaskQueue, request, kPollTimeout,
       [this, identity = std::move(identity)](Result<api::MessagePtr> result) {
         std::int64_t pause = 0;
         if (!result.has_value()) {
           pause = world_.random().between(5 * kMs, 100 * kMs);
         } else {
           const auto& task = static_cast<const ws::PollActivityTaskQueueResponse&>(**result);
           if (!task.task_token().empty()) activity_task(identity, task);
         }
         after(pause, [this] { poll_activity(); });
       });
}

void Worker::activity_task(const std::string& identity, const ws::PollActivityTaskQueueResponse& task) {
  SimRandom& random = world_.random();
  const std::int64_t draw = behaving_ ? 100 : random.between(1, 100);
  const std::int64_t soon = random.between(kMs, 200 * kMs);
  const std::string& token = task.task_token();
  if (draw <= 5) return;  // killed with the task in hand
  if (draw <= 20) {
    complete_activity(identity, token, true, soon);
  } else if (draw <= 32) {
    complete_activity(identity, token, false,
                      random.between(4 * kSec, 15 * kSec));  // its attempt may be over by then
  } else if (draw <= 45) {
    heartbeat(identity, token, 3);
  } else {
    complete_activity(identity, token, false, soon);
    if (draw <= 50) complete_activity(identity, token, false, soon + kSec);
  }
}

void Worker::heartbeat(const std::string& identity, const std::string& token, int left) {
  after(world_.random().between(200 * kMs, 800 * kMs), [this, identity, token, left] {
    if (left == 0) {
      complete_activity(identity, token, world_.random().percent(30), 10 * kMs);
      return;
    }
    ws::RecordActivityTaskHeartbeatRequest request;
    request.set_namespace_(kNamespace);
    request.set_task_token(token);
    request.set_identity(identity);
    *request.mutable_details() = payloads_of(std::to_string(world_.elapsed() / kMs));
    call(api::Method::kRecordActivityTaskHeartbeat, request, 2 * kSec, [](auto) {});
    heartbeat(identity, token, left - 1);
  });
}

void Worker::complete_activity(const std::string& identity, const std::string& token, bool failed,
                               std::int64_t delay) {
  after(delay, [this, identity, token, failed] {
    if (failed) {
      auto request = std::make_shared<ws::RespondActivityTaskFailedRequest>();
      request->set_namespace_(kNamespace);
      request->set_task_token(token);
      request->set_identity(identity);
      request->mutable_failure()->set_message("drawn");
      request->mutable_failure()->mutable_application_failure_info()->set_type("Drawn");
      call_until_answered(api::Method::kRespondActivityTaskFailed, request);
    } else {
      auto request = std::make_shared<ws::RespondActivityTaskCompletedRequest>();
      request->set_namespace_(kNamespace);
      request->set_task_token(token);
      request->set_identity(identity);
      *request->mutable_result() = payloads_of(identity);
      call_until_answered(api::Method::kRespondActivityTaskCompleted, request);
    }
  });
}

}  // namespace holdfast::sim
