#include "history_check.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "flow.h"

namespace holdfast::crash {
namespace {

using Event = pb::history::v1::HistoryEvent;

class Checker {
 public:
  std::vector<std::string> check(const pb::history::v1::History& history) {
    std::int64_t expected = 1;
    for (const Event& event : history.events()) {
      event_ = &event;
      if (event.event_id() != expected) problem(fmt::format("should have id {}", expected));
      expected = event.event_id() + 1;
      if (closed_) problem("follows the end of the execution");
      const bool first = event.event_id() == 1;
      if (first != (event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)) {
        problem("a history starts with the start, and only there");
      }
      one(event);
    }
    return std::move(problems_);
  }

 private:
  // An entity that is scheduled (or started) once and may end once.
  struct Entity {
    std::int64_t begun = 0;
    std::int64_t started = 0;
    std::int64_t ended = 0;
  };
  using Entities = std::map<std::int64_t, Entity>;

  void problem(const std::string& what) {
    problems_.push_back(fmt::format("event {} ({}): {}", event_->event_id(),
                                    enums::EventType_Name(event_->event_type()), what));
  }

  void begin(Entities& entities) { entities[event_->event_id()].begun = event_->event_id(); }

  void start(Entities& entities, std::int64_t id) {
    Entity& e = entities[id];
    if (e.begun == 0) problem(fmt::format("refers to {}, which did not schedule it", id));
    if (e.started != 0) problem(fmt::format("{} is started already, by {}", id, e.started));
    e.started = event_->event_id();
  }

  // `started` 0: it may end without having started.
  void end(Entities& entities, std::int64_t id, std::int64_t started) {
    Entity& e = entities[id];
    if (e.begun == 0) problem(fmt::format("refers to {}, which did not begin it", id));
    if (e.ended != 0) problem(fmt::format("{} ended already, with {}", id, e.ended));
    if (started != 0 && started != e.started)
      problem(fmt::format("names {} as its start, which is {}", started, e.started));
    e.ended = event_->event_id();
  }

  void caused_by(std::int64_t completed) {
    if (!completed_tasks_.contains(completed))
      problem(fmt::format("refers to {}, which is no completed workflow task", completed));
  }

  void one(const Event& e) {
    switch (e.event_type()) {
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        if (!has_its_ballast(e.workflow_execution_signaled_event_attributes().input()))
          problem("has not the large payload that was sent");
        break;
      case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: begin(tasks_); break;
      case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
        start(tasks_, e.workflow_task_started_event_attributes().scheduled_event_id());
        break;
      case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED: {
        const auto& a = e.workflow_task_completed_event_attributes();
        end(tasks_, a.scheduled_event_id(), a.started_event_id());
        completed_tasks_.insert(e.event_id());
        break;
      }
      case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED: {
        const auto& a = e.workflow_task_failed_event_attributes();
        end(tasks_, a.scheduled_event_id(), a.started_event_id());
        break;
      }
      case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: {
        const auto& a = e.workflow_task_timed_out_event_attributes();
        end(tasks_, a.scheduled_event_id(), a.started_event_id());
        break;
      }
      default: activity_event(e);
    }
  }

  void activity_event(const Event& e) {
    switch (e.event_type()) {
      case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        begin(activities_);
        caused_by(e.activity_task_scheduled_event_attributes().workflow_task_completed_event_id());
        break;
      case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
        start(activities_, e.activity_task_started_event_attributes().scheduled_event_id());
        break;
      case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED: {
        const auto& a = e.activity_task_completed_event_attributes();
        end(activities_, a.scheduled_event_id(), a.started_event_id());
        break;
      }
      case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED: {
        const auto& a = e.activity_task_failed_event_attributes();
        end(activities_, a.scheduled_event_id(), a.started_event_id());
        break;
      }
      case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: {
        const auto& a = e.activity_task_timed_out_event_attributes();
        end(activities_, a.scheduled_event_id(), a.started_event_id());
        break;
      }
      default: other_event(e);
    }
  }

  void other_event(const Event& e) {
    switch (e.event_type()) {
      case enums::EVENT_TYPE_TIMER_STARTED:
        begin(timers_);
        caused_by(e.timer_started_event_attributes().workflow_task_completed_event_id());
        break;
      case enums::EVENT_TYPE_TIMER_FIRED:
        end(timers_, e.timer_fired_event_attributes().started_event_id(), 0);
        break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: {
        const std::string& id =
            e.workflow_execution_update_accepted_event_attributes().protocol_instance_id();
        if (!updates_seen_.insert(id).second) problem("the update was accepted before");
        begin(updates_);
        break;
      }
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
        end(updates_, e.workflow_execution_update_completed_event_attributes().accepted_event_id(), 0);
        break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        caused_by(e.workflow_execution_completed_event_attributes().workflow_task_completed_event_id());
        closed_ = true;
        break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
        problem("no run of this load ends so");
        closed_ = true;
        break;
      default: break;
    }
  }

  const Event* event_ = nullptr;
  std::vector<std::string> problems_;
  Entities tasks_, activities_, timers_, updates_;
  std::set<std::int64_t> completed_tasks_;
  std::set<std::string> updates_seen_;
  bool closed_ = false;
};

}  // namespace

std::vector<std::string> history_problems(const pb::history::v1::History& history) {
  return Checker().check(history);
}

}  // namespace holdfast::crash
