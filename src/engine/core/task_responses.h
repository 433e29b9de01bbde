#pragma once

// TaskResponses: what a worker gets when it gets a task: the response of a poll, which is also what travels
// with the answer to another call (eager tasks). Changes nothing but which queries and updates have been
// sent. The core owns it; its thread only.

#include <memory>
#include <string>

#include "engine/run.h"

namespace holdfast::engine {

struct EngineLimits;
class HistoryReader;
class Namespaces;
class TaskTokens;

class TaskResponses {
 public:
  TaskResponses(const EngineLimits& limits, const Namespaces& namespaces, const HistoryReader& reader,
                const TaskTokens& tokens)
      : limits_(limits), namespaces_(namespaces), reader_(reader), tokens_(tokens) {}

  // `sticky`: to the worker that has the run in its cache, which gets only what is new. Of the history, who
  // has just completed the task before gets no more either.
  std::unique_ptr<ws::PollWorkflowTaskQueueResponse> workflow_task(Run& run, bool sticky,
                                                                   bool knows_history) const;
  // What its schedule gave an activity; null: it cannot be read, and the task may not leave.
  std::unique_ptr<ws::PollActivityTaskQueueResponse> activity_input(const Run& run,
                                                                    std::int64_t scheduled_event_id) const;
  // With all else that a started one is told.
  std::unique_ptr<ws::PollActivityTaskQueueResponse> activity(
      const Run& run, const stored::ActivityInfo& info,
      std::unique_ptr<ws::PollActivityTaskQueueResponse> response) const;
  std::unique_ptr<ws::PollWorkflowTaskQueueResponse> query(const Run& run, const std::string& query_id,
                                                           const pb::query::v1::WorkflowQuery& query,
                                                           bool sticky) const;

 private:
  void add_history(const Run& run, std::int64_t from, ws::PollWorkflowTaskQueueResponse* response) const;

  const EngineLimits& limits_;
  const Namespaces& namespaces_;
  const HistoryReader& reader_;
  const TaskTokens& tokens_;
};

}  // namespace holdfast::engine
