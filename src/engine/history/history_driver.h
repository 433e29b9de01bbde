#pragma once

// Executions for tests of this room, without an engine around them. Whoever looks at one through Held has the
// law of the room checked first: what its events give, with what is volatile laid over it, is its state. So
// every step of every test is held against it.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "history/activity.h"
#include "history/lifecycle.h"
#include "history/rebuild.h"
#include "history/volatile_state.h"
#include "history/workflow_task.h"

namespace holdfast::history::testing {

inline constexpr Ns kNow = 1'700'000'000 * kSecond;
inline const Limits kLimits;

// All events of `ms` must be unsaved.
inline void expect_law(MutableState& ms) {
  ms.seal();
  Rebuild rebuild(facts_of(ms.s()));
  for (const Event& event : ms.unsaved().events()) {
    if (const Status wrong = rebuild.add(event); !wrong.ok()) ADD_FAILURE() << wrong.to_string();
  }
  EXPECT_EQ(rebuild.difference(ms.whole(), ms.speculative()), "");
}

class Held {
 public:
  explicit Held(std::unique_ptr<MutableState> ms) : ms_(std::move(ms)) {}
  Held(Held&&) = default;
  Held& operator=(Held&&) = delete;
  ~Held() {
    if (ms_) expect_law(*ms_);
  }

  MutableState& operator*() const {
    expect_law(*ms_);
    return *ms_;
  }
  MutableState* operator->() const { return &**this; }

 private:
  std::unique_ptr<MutableState> ms_;
};

inline Held started(const std::function<void(lifecycle::StartInput&)>& edit = {}) {
  lifecycle::StartInput input;
  input.namespace_id = "ns";
  input.workflow_id = "w";
  input.run_id = "run-1";
  input.request_id = "start-1";
  input.attributes.mutable_workflow_type()->set_name("order");
  input.attributes.mutable_task_queue()->set_name("q");
  if (edit) edit(input);
  Held ms(lifecycle::start(std::move(input), kNow));
  workflow_task::schedule(*ms, kNow);
  return ms;
}

// The first workflow task, completed: events 1 to 4.
inline Held resting(const std::function<void(lifecycle::StartInput&)>& edit = {}) {
  Held ms = started(edit);
  workflow_task::start(*ms, kLimits, kNow, {.identity = "worker"});
  workflow_task::complete(*ms, kNow, {.identity = "worker"});
  return ms;
}

inline std::vector<enums::EventType> types(const MutableState& ms) {
  std::vector<enums::EventType> result;
  std::int64_t expected = ms.unsaved().events_size() == 0 ? 0 : ms.unsaved().events(0).event_id();
  for (const Event& event : ms.unsaved().events()) {
    EXPECT_EQ(event.event_id(), expected++);
    result.push_back(event.event_type());
  }
  return result;
}

inline activity::Command command(const std::string& id) {
  activity::Command result;
  result.set_activity_id(id);
  result.mutable_activity_type()->set_name("charge");
  result.mutable_start_to_close_timeout()->set_seconds(10);
  return result;
}

inline const stored::ActivityInfo* scheduled(const Held& ms, activity::Command request) {
  EXPECT_EQ(activity::prepare(&request, ms->s(), kLimits), "");
  return ms->activity(activity::schedule(*ms, kNow, 4, &request));
}

}  // namespace holdfast::history::testing
