#pragma once

// The methods by which workers do workflow tasks: a completion is one transition, all or nothing. Made and
// owned by the core; its thread only.

#include <string>
#include <vector>

#include "api/messages.h"
#include "engine/core.h"
#include "engine/run.h"
#include "history/commands.h"

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
class HistoryReader;
class Namespaces;
class NewIds;
class Queries;
class Replies;
class TaskDispatch;
class TaskResponses;
class TaskTokens;
class Transitions;

class WorkflowTaskHandlers {
 public:
  WorkflowTaskHandlers(const EngineLimits& limits, const CoreClock& clock, NewIds& ids,
                       const Namespaces& namespaces, const HistoryReader& reader, const TaskTokens& tokens,
                       const TaskResponses& responses, TaskDispatch& dispatch, Queries& queries,
                       Transitions& transitions, Replies& replies)
      : limits_(limits),
        clock_(clock),
        ids_(ids),
        namespaces_(namespaces),
        reader_(reader),
        tokens_(tokens),
        responses_(responses),
        dispatch_(dispatch),
        queries_(queries),
        transitions_(transitions),
        replies_(replies) {}

  Status check_poll(const ws::PollWorkflowTaskQueueRequest& request);
  void poll(Call& call, const ws::PollWorkflowTaskQueueRequest& request,
            const stored::NamespaceRecord& record);
  void completed(Call& call, ws::RespondWorkflowTaskCompletedRequest& request);
  void failed(Call& call, const ws::RespondWorkflowTaskFailedRequest& request);

 private:
  using Completion = ws::RespondWorkflowTaskCompletedRequest;

  // Whose started task the token names. `closed`: what is said when the run is over.
  Result<Run*> run_of(const std::string& token, const std::string& namespace_name, Status closed) const;
  void end_heartbeats(Run& run, Call& call);
  void discard(Run& run, Call& call, Completion& request);
  void refuse_commands(Run& run, Call& call, const std::string& identity, const history::CommandError& wrong,
                       std::int32_t attempt);
  history::CommandContext context_of(Run& run, const Completion& request);
  void complete(MutableState& ms, const Completion& request, history::CommandContext& context);
  bool schedule_next(Run& run, const Call& call, const Completion& request, bool had_buffered, bool heartbeat,
                     Ns original_scheduled);
  void start_eager(Run& run, const Call& call, const std::string& identity,
                   const std::vector<std::int64_t>& eager,
                   ws::RespondWorkflowTaskCompletedResponse* response);

  const EngineLimits& limits_;
  const CoreClock& clock_;
  NewIds& ids_;
  const Namespaces& namespaces_;
  const HistoryReader& reader_;
  const TaskTokens& tokens_;
  const TaskResponses& responses_;
  TaskDispatch& dispatch_;
  Queries& queries_;
  Transitions& transitions_;
  Replies& replies_;
};

}  // namespace holdfast::engine
