#pragma once

// The methods by which workers do activities: polls, heartbeats, answers, by token and by id. Made and owned
// by the core; its thread only.

#include <string>

#include "api/messages.h"
#include "engine/core.h"
#include "engine/errors.h"
#include "engine/run.h"

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
class Replies;
class RunCache;
class TaskDispatch;
class TaskTokens;
class Transitions;

class ActivityHandlers {
 public:
  ActivityHandlers(const EngineLimits& limits, const CoreClock& clock, RunCache& cache,
                   const TaskTokens& tokens, TaskDispatch& dispatch, Transitions& transitions,
                   Replies& replies)
      : limits_(limits),
        clock_(clock),
        cache_(cache),
        tokens_(tokens),
        dispatch_(dispatch),
        transitions_(transitions),
        replies_(replies) {}

  Status check_poll(const ws::PollActivityTaskQueueRequest& request);
  void poll(Call& call, const ws::PollActivityTaskQueueRequest& request,
            const stored::NamespaceRecord& record);

  // By its task token: an activity that the worker holds.
  void heartbeat(Call& call, ws::RecordActivityTaskHeartbeatRequest& request);
  void completed(Call& call, ws::RespondActivityTaskCompletedRequest& request);
  void failed(Call& call, ws::RespondActivityTaskFailedRequest& request);
  void canceled(Call& call, ws::RespondActivityTaskCanceledRequest& request);

  // By its id: also one that nobody holds.
  template <typename Request>
  Status check_id(const Request& request) {
    return request.activity_id().empty() ? errors::invalid("ActivityID is not set on request.") : Status();
  }
  void heartbeat_by_id(Call& call, ws::RecordActivityTaskHeartbeatByIdRequest& request,
                       const stored::NamespaceRecord&, Run& run);
  void completed_by_id(Call& call, ws::RespondActivityTaskCompletedByIdRequest& request,
                       const stored::NamespaceRecord&, Run& run);
  void failed_by_id(Call& call, ws::RespondActivityTaskFailedByIdRequest& request,
                    const stored::NamespaceRecord&, Run& run);
  void canceled_by_id(Call& call, ws::RespondActivityTaskCanceledByIdRequest& request,
                      const stored::NamespaceRecord&, Run& run);

 private:
  // An activity that a request is about.
  struct Activity {
    Run& run;
    const stored::ActivityInfo& info;
  };
  Result<Activity> by_token(const std::string& bytes, const std::string& namespace_name) const;
  static Result<Activity> by_id(Run& run, const std::string& activity_id);
  static Result<Activity> started(Result<Activity> activity);

  template <typename Response, typename Request>
  void record_heartbeat(Call& call, Request& request, Result<Activity> found);
  template <typename Response, typename Request>
  void complete(Call& call, Request& request, Result<Activity> found);
  template <typename Response, typename Request>
  void fail_attempt(Call& call, Request& request, Result<Activity> found);
  template <typename Response, typename Request>
  void cancel_attempt(Call& call, Request& request, Result<Activity> found);

  const EngineLimits& limits_;
  const CoreClock& clock_;
  RunCache& cache_;
  const TaskTokens& tokens_;
  TaskDispatch& dispatch_;
  Transitions& transitions_;
  Replies& replies_;
};

}  // namespace holdfast::engine
