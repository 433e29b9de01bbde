#include "oracle.h"

#include <fmt/format.h>

#include <set>

#include "history_check.h"

namespace holdfast::crash {

// Beyond this many a broken server only repeats itself.
constexpr std::size_t kMaxViolations = 50;

// What a history holds, in the oracle's words.
struct Oracle::Found {
  std::map<std::string, int> signals;
  std::map<std::string, std::string> updates;
  std::map<std::int64_t, std::string> scheduled;  // event id -> activity id
  std::map<std::string, std::string> results;
  std::set<std::int64_t> tasks;
  std::string run_id;

  explicit Found(const pb::history::v1::History& history) {
    for (const auto& e : history.events()) read(e);
  }

 private:
  static std::string text(const pb::common::v1::Payloads& payloads) {
    return payloads.payloads_size() == 0 ? std::string() : payloads.payloads(0).data();
  }

  void read(const pb::history::v1::HistoryEvent& e) {
    switch (e.event_type()) {
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
        run_id = e.workflow_execution_started_event_attributes().original_execution_run_id();
        break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        ++signals[text(e.workflow_execution_signaled_event_attributes().input())];
        break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: {
        const auto& a = e.workflow_execution_update_completed_event_attributes();
        updates[a.meta().update_id()] = text(a.outcome().success());
        break;
      }
      case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        scheduled[e.event_id()] = e.activity_task_scheduled_event_attributes().activity_id();
        break;
      case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED: {
        const auto& a = e.activity_task_completed_event_attributes();
        results[scheduled[a.scheduled_event_id()]] = text(a.result());
        break;
      }
      case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
        tasks.insert(e.workflow_task_completed_event_attributes().started_event_id());
        break;
      default: break;
    }
  }
};

void Oracle::record(std::string what) {
  if (violations_.size() < kMaxViolations) violations_.push_back(std::move(what));
}

void Oracle::violation(const std::string& what) {
  const std::lock_guard lock(mutex_);
  record(what);
}

std::vector<std::string> Oracle::violations() const {
  const std::lock_guard lock(mutex_);
  return violations_;
}

std::vector<std::string> Oracle::flows() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, flow] : flows_) names.push_back(name);
  return names;
}

void Oracle::started(const std::string& flow, const std::string& run_id) {
  const std::lock_guard lock(mutex_);
  Flow& state = flows_[flow];
  if (!state.run_id.empty() && state.run_id != run_id) {
    record(fmt::format("{}: the same start gave run {} and then {}", flow, state.run_id, run_id));
  }
  state.run_id = run_id;
  ++starts;
}

void Oracle::signalled(const std::string& flow, const std::string& signal) {
  const std::lock_guard lock(mutex_);
  flows_[flow].signals[signal] = 1;
  ++signals;
}

void Oracle::updated(const std::string& flow, const std::string& update, const std::string& outcome) {
  const std::lock_guard lock(mutex_);
  const auto [found, fresh] = flows_[flow].updates.try_emplace(update, outcome);
  if (!fresh && found->second != outcome) {
    record(fmt::format("{}: update {} gave \"{}\" and then \"{}\"", flow, update, found->second, outcome));
  }
  if (fresh) ++updates;
}

void Oracle::activity_completed(const std::string& flow, const std::string& activity, int attempt,
                                const std::string& result) {
  const std::lock_guard lock(mutex_);
  const auto [found, fresh] = flows_[flow].activities.try_emplace(activity, Activity{attempt, result});
  if (!fresh) {
    record(fmt::format("{}: activity {} was completed twice, by attempts {} and {}", flow, activity,
                       found->second.attempt, attempt));
  }
  ++completions;
}

void Oracle::task_completed(const std::string& flow, std::int64_t started_event_id) {
  const std::lock_guard lock(mutex_);
  flows_[flow].tasks.push_back(started_event_id);
  ++tasks;
}

