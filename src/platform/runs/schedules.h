#pragma once

// Schedules: agents that run by the clock. A schedule is a workflow of ours (protocol/schedule.h) that keeps
// what it is and how it stands itself; nothing else is stored. Its runs are runs like all others, under ids
// that say for when they are.
//
// Thread-safe; calls block. Failures: a Status with a RunFault where the request is at fault; otherwise the
// engine's.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/client.h"
#include "platform/store.h"
#include "protocol/schedule.h"

namespace holdfast::runs {

struct ScheduleView {
  protocol::ScheduleSpec spec;
  std::optional<protocol::ScheduleState> state;  // none: no worker has answered
  std::optional<WallTime> next_at;               // none: paused, or never
  WallTime created_at{};
};

struct SchedulePage {
  std::vector<ScheduleView> schedules;  // without `state`
  std::string next;                     // empty: this was the last page
};

class Schedules {
 public:
  // Whether a run of that definition may begin with that intent, as when one is started by hand.
  using MayBegin = std::function<Status(const platform::Definition&, const platform::StartIntent&)>;

  // All of them outlive it.
  Schedules(const Client& client, platform::Store& store, const Clock& clock, MayBegin may_begin)
      : client_(client), store_(store), clock_(clock), may_begin_(std::move(may_begin)) {}

  // Checks everything that can be wrong, then it is durable. The same with the same idempotency key, which
  // may be empty, is answered as it was the first time.
  Result<ScheduleView> create(const protocol::ScheduleSpec& spec, const std::string& key = {});
  Result<SchedulePage> list(const std::string& after, std::uint32_t limit) const;
  Result<ScheduleView> show(const std::string& name) const;
  // Durable when it returns; the schedule acts on it at once.
  Status pause(const std::string& name, const std::string& note) const;
  Status resume(const std::string& name) const;
  // One run now, whatever is open. `key`: of an Idempotency-Key, the same is the same trigger; empty: none.
  Status trigger(const std::string& name, const std::string& key) const;
  // Its runs go on.
  Status erase(const std::string& name) const;

 private:
  Result<ScheduleView> start(const protocol::ScheduleSpec& spec, const std::string& request_id) const;
  Status check(const protocol::ScheduleSpec& spec) const;
  Status check_run(const protocol::ScheduleSpec& spec) const;
  WorkflowHandle workflow(const std::string& name) const;
  std::optional<WallTime> next_of(const protocol::ScheduleSpec& spec) const;

  const Client& client_;
  platform::Store& store_;
  const Clock& clock_;
  const MayBegin may_begin_;
};

}  // namespace holdfast::runs
