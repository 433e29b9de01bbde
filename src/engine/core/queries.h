#pragma once

// Queries: never in the history. They travel with the next workflow task when one is coming, and alone
// otherwise. A query waits with its run (run.h); its call is parked. The core owns it; its thread only.

#include <string>

#include "api/messages.h"
#include "engine/run.h"
#include "history/limits.h"

namespace holdfast::engine {

struct EngineLimits;
struct Parked;
class ParkedCalls;
class Replies;
class TaskDispatch;

// An answer over the limit fails, in Temporal's words, and only towards who asked: the task that brought it
// is as good as any.
inline constexpr const char* kResultTooLarge = "Blob data size exceeds limit.";
bool is_too_large(const pb::common::v1::Payloads& result, const history::Limits& limits);

class Queries {
 public:
  Queries(const EngineLimits& limits, ParkedCalls& parked, Replies& replies, TaskDispatch& dispatch)
      : limits_(limits), parked_(parked), replies_(replies), dispatch_(dispatch) {}

  void end(Run& run, const std::string& query_id, Result<api::MessagePtr> result);
  // The results that came with a completed workflow task; others that went out with it wait for the next.
  // Before the end of the transition: it may close the run or hand out the next task, and both start their
  // queries anew.
  void take_results(Run& run, ws::RespondWorkflowTaskCompletedRequest* request);
  // Those that went out with a task which brought no result wait for the next one.
  void task_ended(Run& run);
  // Those that no task takes along go alone.
  void dispatch_buffered(Run& run);
  // No worker answered in time.
  void timed_out(Parked& parked);

 private:
  const EngineLimits& limits_;
  ParkedCalls& parked_;
  Replies& replies_;
  TaskDispatch& dispatch_;
};

}  // namespace holdfast::engine