void Oracle::dispatched(const std::string& flow, const std::string& activity, int attempt) {
  const std::lock_guard lock(mutex_);
  const auto& activities = flows_[flow].activities;
  const auto found = activities.find(activity);
  // An earlier attempt may still be on its way to us; a later one must not exist.
  if (found != activities.end() && attempt > found->second.attempt) {
    record(
        fmt::format("{}: activity {} was completed by attempt {}, and attempt {} was handed out after that",
                    flow, activity, found->second.attempt, attempt));
  }
}

void Oracle::completed_again(const std::string& flow, const std::string& activity, const Status& answer) {
  if (answer.code() == Code::kNotFound) {
    ++repeats_refused;
    return;
  }
  violation(
      fmt::format("{}: a completion of activity {} with the token of an attempt that is over was "
                  "answered {} instead of NOT_FOUND",
                  flow, activity, answer.to_string()));
}

void Oracle::compare_prefix(const std::string& flow, Flow& state, const pb::history::v1::History& history) {
  std::vector<std::string> now;
  for (const auto& event : history.events()) now.push_back(event.SerializeAsString());
  for (std::size_t i = 0; i < state.events.size(); ++i) {
    if (i < now.size() && now[i] == state.events[i]) continue;
    record(fmt::format("{}: event {} had been read, and is {} now", flow, i + 1,
                       i < now.size() ? "another" : "gone"));
    break;
  }
  if (now.size() > state.events.size()) state.events = std::move(now);
}

void Oracle::history_read(const std::string& flow, const pb::history::v1::History& history) {
  const std::lock_guard lock(mutex_);
  Flow& state = flows_[flow];
  // Reads of two threads may overtake each other; a shorter one must then be a beginning of the longer.
  const auto read = static_cast<std::size_t>(history.events_size());
  if (read < state.events.size()) {
    for (std::size_t i = 0; i < read; ++i) {
      if (history.events(static_cast<int>(i)).SerializeAsString() == state.events[i]) continue;
      record(fmt::format("{}: event {} had been read, and is another now", flow, i + 1));
      return;
    }
    return;
  }
  compare_prefix(flow, state, history);
}

void Oracle::check_final(const std::string& flow, const pb::history::v1::History& history) {
  const std::lock_guard lock(mutex_);
  Flow& state = flows_[flow];
  compare_prefix(flow, state, history);
  for (const std::string& problem : history_problems(history)) record(flow + ": " + problem);
  compare(flow, state, Found(history));
}

void Oracle::compare(const std::string& flow, const Flow& state, const Found& found) {
  if (!state.run_id.empty() && state.run_id != found.run_id) {
    record(fmt::format("{}: run {} was acknowledged, run {} is there", flow, state.run_id, found.run_id));
  }
  for (const auto& [signal, times] : state.signals) {
    if (!found.signals.contains(signal))
      record(fmt::format("{}: signal {} was acknowledged and is lost", flow, signal));
  }
  for (const auto& [signal, times] : found.signals) {
    if (times != 1) record(fmt::format("{}: signal {} is there {} times", flow, signal, times));
  }
  for (const auto& [update, outcome] : state.updates) {
    const auto there = found.updates.find(update);
    if (there == found.updates.end()) {
      record(fmt::format("{}: update {} was answered and is lost", flow, update));
    } else if (there->second != outcome) {
      record(fmt::format("{}: update {} was answered \"{}\", its history says \"{}\"", flow, update, outcome,
                         there->second));
    }
  }
  for (const auto& [activity, acknowledged] : state.activities) {
    const auto there = found.results.find(activity);
    if (there == found.results.end()) {
      record(fmt::format("{}: the completion of activity {} was acknowledged and is lost", flow, activity));
    } else if (there->second != acknowledged.result) {
      record(fmt::format("{}: activity {} was completed with \"{}\", its history says \"{}\"", flow, activity,
                         acknowledged.result, there->second));
    }
  }
  for (const std::int64_t task : state.tasks) {
    if (!found.tasks.contains(task)) {
      record(fmt::format("{}: the completion of the workflow task started at {} was acknowledged and is lost",
                         flow, task));
    }
  }
}

}  // namespace holdfast::crash
